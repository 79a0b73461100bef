"""COCO-style annotation files, read and checked in one pass.

Every tool that opens data without MMPose reads them here. What has a harmless
meaning is repaired and counted, what has none is left out and counted; only a
file that holds no usable person is refused. :class:`.faults.Fault` says which.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

from mmpose_occlusion.errors import UsageError

from .faults import LEFT_OUT, NOTED, REPAIRED, UNUSABLE, Faults

AREA_OF_BOX = 0.53
"""Area of a person as a fraction of the box, where a file does not say it: the
usual factor for data sets without segments (CrowdPose, AIC)."""

MAX_ID = 2**53
"""Greatest whole number that JSON readers keep exactly."""


@dataclass
class Annotations:
    """People and images of a file, repaired.

    Args:
        path: Of the file.
        joints: Names, from the category; numbers where it has none.
        links: Pairs of joint indices, from the category's skeleton.
        category: Id of the people's category.
        images: Id -> ``file_name``, ``width``, ``height`` (None unknown).
        people: Each with ``id``, ``image_id``, ``category_id``, ``bbox``
            (xywh), ``area``, ``iscrowd``, ``num_keypoints`` and ``keypoints``
            (3K numbers, v of 0, 1 or 2), and ``segmentation`` where usable.
        faults: What was found.
    """

    path: str
    joints: tuple[str, ...] = ()
    links: list[tuple[int, int]] = field(default_factory=list)
    category: int = 1
    images: dict[int, dict[str, Any]] = field(default_factory=dict)
    people: list[dict[str, Any]] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)


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


def read_annotations(path: str | Path) -> Annotations:
    """Read a COCO-style file of people with keypoints.

    Raises:
        UsageError: Nothing in it can be used; one sentence says why.
    """
    path = str(path)
    raw = read_json(path, 'annotation file')
    out = Annotations(path)
    if not isinstance(raw, Mapping):
        raise UsageError(
            f'annotation file "{path}" holds a {_kind(raw)}, and COCO\'s '
            'format is a dict of "images", "annotations" and "categories"'
            + (
                ': is it a file of results or detections?'
                if isinstance(raw, list)
                else ''
            )
        )
    for key in ('images', 'annotations'):
        if not isinstance(raw.get(key), list) or not raw[key]:
            raise UsageError(
                f'annotation file "{path}" has no "{key}": export it in '
                "COCO's keypoint format"
            )
    joints = _read_categories(raw, out)
    ids = _read_images(raw['images'], out)
    _read_people(raw['annotations'], joints, ids, out)
    if not any(p['num_keypoints'] for p in out.people):
        why = '; '.join(f.sentence() for f in out.faults) or 'there are none'
        raise UsageError(
            f'annotation file "{path}" has no person with a labelled '
            f'keypoint that can be used ({why})'
        )
    return out


def _read_categories(raw: Mapping, out: Annotations) -> int:
    """Joint names and links; the number of joints, 0 if open."""
    categories = raw.get('categories')
    found = [
        c
        for c in (categories if isinstance(categories, list) else [])
        if isinstance(c, Mapping)
    ]
    posed = [c for c in found if c.get('keypoints')]
    if not posed:
        out.faults.add(
            '$.categories',
            'no category names its keypoints',
            REPAIRED,
            'they are numbered; add "keypoints" to the category',
        )
        out.category = _whole(found[0].get('id')) or 1 if found else 1
        return 0
    if len(posed) > 1:
        out.faults.add(
            '$.categories',
            f'{len(posed)} categories have keypoints',
            NOTED,
            f'people of "{posed[0].get("name")}" are taken',
        )
    names = [str(name) for name in posed[0]['keypoints']]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise UsageError(
            f'annotation file "{out.path}" names the keypoint '
            f'"{min(twice)}" twice: give each its own name'
        )
    out.joints = tuple(names)
    out.category = _whole(posed[0].get('id')) or 0
    for link in posed[0].get('skeleton') or []:
        pair = [_whole(x) for x in link] if isinstance(link, list) else []
        if len(pair) == 2 and all(x and 1 <= x <= len(names) for x in pair):
            out.links.append((pair[0] - 1, pair[1] - 1))  # type: ignore[operator]
        else:
            out.faults.add(
                '$.categories[].skeleton',
                'a link names no keypoint (they count from 1)',
                LEFT_OUT,
            )
    return len(names)


def _read_images(raw: Sequence, out: Annotations) -> dict[Any, int]:
    """Images; the ids as the file writes them -> whole numbers."""
    ids: dict[Any, int] = {}
    for i, image in enumerate(raw):
        where = f'$.images[{i}]'
        if not isinstance(image, Mapping) or 'id' not in image:
            out.faults.add(where, 'an image has no id', LEFT_OUT)
            continue
        name = image.get('file_name')
        if not isinstance(name, str) or not name:
            out.faults.add(where, 'an image has no file_name', LEFT_OUT)
            continue
        if '\\' in name:
            out.faults.add(
                where,
                'a file_name has backslashes',
                REPAIRED,
                'they are read as slashes',
            )
            name = name.replace('\\', '/')
        key = _id(image['id'], len(ids), where, out.faults)
        if image['id'] in ids or key in out.images:
            raise UsageError(
                f'annotation file "{out.path}" has two images of the id '
                f'{image["id"]!r} ({where}): give each its own'
            )
        ids[image['id']] = key
        size = [_positive(image.get(k)) for k in ('width', 'height')]
        if None in size:
            out.faults.add(
                where,
                'an image has no width and height',
                REPAIRED,
                'they are read from the picture file',
            )
            size = [None, None]
        out.images[key] = dict(file_name=name, width=size[0], height=size[1])
    return ids


def _read_people(
    raw: Sequence, joints: int, images: Mapping, out: Annotations
) -> None:
    faults = out.faults
    seen: set[int] = set()
    others = 0
    for i, person in enumerate(raw):
        where = f'$.annotations[{i}]'
        if not isinstance(person, Mapping):
            faults.add(where, 'an annotation is no dict', LEFT_OUT)
            continue
        category = person.get('category_id', out.category)
        if category != out.category and str(category) != str(out.category):
            others += 1
            continue
        image = images.get(_hashable(person.get('image_id')))
        if image is None:
            image = images.get(_whole(person.get('image_id')))
        if image is None:
            faults.add(where, 'its image_id is of no image', LEFT_OUT)
            continue
        crowd = bool(person.get('iscrowd', 0))
        keypoints = _keypoints(person, joints, where, faults)
        if keypoints is None:
            continue
        if not joints:
            joints = len(keypoints) // 3
            out.joints = tuple(f'keypoint_{k}' for k in range(joints))
        box = _box(person.get('bbox'), keypoints, where, faults)
        if box is None:
            continue
        key = _id(person.get('id'), i, f'{where}.id', faults)
        if key in seen:
            raise UsageError(
                f'annotation file "{out.path}" has two annotations of the id '
                f'{person.get("id")!r} ({where}): give each its own'
            )
        seen.add(key)
        labelled = sum(v > 0 for v in keypoints[2::3])
        said = person.get('num_keypoints')
        if said != labelled:
            what = 'is missing' if said is None else 'is wrong'
            faults.add(
                where,
                f'num_keypoints {what}',
                REPAIRED,
                'the labelled keypoints are counted',
            )
        entry = dict(
            id=key,
            image_id=image,
            category_id=out.category,
            bbox=box,
            area=_area(person, box, where, faults),
            iscrowd=int(crowd),
            num_keypoints=labelled,
            keypoints=keypoints,
        )
        segment = _segment(person.get('segmentation'), where, faults)
        if segment is not None:
            entry['segmentation'] = segment
        out.people.append(entry)
    if others:
        faults.add(
            '$.annotations',
            f'{others:,} annotations are of other categories',
            NOTED,
            'they are not used',
        )


def _keypoints(
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
        faults.add(where, f'keypoints are a {_kind(raw)}', LEFT_OUT)
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
    if len(raw) % 3 or not all(_is_number(v) for v in raw):
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


def _box(
    raw: Any, keypoints: Sequence[float], where: str, faults: Faults
) -> list[float] | None:
    where = f'{where}.bbox'
    usable = (
        isinstance(raw, list)
        and len(raw) == 4
        and all(_is_number(v) and math.isfinite(v) for v in raw)
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


def _area(
    person: Mapping, box: Sequence[float], where: str, faults: Faults
) -> float:
    area = person.get('area')
    if _is_number(area) and math.isfinite(area) and area > 0:
        return float(area)
    faults.add(
        f'{where}.area',
        'area is missing' if area is None else f'area is {area!r}'[:40],
        REPAIRED,
        f'{AREA_OF_BOX} of the box is taken',
    )
    return AREA_OF_BOX * box[2] * box[3]


def _segment(raw: Any, where: str, faults: Faults) -> Any:
    """Polygons or run lengths; None where there are none to use."""
    if raw is None or raw == []:
        return None
    where = f'{where}.segmentation'
    if isinstance(raw, Mapping):
        if 'counts' in raw and len(raw.get('size') or ()) == 2:
            return dict(raw)
        faults.add(where, 'run lengths lack counts or size', LEFT_OUT)
        return None
    if isinstance(raw, list) and all(_is_number(v) for v in raw):
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
        and all(_is_number(v) and math.isfinite(v) for v in ring)
    ]
    if len(good) < (len(raw) if isinstance(raw, list) else 1):
        faults.add(
            where, 'a polygon is not pairs of 3 points or more', LEFT_OUT
        )
    return good or None


@dataclass
class Detections:
    """A detector's boxes.

    Args:
        image_ids: N ids of known images.
        boxes: N boxes xywh.
        scores: N.
        faults: What was found.
    """

    image_ids: list[int] = field(default_factory=list)
    boxes: list[list[float]] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)


def read_detections(
    path: str | Path, annotations: Annotations, category: int | None = None
) -> Detections:
    """Read a list of boxes as COCO's results have them.

    Args:
        path: Of the file.
        annotations: Whose images they are of.
        category: Of people in this file; that of the annotations by default.

    Raises:
        UsageError: None of them can be used.
    """
    raw = read_json(path, 'detection file')
    if not isinstance(raw, list):
        raise UsageError(
            f'detection file "{path}" holds a {_kind(raw)}, and it should be '
            'a list of dict(image_id=..., bbox=[x, y, w, h], score=...)'
        )
    out = Detections()
    wanted = annotations.category if category is None else category
    others = 0
    for i, entry in enumerate(raw):
        where = f'$[{i}]'
        if not isinstance(entry, Mapping):
            out.faults.add(where, 'a detection is no dict', LEFT_OUT)
            continue
        if str(entry.get('category_id', wanted)) != str(wanted):
            others += 1
            continue
        image = _whole(entry.get('image_id'))
        if image not in annotations.images:
            out.faults.add(where, 'its image_id is of no image', LEFT_OUT)
            continue
        box, score = entry.get('bbox'), entry.get('score')
        if (
            not isinstance(box, list)
            or len(box) != 4
            or not all(_is_number(v) and math.isfinite(v) for v in box)
        ):
            out.faults.add(where, 'bbox is not four numbers', LEFT_OUT)
            continue
        if box[2] <= 0 or box[3] <= 0:
            out.faults.add(where, 'bbox is empty', LEFT_OUT)
            continue
        if not _is_number(score) or not math.isfinite(score):
            out.faults.add(where, 'score is not a number', LEFT_OUT)
            continue
        assert image is not None
        out.image_ids.append(image)
        out.boxes.append([float(v) for v in box])
        out.scores.append(float(score))
    if others:
        out.faults.add(
            '$',
            f'{others:,} detections are of other categories',
            NOTED,
            'they are not used',
        )
    _note_corners(out, annotations)
    if not out.boxes:
        why = '; '.join(f.sentence() for f in out.faults) or 'it is empty'
        raise UsageError(
            f'detection file "{path}" has no box that can be used ({why})'
        )
    return out


def _note_corners(detections: Detections, annotations: Annotations) -> None:
    """Boxes given as xyxy reach beyond their images when read as xywh."""
    beyond = known = 0
    for key, (x, y, w, h) in zip(
        detections.image_ids, detections.boxes, strict=True
    ):
        image = annotations.images[key]
        if image['width']:
            known += 1
            beyond += x + w > 1.1 * image['width'] and w > x and h > y
    if known and beyond > known / 3:
        detections.faults.add(
            '$[].bbox',
            f'{beyond:,} of {known:,} boxes reach far beyond their images',
            NOTED,
            'they look like corners x1, y1, x2, y2; COCO has x, y, width, '
            'height',
        )


def check_images(
    annotations: Annotations, folder: str | Path, decode: bool = False
) -> dict[int, Path]:
    """Find the pictures.

    Args:
        annotations: Its faults get those of the pictures.
        folder: That the file names are below.
        decode: Whether to decode each one, which finds truncated files.

    Returns:
        Image id -> path of those that can be used.
    """
    import cv2

    found = {}
    for key, image in annotations.images.items():
        path = Path(folder) / image['file_name']
        text = _fault_of(path)
        if text is None and decode:
            picture = cv2.imread(str(path))
            if picture is None:
                text = 'a picture cannot be decoded'
            elif image['width'] and picture.shape[:2] != (
                image['height'],
                image['width'],
            ):
                text = None
                annotations.faults.add(
                    str(path),
                    'a picture has another size than the file says',
                    NOTED,
                    'the size of the picture counts',
                )
        if text is None:
            found[key] = path
        else:
            annotations.faults.add(str(path), text, LEFT_OUT)
    if not found:
        annotations.faults.add(
            str(folder),
            'none of the pictures can be used',
            UNUSABLE,
            'give the folder that the file names are below',
        )
    return found


def _fault_of(path: Path) -> str | None:
    if path.is_symlink() and not path.exists():
        return 'a picture is a link to nothing'
    if path.is_dir():
        return 'a picture is a folder'
    if not path.is_file():
        return 'a picture does not exist'
    if not path.stat().st_size:
        return 'a picture is an empty file'
    return None


def _id(value: Any, number: int, where: str, faults: Faults) -> int:
    whole = _whole(value)
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


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.strip().isdigit():
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) else None


def _positive(value: Any) -> int | None:
    whole = _whole(value)
    return whole if whole and whole > 0 else None


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float)


def _hashable(value: Any) -> Any:
    return value if isinstance(value, str | int | float) else None


def _kind(value: Any) -> str:
    names = {list: 'list', dict: 'dict', str: 'text', type(None): 'null'}
    return names.get(type(value), type(value).__name__)
