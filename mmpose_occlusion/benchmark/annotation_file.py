"""COCO-style annotation files, read and checked.

Every tool that opens data reads them here. What has a harmless meaning is
repaired and counted, what has none is left out and counted; only a file that
holds no usable person is refused.
"""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mmpose_occlusion.errors import DataError
from mmpose_occlusion.files import read_json
from mmpose_occlusion.metrics.annotations import AREA_RATIO, WHOLE_BODY

from .faults import (
    MAX_ID,
    NOTED,
    Faults,
    UnusableError,
    as_dict,
    as_whole,
    fault_of_box,
    is_box,
    is_finite,
    is_number,
)

FILLED = ('area', 'iscrowd', 'num_keypoints')
"""What MMPose fills in, too, where an annotation lacks it."""


@dataclass
class Annotations:
    """People and images of a file, repaired, with the file's other fields.

    Args:
        content: Of the file, as it is.
        joints: Names, from the category; numbers where it has none.
        parts: Keys of a person's keypoints -> how many: ``keypoints``, and
            those of :data:`.WHOLE_BODY` if any person has them.
        links: Pairs of joint indices, from the category's skeleton.
        category: Id of the people's category.
        image_ids: The file's id as a whole number, or its ``repr`` -> id.
        images: Id -> ``id``, ``file_name``, ``width``, ``height`` (None
            unknown).
        people: Each with ``id``, ``image_id``, ``category_id``, ``bbox``
            (xywh), ``area``, ``iscrowd``, ``num_keypoints``, those of
            ``parts`` (x, y and v of 0, 1 or 2), and ``segmentation`` where
            usable.
        as_given: Whether MMPose understands each annotation as it is, and
            those of people in the same way.
    """

    path: str
    content: Any = field(repr=False)
    joints: tuple[str, ...] = ()
    parts: dict[str, int] = field(default_factory=dict)
    links: list[tuple[int, int]] = field(default_factory=list)
    category: int = 1
    image_ids: dict[Any, int] = field(default_factory=dict, repr=False)
    images: dict[int, dict[str, Any]] = field(default_factory=dict)
    people: list[dict[str, Any]] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    as_given: bool = True

    def image_of(self, entry: Mapping, say: Callable) -> int | None:
        """Image id of an annotation or detection; None for one of another
        category, which is noted."""
        if as_whole(entry.get('category_id', self.category)) != self.category:
            say('it is of another category: it is not used', effect=NOTED)
            return None
        given = entry.get('image_id')
        image = self.image_ids.get(_id_key(given))
        if image not in self.images:
            raise UnusableError(
                'its image_id is of no image', '.image_id', given
            )
        return image

    def error(self, what: str) -> DataError:
        """An error that names the file."""
        return DataError(f'annotation file "{self.path}" {what}')


def read_annotations(path: str | Path) -> Annotations:
    """Read a COCO-style file of people with keypoints.

    Raises:
        UsageError: It cannot be opened.
        DataError: Nothing in it can be used; one sentence says why.
    """
    out = Annotations(str(path), read_json(path, 'annotation file'))
    content, faults = out.content, out.faults
    if not isinstance(content, dict):
        raise out.error(
            f"holds a {type(content).__name__}, and COCO's format is a dict "
            'of "images", "annotations" and "categories": results, detections '
            "and MPII's files are lists"
        )
    for key in ('images', 'annotations'):
        if not _list(content.get(key)):
            raise out.error(
                f'has no "{key}": export it in COCO\'s keypoint format'
            )
    _read_category(out)
    for i, image in enumerate(content['images']):
        with faults.entry(f'$.images[{i}]') as say:
            _read_image(out, as_dict(image), say)
    out.parts = dict(keypoints=len(out.joints))
    if any(WHOLE_BODY.keys() & p.keys() for p in _dicts(content, key)):
        out.parts |= WHOLE_BODY
    ids: set[int] = set()
    for i, person in enumerate(content[key]):
        with faults.entry(f'$.annotations[{i}]') as say:
            _read_person(out, as_dict(person), ids, say)
    _note_corners(out)
    if all(p['iscrowd'] or not p['num_keypoints'] for p in out.people):
        why = faults.summary() or 'all are crowds or without labels'
        raise out.error(
            'has no person with a labelled keypoint that can be used '
            f'({why}): export it again'
        )
    return out


def _id_key(value: Any) -> Any:
    whole = as_whole(value)
    return repr(value) if whole is None else whole


def _list(value: Any) -> list:
    return value if isinstance(value, list) else []


def _dicts(content: Mapping, key: str) -> list[dict]:
    return [e for e in _list(content.get(key)) if isinstance(e, dict)]


def _read_category(out: Annotations) -> None:
    """Id, joint names and links."""
    listed = _dicts(out.content, 'categories')
    posed = [c for c in listed if _list(c.get('keypoints'))]
    person = (posed or listed or [{}])[0]
    whole = as_whole(person.get('id'))
    out.category = 1 if whole is None else whole
    if not posed:
        out.faults.add(
            '$.categories',
            'no category names its keypoints: they are numbered; add '
            '"keypoints" to the category',
        )
        return
    if len(posed) > 1:
        out.faults.add(
            '$.categories',
            f'{len(posed)} categories have keypoints: people of '
            f'"{person.get("name")}" are taken',
            effect=NOTED,
        )
    out.joints = tuple(map(str, person['keypoints']))
    twice = {name for name in out.joints if out.joints.count(name) > 1}
    if twice:
        raise out.error(
            f'names the keypoint "{min(twice)}" twice: give each its own name'
        )
    for link in _list(person.get('skeleton')):
        ends = [as_whole(x) or 0 for x in _list(link)]
        if len(ends) == 2 and all(0 < x <= len(out.joints) for x in ends):
            out.links.append((ends[0] - 1, ends[1] - 1))
        else:
            text = 'a link names no keypoint: it is not used'
            out.faults.add('$.categories[].skeleton', text)


def _read_image(out: Annotations, image: dict, say: Callable) -> None:
    name = image.get('file_name')
    if 'id' not in image or not isinstance(name, str) or not name:
        raise UnusableError('an image has no id or no file_name')
    if '\\' in name:
        say('a file_name has backslashes: they are read as slashes')
    key = _read_id(out, 'images', image['id'], out.image_ids, say)
    width, height = (as_whole(image.get(k)) for k in ('width', 'height'))
    if not all(0 < (side or 0) <= MAX_ID for side in (width, height)):
        width = height = None
        say('an image has no width and height: they are read from its file')
    out.image_ids[_id_key(image['id'])] = key
    name = name.replace('\\', '/')
    read = dict(id=key, file_name=name, width=width, height=height)
    out.images[key] = image | read


def _read_person(
    out: Annotations, person: dict, ids: set[int], say: Callable
) -> None:
    image = out.image_of(person, say)
    if image is None:
        out.as_given &= _is_readable(person, len(out.joints))
        return
    points = {
        key: _read_keypoints(person.get(key), number, f'.{key}', say)
        for key, number in out.parts.items()
    }
    body = points['keypoints']
    if not out.joints:
        out.joints = tuple(f'keypoint_{k}' for k in range(len(body) // 3))
        out.parts['keypoints'] = len(out.joints)
    box = _read_box(person.get('bbox'), body, say)
    key = _read_id(out, 'annotations', person.get('id'), ids, say)
    ids.add(key)
    labelled = sum(v > 0 for v in body[2::3])
    if (said := person.get('num_keypoints')) != labelled:
        text = 'num_keypoints is wrong: the labelled ones are counted'
        say(text, '.num_keypoints', said)
    area: Any = person.get('area')
    if not (is_finite(area) and area > 0):
        text = f'area is not positive: {AREA_RATIO} of the box is taken'
        say(text, '.area', area)
        area = AREA_RATIO * box[2] * box[3]
    read = dict(
        points,
        id=key,
        image_id=image,
        category_id=out.category,
        bbox=box,
        area=float(area),
        iscrowd=int(bool(person.get('iscrowd', 0))),
        num_keypoints=labelled,
    )
    out.as_given &= all(
        person.get(k) == v or (k in FILLED and k not in person)
        for k, v in read.items()
    )
    size = [out.images[image][k] for k in ('height', 'width')]
    made = person | read
    segment = _read_segment(made.pop('segmentation', None), size, say)
    if segment:
        made['segmentation'] = segment
    out.people.append(made)


def _is_readable(other: dict, joints: int) -> bool:
    """Whether MMPose, which takes all categories for people, can read an
    annotation of another one."""
    number = len(_list(other.get('keypoints')))
    return isinstance(other.get('image_id'), int) and (
        not {'bbox', 'keypoints'} <= other.keys()
        or (is_box(other['bbox']) and number == 3 * joints)
    )


def _read_keypoints(
    raw: Any, joints: int, key: str, say: Callable
) -> list[float]:
    """3K numbers with v of 0, 1 or 2; K may be 0 for any."""
    if joints and (raw is None or raw == []):
        return [0.0] * (3 * joints)  # COCO has people without keypoints
    if not isinstance(raw, list):
        raise UnusableError('keypoints are no list', key, raw)
    if raw and all(isinstance(p, list) and len(p) == 3 for p in raw):
        say('keypoints are nested triples: they are read as a flat list', key)
        raw = [value for point in raw for value in point]
    wanted = 3 * joints or max(3, len(raw) // 3 * 3)
    if len(raw) != wanted or not all(map(is_number, raw)):
        pairs = ' but pairs (x, y without v)' * (len(raw) == 2 * joints > 0)
        text = f'keypoints are not {joints or "all"} triples of numbers{pairs}'
        raise UnusableError(text, f'{key}: {len(raw)} values')
    out = [float(v) for v in raw]
    for k in range(2, len(out), 3):
        x, y, v = out[k - 2 : k + 1]
        if not (math.isfinite(x) and math.isfinite(y)):
            if v:
                say('a keypoint is not finite: it is not labelled', key)
            out[k - 2 : k + 1] = [0.0, 0.0, 0.0]
        elif v not in (0.0, 1.0, 2.0) or isinstance(raw[k], bool):
            text = 'a flag v is not 0, 1 or 2: v <= 0 is not labelled, v >= 2 '
            text += 'visible, others labelled and occluded'
            say(text, f'{key}[{k}]', raw[k])
            out[k] = 2.0 if v >= 2 else 1.0 if v > 0 else 0.0
    return out


def _read_box(raw: Any, keypoints: list[float], say: Callable) -> list[float]:
    """x, y, width and height."""
    text = fault_of_box(raw)
    if not text:
        return [float(v) for v in raw]
    points = np.reshape(keypoints, (-1, 3))
    points = points[points[:, 2] > 0, :2]
    if not len(points) or not np.ptp(points, axis=0).all():
        raise UnusableError(text, '.bbox', raw)
    say(f'{text}: that of the labelled keypoints is taken', '.bbox', raw)
    return [*points.min(axis=0).tolist(), *np.ptp(points, axis=0).tolist()]


def _read_segment(raw: Any, size: list, say: Callable) -> Any:
    """Polygons, or run lengths of an image's (height, width); nothing where
    there are none to use."""
    key = '.segmentation'
    if isinstance(raw, dict):
        given = raw.get('size')
        known = given == size or (isinstance(given, list) and not size[0])
        if 'counts' in raw and known:
            return raw
        say('run lengths do not fit the image: they are not used', key)
        return None
    if raw and isinstance(raw, list) and all(map(is_number, raw)):
        say('a polygon is not in a list: it is the only one', key)
        raw = [raw]
    good = [
        ring
        for ring in map(_list, _list(raw))
        if len(ring) >= 6 and len(ring) % 2 == 0 and all(map(is_finite, ring))
    ]
    if raw is not None and good != raw:
        say('a polygon is not of 3 points or more: it is not used', key, raw)
    return good


def _read_id(
    out: Annotations, what: str, value: Any, taken: Collection, say: Callable
) -> int:
    """A whole number; others are replaced by new ones."""
    if _id_key(value) in taken:
        raise out.error(
            f'has two {what} of the id {value!r}: give each its own'
        )
    whole = as_whole(value)
    if whole is None or not 0 <= whole < MAX_ID:
        say('an id is no whole number from 0 on: it gets one', '.id', value)
        return MAX_ID + 1 + len(taken)
    if not isinstance(value, int):
        text = f'an id is a {type(value).__name__}: it is read as a number'
        say(text, '.id', value)
    return whole


def _note_corners(out: Annotations) -> None:
    """Note boxes that reach beyond their images unless read as corners."""
    widths = [out.images[p['image_id']]['width'] or np.inf for p in out.people]
    x, y, w, h = np.reshape([p['bbox'] for p in out.people], (-1, 4)).T
    beyond = np.sum((w > x) & (h > y) & (x + w > 1.1 * np.array(widths)))
    if beyond > len(widths) / 3:
        out.faults.add(
            '$.annotations[].bbox',
            f'{beyond:,} of {len(widths):,} boxes reach far beyond their '
            'images: they look like corners x1, y1, x2, y2; COCO has x, y, '
            'width, height',
            effect=NOTED,
        )
