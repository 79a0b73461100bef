"""Fields of a person in a COCO-style file: read, repaired or left out; and
the faults of data files, of which each kind is said once, with examples."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from mmpose_occlusion.errors import DataError, UsageError
from mmpose_occlusion.metrics.annotations import AREA_RATIO

MAX_ID = 2**53
"""Greatest whole number that JSON readers keep exactly."""

REPAIRED = 'repaired'
LEFT_OUT = 'left out'
NOTED = 'noted'

EXAMPLES = 3

_NO = 'it is not used'
_BOX = 'the box around the labelled keypoints is taken'
_AREA = f'{AREA_RATIO} of the box is taken'
_COUNT = 'the labelled keypoints are counted'
REPAIRS = {
    'a file_name has backslashes': 'they are read as slashes',
    'a flag v is not 0, 1 or 2': 'v <= 0 is not labelled, v >= 2 visible, '
    'others labelled and occluded',
    'a keypoint is not finite': 'it counts as not labelled',
    'a link names no keypoint (they count from 1)': _NO,
    'a polygon is not in a list': 'it is taken as the only one',
    'a polygon is not pairs of 3 points or more': _NO,
    'an id is a float': 'it is read as a number',
    'an id is a text': 'it is read as a number',
    'an id is no whole number from 0 on': 'one of its own is given',
    'an image has another size than the file says': 'the size of the image '
    'is taken',
    'an image has no width and height': 'they are read from the image file',
    'area is missing': _AREA,
    'area is no positive number': _AREA,
    'bbox has no width or height': _BOX,
    'bbox is missing': _BOX,
    'bbox is not four numbers': _BOX,
    'keypoints are nested triples': 'they are read as a flat list',
    'no category names its keypoints': 'they are numbered; add "keypoints" '
    'to the category',
    'num_keypoints is missing': _COUNT,
    'num_keypoints is wrong': _COUNT,
    'run lengths are of another size than the image': _NO,
    'run lengths lack counts or size': _NO,
}
"""Kind of fault -> how it is repaired; what has another kind is left out."""


@dataclass
class Fault:
    """One kind of fault in a file.

    Args:
        text: What is wrong, a clause.
        effect: What is done about it: :data:`REPAIRED`, :data:`LEFT_OUT` or
            :data:`NOTED` (used as it is).
        remedy: How it is repaired, or how the user can mend it.
        count: How often it occurs.
        where: JSON paths of the first ones.
    """

    text: str
    effect: str
    remedy: str = ''
    count: int = 0
    where: list[str] = field(default_factory=list)

    def sentence(self) -> str:
        """One line for the terminal."""
        times = f'{self.count:,} x ' if self.count > 1 else ''
        places = ', '.join(self.where)
        more = ', ...' if self.count > len(self.where) else ''
        at = f' ({places}{more})' if places else ''
        remedy = f': {self.remedy}' if self.remedy else ''
        return f'{self.effect}: {times}{self.text}{at}{remedy}'


class Faults:
    """Collects faults by kind, in the order of their first occurrence."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Fault] = {}

    def add(
        self, where: str, text: str, value: Any = None, effect: str = ''
    ) -> None:
        """Count one.

        Args:
            where: JSON path.
            text: The kind; repaired if it is one of :data:`REPAIRS`, else left
                out.
            value: What the file has there, if it is to be shown.
            effect: Another one.
        """
        remedy = '' if effect else REPAIRS.get(text, '')
        effect = effect or (REPAIRED if remedy else LEFT_OUT)
        fault = self._known.setdefault(
            (text, effect), Fault(text, effect, remedy)
        )
        fault.count += 1
        if len(fault.where) < EXAMPLES and where:
            shown = '' if value is None else f' = {json.dumps(value)[:40]}'
            fault.where.append(where + shown)

    def note(self, where: str, text: str, remedy: str) -> None:
        """Add what is used as it is."""
        self._known[text, NOTED] = Fault(text, NOTED, remedy, 1, [where])

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._known.values())

    def __len__(self) -> int:
        return len(self._known)

    @property
    def losses(self) -> list[Fault]:
        """The kinds that leave something out."""
        return [f for f in self if f.effect == LEFT_OUT]

    def summary(self) -> str:
        """The kinds that leave something out, or else all, in a clause."""
        return '; '.join(f.sentence() for f in self.losses or self)


def read_json(path: str | Path, what: str) -> Any:
    """The content of a JSON file.

    Raises:
        UsageError: It cannot be read.
        DataError: It is no JSON.
    """
    try:
        with open(path, encoding='utf-8') as file:
            return json.load(file)
    except OSError as error:
        raise UsageError(
            f'{what} "{path}" cannot be read ({error.strerror})'
        ) from error
    except (ValueError, RecursionError) as error:
        why = 'nests too deeply: export it again'
        if isinstance(error, UnicodeDecodeError):
            why = 'is not a text file: give the JSON file'
        elif isinstance(error, json.JSONDecodeError):
            ended = error.pos >= Path(path).stat().st_size - 1
            cut = 'it ends too early' if ended else error.msg
            why = (
                f'is not JSON (line {error.lineno}: {cut}): export or '
                'download it again'
            )
        raise DataError(f'{what} "{path}" {why}') from error


def read_keypoints(
    raw: Any, joints: int, where: str, faults: Faults
) -> list[float] | None:
    """3K numbers with v of 0, 1 or 2; None where they cannot be used.

    Args:
        raw: Of the file.
        joints: K; 0 if open.
        where: JSON path.
        faults: Modified.
    """
    if (raw is None or raw == []) and joints:
        return [0.0] * (3 * joints)  # COCO has people without keypoints
    if raw is None or raw == []:
        faults.add(where, 'it has no keypoints')
        return None
    if not isinstance(raw, list):
        faults.add(where, f'keypoints are a {kind_of(raw)}', raw)
        return None
    if all(isinstance(p, list) and len(p) == 3 for p in raw):
        faults.add(where, 'keypoints are nested triples')
        raw = [value for point in raw for value in point]
    if joints and len(raw) != 3 * joints:
        text = f'keypoints are not {joints} triples'
        if len(raw) == 2 * joints:
            text += ' but pairs (x, y without v)'
        faults.add(f'{where}: {len(raw)} numbers', text)
        return None
    if len(raw) % 3 or not all(map(is_number, raw)):
        faults.add(where, 'keypoints are not triples of numbers')
        return None
    out = [float(v) for v in raw]
    for k in range(2, len(out), 3):
        x, y, v = out[k - 2 : k + 1]
        if not (math.isfinite(x) and math.isfinite(y)):
            if v:
                faults.add(where, 'a keypoint is not finite')
            out[k - 2 : k + 1] = [0.0, 0.0, 0.0]
        elif v not in (0.0, 1.0, 2.0) or isinstance(raw[k], bool):
            faults.add(f'{where}[{k}]', 'a flag v is not 0, 1 or 2', raw[k])
            out[k] = 2.0 if v >= 2 else 1.0 if v > 0 else 0.0
    return out


def read_box(
    raw: Any, keypoints: Sequence[float], where: str, faults: Faults
) -> list[float] | None:
    """x, y, width and height; None where there is no box to be taken."""
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
        faults.add(f'{where}.bbox', text, raw, LEFT_OUT)
        return None
    faults.add(f'{where}.bbox', text, raw)
    return [*points.min(axis=0).tolist(), *np.ptp(points, axis=0).tolist()]


def read_area(
    area: Any, box: Sequence[float], where: str, faults: Faults
) -> float:
    """A positive number."""
    if is_finite(area) and area > 0:
        return float(area)
    what = 'missing' if area is None else 'no positive number'
    faults.add(f'{where}.area', f'area is {what}', area)
    return AREA_RATIO * box[2] * box[3]


def read_segment(
    raw: Any, size: list[int | None], where: str, faults: Faults
) -> Any:
    """Polygons or run lengths; None where there are none to use.

    Args:
        raw: Of the file.
        size: Width and height of the image, None if unknown.
        where: JSON path of the person.
        faults: Modified.
    """
    if raw is None or raw == []:
        return None
    where = f'{where}.segmentation'
    if isinstance(raw, Mapping):
        given = raw.get('size')
        if 'counts' not in raw or not isinstance(given, list):
            faults.add(where, 'run lengths lack counts or size')
            return None
        if size[0] and given != size[::-1]:
            text = 'run lengths are of another size than the image'
            faults.add(f'{where}.size', text, given)
            return None
        return dict(raw)
    if isinstance(raw, list) and all(map(is_number, raw)):
        faults.add(where, 'a polygon is not in a list')
        raw = [raw]
    rings = raw if isinstance(raw, list) else [raw]
    good = [
        ring
        for ring in rings
        if isinstance(ring, list)
        and len(ring) >= 6
        and len(ring) % 2 == 0
        and all(map(is_finite, ring))
    ]
    if len(good) < len(rings):
        faults.add(where, 'a polygon is not pairs of 3 points or more', raw)
    return good or None


def read_id(value: Any, number: int, where: str, faults: Faults) -> int:
    """A whole number; others are replaced."""
    whole = as_whole(value)
    if whole is None or not 0 <= whole < MAX_ID:
        faults.add(where, 'an id is no whole number from 0 on', value)
        return MAX_ID + number
    if not isinstance(value, int):
        faults.add(where, f'an id is a {kind_of(value)}', value)
    return whole


def as_whole(value: Any) -> int | None:
    """A whole number, also from a text or a float."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.strip().isdigit():
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) else None


def is_number(value: Any) -> TypeGuard[float]:
    """Also NaN and infinite ones, but no whole number beyond floats."""
    return isinstance(value, float) or (
        isinstance(value, int) and abs(value) <= MAX_ID
    )


def is_finite(value: Any) -> TypeGuard[float]:
    """Whether it is a finite number."""
    return is_number(value) and math.isfinite(value)


def is_box(value: Any) -> TypeGuard[list[float]]:
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
