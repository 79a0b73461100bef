"""Fields of a person in a COCO-style file: read, repaired or left out."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

from mmpose_occlusion.errors import UsageError

from .faults import LEFT_OUT, REPAIRED, Faults

AREA_OF_BOX = 0.53
"""Area of a person as a fraction of the box, where a file does not say it: the
usual factor for data sets without segments (CrowdPose, AIC)."""

MAX_ID = 2**53
"""Greatest whole number that JSON readers keep exactly."""


def read_json(path: str | Path, what: str) -> Any:
    """The content of a JSON file.

    Raises:
        UsageError: It cannot be read or is no JSON.
    """
    try:
        with open(path, encoding='utf-8') as file:
            return json.load(file)
    except json.JSONDecodeError as error:
        size = Path(path).stat().st_size
        cut = 'it ends too early' if error.pos >= size - 1 else error.msg
        raise UsageError(
            f'{what} "{path}" is not JSON (line {error.lineno}: {cut}): '
            'export or download it again'
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(
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
        faults.add(where, f'keypoints are a {kind_of(raw)}', LEFT_OUT)
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
        text = f'{len(raw)} numbers instead of {3 * joints}'
        if len(raw) == 2 * joints:
            text += ' (x, y without v)'
        faults.add(where, f'keypoints have {text}', LEFT_OUT)
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
                where,
                f'a flag v is {raw[k]!r}',
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
    usable = (
        isinstance(raw, list)
        and len(raw) == 4
        and all(is_number(v) and math.isfinite(v) for v in raw)
    )
    if usable and raw[2] > 0 and raw[3] > 0:
        return [float(v) for v in raw]
    shown = 'missing' if raw is None else json.dumps(raw)[:40]
    xs = [x for x, v in zip(keypoints[::3], keypoints[2::3], strict=True) if v]
    ys = [
        y for y, v in zip(keypoints[1::3], keypoints[2::3], strict=True) if v
    ]
    width, height = (max(c) - min(c) if c else 0 for c in (xs, ys))
    if width <= 0 or height <= 0:
        faults.add(where, f'bbox is {shown}', LEFT_OUT)
        return None
    faults.add(
        where,
        f'bbox is {shown}',
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
        f'{where}.area',
        'area is missing' if area is None else f'area is {area!r}'[:40],
        REPAIRED,
        f'{AREA_OF_BOX} of the box is taken',
    )
    return AREA_OF_BOX * box[2] * box[3]


def read_segment(raw: Any, where: str, faults: Faults) -> Any:
    """Polygons or run lengths; None where there are none to use."""
    if raw is None or raw == []:
        return None
    where = f'{where}.segmentation'
    if isinstance(raw, Mapping):
        if 'counts' in raw and len(raw.get('size') or ()) == 2:
            return dict(raw)
        faults.add(where, 'run lengths lack counts or size', LEFT_OUT)
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
            where, 'a polygon is not pairs of 3 points or more', LEFT_OUT
        )
    return good or None


def read_id(value: Any, number: int, where: str, faults: Faults) -> int:
    whole = as_whole(value)
    if whole is None or not 0 <= whole < MAX_ID:
        text = 'an id is missing' if value is None else f'an id is {value!r}'
        faults.add(
            where, text[:50], REPAIRED, 'its number in the file is taken'
        )
        return MAX_ID + number
    if not isinstance(value, int):
        faults.add(
            where, 'an id is a text', REPAIRED, 'it is read as a number'
        )
    return whole


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
    return whole if whole and whole > 0 else None


def is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float)


def as_key(value: Any) -> Any:
    return value if isinstance(value, str | int | float) else None


def kind_of(value: Any) -> str:
    names = {list: 'list', dict: 'dict', str: 'text', type(None): 'null'}
    return names.get(type(value), type(value).__name__)
