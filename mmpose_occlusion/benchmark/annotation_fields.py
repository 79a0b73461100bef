"""Fields of a person in a COCO-style file: read, repaired or left out; and
the faults of data files, of which each kind is said once, with examples."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

from mmpose_occlusion.errors import DataError, UsageError

AREA_OF_BOX = 0.53
"""Area of a person as a fraction of the box, where a file does not say it: the
usual factor for data sets without segments (CrowdPose, AIC)."""

NO = 'it is not used'

MAX_ID = 2**53
"""Greatest whole number that JSON readers keep exactly."""

REPAIRED = 'repaired'
LEFT_OUT = 'left out'
NOTED = 'noted'

EXAMPLES = 3


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
        self, where: str, text: str, effect: str, remedy: str = ''
    ) -> None:
        """Count one in."""
        fault = self._known.setdefault(
            (text, effect), Fault(text, effect, remedy)
        )
        fault.count += 1
        if len(fault.where) < EXAMPLES and where:
            fault.where.append(where)

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
    except json.JSONDecodeError as error:
        size = Path(path).stat().st_size
        cut = 'it ends too early' if error.pos >= size - 1 else error.msg
        raise DataError(
            f'{what} "{path}" is not JSON (line {error.lineno}: {cut}): '
            'export or download it again'
        ) from error
    except RecursionError as error:
        raise DataError(
            f'{what} "{path}" nests too deeply: export it again'
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(
            f'{what} "{path}" is not a text file: give the JSON file'
        ) from error
    except OSError as error:
        raise UsageError(
            f'{what} "{path}" cannot be read ({error.strerror})'
        ) from error


def read_keypoints(
    person: Mapping, joints: int, where: str, faults: Faults
) -> list[float] | None:
    """3K numbers with v of 0, 1 or 2; None where they cannot be used."""
    raw = person.get('keypoints')
    where = f'{where}.keypoints'
    if raw is None or raw == []:
        if joints:  # COCO has people without keypoints
            return [0.0] * (3 * joints)
        faults.add(where, 'it has no keypoints', LEFT_OUT)
        return None
    if not isinstance(raw, list):
        faults.add(at(where, raw), f'keypoints are a {kind_of(raw)}', LEFT_OUT)
        return None
    if all(isinstance(p, list) and len(p) == 3 for p in raw):
        faults.add(
            where,
            'keypoints are nested triples',
            REPAIRED,
            'they are read as a flat list',
        )
        raw = [value for point in raw for value in point]
    if joints and len(raw) != 3 * joints:
        text = f'keypoints are not {joints} triples'
        if len(raw) == 2 * joints:
            text += ' but pairs (x, y without v)'
        faults.add(f'{where}: {len(raw)} numbers', text, LEFT_OUT)
        return None
    if len(raw) % 3 or not all(is_number(v) for v in raw):
        faults.add(where, 'keypoints are not triples of numbers', LEFT_OUT)
        return None
    out = [float(v) for v in raw]
    for k in range(2, len(out), 3):
        x, y, v = out[k - 2 : k + 1]
        if not (math.isfinite(x) and math.isfinite(y)):
            if v:
                faults.add(
                    where,
                    'a keypoint is not finite',
                    REPAIRED,
                    'it counts as not labelled',
                )
            out[k - 2 : k + 1] = [0.0, 0.0, 0.0]
        elif v not in (0.0, 1.0, 2.0) or isinstance(raw[k], bool):
            flag = 2.0 if v >= 2 else 1.0 if v > 0 else 0.0
            faults.add(
                at(f'{where}[{k}]', raw[k]),
                'a flag v is not 0, 1 or 2',
                REPAIRED,
                'v <= 0 is not labelled, v >= 2 visible, others labelled '
                'and occluded',
            )
            out[k] = flag
    return out


def read_box(
    raw: Any, keypoints: Sequence[float], where: str, faults: Faults
) -> list[float] | None:
    where = f'{where}.bbox'
    text = 'has no width or height'
    if raw is None:
        text = 'is missing'
    elif not is_box(raw):
        text = 'is not four numbers'
    elif raw[2] > 0 and raw[3] > 0:
        return [float(v) for v in raw]
    where = at(where, raw)
    xs = [x for x, v in zip(keypoints[::3], keypoints[2::3], strict=True) if v]
    ys = [
        y for y, v in zip(keypoints[1::3], keypoints[2::3], strict=True) if v
    ]
    width, height = (max(c) - min(c) if c else 0 for c in (xs, ys))
    if width <= 0 or height <= 0:
        faults.add(where, f'bbox {text}', LEFT_OUT)
        return None
    faults.add(
        where,
        f'bbox {text}',
        REPAIRED,
        'the box around the labelled keypoints is taken',
    )
    return [min(xs), min(ys), width, height]


def read_area(
    person: Mapping, box: Sequence[float], where: str, faults: Faults
) -> float:
    area = person.get('area')
    if is_number(area) and math.isfinite(area) and area > 0:
        return float(area)
    faults.add(
        at(f'{where}.area', area),
        'area is missing' if area is None else 'area is no positive number',
        REPAIRED,
        f'{AREA_OF_BOX} of the box is taken',
    )
    return AREA_OF_BOX * box[2] * box[3]


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
            faults.add(where, 'run lengths lack counts or size', REPAIRED, NO)
        elif size[0] and given != size[::-1]:
            faults.add(
                at(f'{where}.size', given),
                'run lengths are of another size than the image',
                REPAIRED,
                NO,
            )
        else:
            return dict(raw)
        return None
    if isinstance(raw, list) and all(is_number(v) for v in raw):
        faults.add(
            where,
            'a polygon is not in a list',
            REPAIRED,
            'it is taken as the only one',
        )
        raw = [raw]
    good = [
        ring
        for ring in (raw if isinstance(raw, list) else [])
        if isinstance(ring, list)
        and len(ring) >= 6
        and len(ring) % 2 == 0
        and all(is_number(v) and math.isfinite(v) for v in ring)
    ]
    if len(good) < (len(raw) if isinstance(raw, list) else 1):
        faults.add(
            at(where, raw),
            'a polygon is not pairs of 3 points or more',
            REPAIRED,
            NO,
        )
    return good or None


def read_id(value: Any, number: int, where: str, faults: Faults) -> int:
    """A whole number; others are replaced."""
    whole = as_whole(value)
    if whole is None or not 0 <= whole < MAX_ID:
        faults.add(
            at(where, value),
            'an id is no whole number from 0 on',
            REPAIRED,
            'one of its own is given',
        )
        return MAX_ID + number
    if not isinstance(value, int):
        faults.add(
            at(where, value),
            f'an id is a {kind_of(value)}',
            REPAIRED,
            'it is read as a number',
        )
    return whole


def at(where: str, value: Any) -> str:
    """A JSON path with the value there, as the file writes it."""
    return where if value is None else f'{where} = {json.dumps(value)[:40]}'


def as_whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.strip().isdigit():
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) else None


def as_positive(value: Any) -> int | None:
    whole = as_whole(value)
    return whole if whole and 0 < whole <= MAX_ID else None


def is_box(value: Any) -> TypeGuard[list[float]]:
    """Whether it is a list of four finite numbers."""
    return (
        isinstance(value, list)
        and len(value) == 4
        and all(is_number(v) and math.isfinite(v) for v in value)
    )


def reaches_beyond(box: Sequence[float], size: Sequence[int | None]) -> bool:
    """Whether a bbox of corners was perhaps written as x, y, width, height:
    it reaches far beyond the image, and its last values exceed its first."""
    x, y, w, h = box
    return size[0] is not None and w > x and h > y and x + w > 1.1 * size[0]


def note_corners(faults: Faults, where: str, beyond: int, boxes: int) -> None:
    """Note bboxes that look like corners, if they are many."""
    if beyond > boxes / 3:
        faults.add(
            where,
            f'{beyond:,} of {boxes:,} boxes reach far beyond their images',
            NOTED,
            'they look like corners x1, y1, x2, y2; COCO has x, y, width, '
            'height',
        )


def is_number(value: Any) -> TypeGuard[float]:
    """Also NaN and infinite ones, but no whole number beyond floats."""
    return isinstance(value, float) or (
        isinstance(value, int) and abs(value) <= MAX_ID
    )


def as_key(value: Any) -> Any:
    return value if isinstance(value, str | int | float) else None


def kind_of(value: Any) -> str:
    names = {list: 'list', dict: 'dict', str: 'text', type(None): 'null'}
    return names.get(type(value), type(value).__name__)
