"""Faults of data files, of which each kind is said once, with examples; and
the fields of a person in a COCO-style file: read, repaired or left out."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

MAX_ID = 2**53
"""Greatest whole number that JSON readers keep exactly."""

EXAMPLES = 3
NOT_USED = 'it is not used'


@dataclass
class Fault:
    """One kind of fault in a file: what is wrong, what is done about it
    (repaired, left out, or noted: used as it is), how it is repaired or can be
    mended, how often it occurs, and the JSON paths of the first ones."""

    text: str
    effect: str
    remedy: str = ''
    count: int = 0
    where: list[str] = field(default_factory=list)

    def sentence(self) -> str:
        """One line for the terminal."""
        times = f'{self.count:,} x ' if self.count > 1 else ''
        more = ', ...' if self.count > len(self.where) else ''
        at = f' ({", ".join(self.where)}{more})' if self.where else ''
        remedy = f': {self.remedy}' if self.remedy else ''
        return f'{self.effect}: {times}{self.text}{at}{remedy}'


class UnusableError(Exception):
    """Arguments of :meth:`Faults.add` for an entry that is left out."""


class Faults(list[Fault]):
    """Each kind once, in the order of their first occurrence."""

    def add(
        self,
        where: str,
        text: str,
        key: str = '',
        value: Any = None,
        remedy: str = '',
        effect: str = '',
    ) -> None:
        """Count one, repaired if there is a remedy and else left out, at a
        JSON path and a key below it; the value is shown if it is not None."""
        effect = effect or ('repaired' if remedy else 'left out')
        for fault in self:
            if (fault.text, fault.effect) == (text, effect):
                break
        else:
            fault = Fault(text, effect, remedy)
            self.append(fault)
        fault.count += 1
        if len(fault.where) < EXAMPLES:
            shown = '' if value is None else f' = {json.dumps(value)[:40]}'
            fault.where.append(where + key + shown)

    def note(self, where: str, text: str, remedy: str, key: str = '') -> None:
        """Count one that is used as it is."""
        self.add(where, text, key, None, remedy, 'noted')

    @property
    def losses(self) -> list[Fault]:
        """The kinds that leave something out."""
        return [fault for fault in self if fault.effect == 'left out']

    def summary(self) -> str:
        """The kinds that leave something out, or else all, in a clause."""
        return '; '.join(f.sentence() for f in self.losses or self)

    def read(
        self, entries: list, where: str, kind: str, read: Callable
    ) -> list[Any]:
        """What ``read(entry, path)`` makes of each usable entry of a list."""
        out = []
        for i, entry in enumerate(entries):
            at = f'{where}[{i}]'
            try:
                if not isinstance(entry, Mapping):
                    raise UnusableError(f'{kind} is no dict')
                out.append(read(entry, at))
            except UnusableError as error:
                self.add(at, *error.args)
        return [made for made in out if made is not None]


def read_keypoints(
    raw: Any, joints: int, key: str, say: Callable
) -> list[float]:
    """3K numbers with v of 0, 1 or 2; K may be 0 for any."""
    if raw is None or raw == []:
        if joints:
            return [0.0] * (3 * joints)  # COCO has people without keypoints
        raise UnusableError('it has no keypoints', key)
    if not isinstance(raw, list):
        raise UnusableError(f'keypoints are a {kind_of(raw)}', key, raw)
    if all(isinstance(p, list) and len(p) == 3 for p in raw):
        remedy = 'they are read as a flat list'
        say('keypoints are nested triples', key, remedy=remedy)
        raw = [value for point in raw for value in point]
    if joints and len(raw) != 3 * joints:
        pairs = ' but pairs (x, y without v)' * (len(raw) == 2 * joints)
        text = f'keypoints are not {joints} triples{pairs}'
        raise UnusableError(text, f'{key}: {len(raw)} numbers')
    if len(raw) % 3 or not all(map(is_number, raw)):
        raise UnusableError('keypoints are not triples of numbers', key)
    out = [float(v) for v in raw]
    for k in range(2, len(out), 3):
        x, y, v = out[k - 2 : k + 1]
        if not (math.isfinite(x) and math.isfinite(y)):
            if v:
                remedy = 'it counts as not labelled'
                say('a keypoint is not finite', key, remedy=remedy)
            out[k - 2 : k + 1] = [0.0, 0.0, 0.0]
        elif v not in (0.0, 1.0, 2.0) or isinstance(raw[k], bool):
            remedy = 'v <= 0 is not labelled, v >= 2 visible, others labelled '
            remedy += 'and occluded'
            say('a flag v is not 0, 1 or 2', f'{key}[{k}]', raw[k], remedy)
            out[k] = 2.0 if v >= 2 else 1.0 if v > 0 else 0.0
    return out


def read_box(raw: Any, keypoints: list[float], say: Callable) -> list[float]:
    """x, y, width and height."""
    text = 'bbox has no width or height'
    if raw is None:
        text = 'bbox is missing'
    elif not is_box(raw):
        text = 'bbox is not four numbers'
    elif raw[2] > 0 and raw[3] > 0:
        return [float(v) for v in raw]
    points = np.reshape(keypoints, (-1, 3))
    points = points[points[:, 2] > 0, :2]
    if not len(points) or not np.ptp(points, axis=0).all():
        raise UnusableError(text, '.bbox', raw)
    remedy = 'the box around the labelled keypoints is taken'
    say(text, '.bbox', raw, remedy)
    return [*points.min(axis=0).tolist(), *np.ptp(points, axis=0).tolist()]


def read_segment(raw: Any, image: Mapping, say: Callable) -> Any:
    """Polygons or run lengths; None where there are none to use."""
    key, say = '.segmentation', partial(say, remedy=NOT_USED)
    if isinstance(raw, Mapping):
        given = raw.get('size')
        if 'counts' not in raw or not isinstance(given, list):
            say('run lengths lack counts or size', key)
        elif image['width'] and given != [image['height'], image['width']]:
            text = 'run lengths are of another size than the image'
            say(text, f'{key}.size', given)
        else:
            return dict(raw)
        return None
    if raw is None or raw == []:
        return None
    rings = raw if isinstance(raw, list) else [raw]
    if rings is raw and all(map(is_number, raw)):
        text = 'a polygon is not in a list'
        say(text, key, remedy='it is taken as the only one')
        raw = rings = [raw]
    good = [
        ring
        for ring in rings
        if isinstance(ring, list)
        and len(ring) >= 6
        and len(ring) % 2 == 0
        and all(map(is_finite, ring))
    ]
    if len(good) < len(rings):
        say('a polygon is not pairs of 3 points or more', key, raw)
    return good


def read_id(value: Any, say: Callable, where: str) -> int:
    """A whole number; others are replaced, by the entry's place."""
    whole = as_whole(value)
    if whole is None or not 0 <= whole < MAX_ID:
        remedy = 'one of its own is given'
        say('an id is no whole number from 0 on', '.id', value, remedy)
        return MAX_ID + int(where.split('[')[1][:-1])
    if not isinstance(value, int):
        remedy = 'it is read as a number'
        say(f'an id is a {kind_of(value)}', '.id', value, remedy)
    return whole


def as_whole(value: Any) -> int | None:
    """A whole number, also from a text or a float."""
    if isinstance(value, str) and value.strip().isdigit():
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if type(value) is int else None


def is_number(value: Any) -> bool:
    """Also NaN and infinite ones, but no whole number beyond floats."""
    return isinstance(value, float) or (
        isinstance(value, int) and abs(value) <= MAX_ID
    )


def is_finite(value: Any) -> bool:
    """Whether it is a finite number."""
    return is_number(value) and math.isfinite(value)


def is_box(value: Any) -> bool:
    """Whether it is a list of four finite numbers."""
    return (
        isinstance(value, list)
        and len(value) == 4
        and all(map(is_finite, value))
    )


def kind_of(value: Any) -> str:
    """The JSON type of a value."""
    names = {list: 'list', dict: 'dict', str: 'text', type(None): 'null'}
    return names.get(type(value), type(value).__name__)
