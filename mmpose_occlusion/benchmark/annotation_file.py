"""COCO-style annotation files, read and checked in one pass.

Every tool that opens data without MMPose reads them here. What has a harmless
meaning is repaired and counted, what has none is left out and counted; only a
file that holds no usable person is refused.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mmpose_occlusion.errors import DataError
from mmpose_occlusion.files import read_json
from mmpose_occlusion.metrics.annotations import AREA_RATIO, WHOLE_BODY

from .checked_files import (
    MAX_ID,
    NOT_USED,
    Faults,
    UnusableError,
    as_whole,
    is_box,
    is_finite,
    is_number,
    kind_of,
)


@dataclass
class Annotations:
    """People and images of a file, repaired.

    Args:
        path: Of the file.
        content: Of the file, as it is.
        joints: Names, from the category; numbers where it has none.
        links: Pairs of joint indices, from the category's skeleton.
        category: Id of the people's category.
        whole_body: Whether people also have the keypoints of
            :data:`.WHOLE_BODY`.
        images: Id -> ``file_name``, ``width``, ``height`` (None unknown).
        people: Each with ``id``, ``image_id``, ``category_id``, ``bbox``
            (xywh), ``area``, ``iscrowd``, ``num_keypoints`` and ``keypoints``
            (3K numbers, v of 0, 1 or 2), and ``segmentation`` where usable.
        faults: What was found.
    """

    path: str
    content: Any = field(repr=False)
    joints: tuple[str, ...] = ()
    links: list[tuple[int, int]] = field(default_factory=list)
    category: int = 1
    whole_body: bool = False
    images: dict[int, dict[str, Any]] = field(default_factory=dict)
    people: list[dict[str, Any]] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    # id -> entry of the file
    given_images: dict[int, Mapping] = field(default_factory=dict, repr=False)
    given_people: dict[int, Mapping] = field(default_factory=dict, repr=False)

    def posed(self) -> list[Mapping]:
        """The file's categories that name keypoints."""
        return [
            c
            for c in _dicts(self.content.get('categories'))
            if isinstance(c.get('keypoints'), list) and c['keypoints']
        ]

    def refuse(self, what: str) -> DataError:
        """An error that names the file."""
        return DataError(f'annotation file "{self.path}" {what}')


def read_annotations(path: str | Path) -> Annotations:
    """Read a COCO-style file of people with keypoints.

    Raises:
        UsageError: It cannot be opened.
        DataError: Nothing in it can be used; one sentence says why.
    """
    out = Annotations(str(path), read_json(path, 'annotation file'))
    if not isinstance(out.content, Mapping):
        hint = ': is it a file of results or detections?'
        if 'joints_vis' in dict(*_dicts(out.content)[:1]):
            hint = ": it looks like MPII's, which MMPose reads unchecked"
        raise out.refuse(
            f"holds a {kind_of(out.content)}, and COCO's format is a dict of "
            '"images", "annotations" and "categories"'
            + hint
            * isinstance(out.content, list)
        )
    for key in ('images', 'annotations'):
        if not (isinstance(out.content.get(key), list) and out.content[key]):
            raise out.refuse(
                f'has no "{key}": export it in COCO\'s keypoint format'
            )
    _read_category(out)
    _read_people(out, _read_images(out))
    if all(p['iscrowd'] or not p['num_keypoints'] for p in out.people):
        why = out.faults.summary() or 'all are crowds or without labels'
        raise out.refuse(
            'has no person with a labelled keypoint that can be used '
            f'({why}): export it again'
        )
    return out


def _dicts(value: Any) -> list[Mapping]:
    entries = value if isinstance(value, list) else []
    return [entry for entry in entries if isinstance(entry, Mapping)]


def _read_category(out: Annotations) -> None:
    """Id, joint names and links."""
    posed = out.posed()
    if not posed:
        out.faults.add(
            '$.categories',
            'no category names its keypoints',
            remedy='they are numbered; add "keypoints" to the category',
        )
        found = _dicts(out.content.get('categories'))
        out.category = as_whole(found[0].get('id')) or 1 if found else 1
        return
    person = posed[0]
    if len(posed) > 1:
        out.faults.note(
            '$.categories',
            f'{len(posed)} categories have keypoints',
            f'people of "{person.get("name")}" are taken',
        )
    out.joints = tuple(map(str, person['keypoints']))
    twice = {name for name in out.joints if out.joints.count(name) > 1}
    if twice:
        raise out.refuse(
            f'names the keypoint "{min(twice)}" twice: give each its own name'
        )
    out.category = as_whole(person.get('id')) or 0
    for link in person.get('skeleton') or []:
        pair = link if isinstance(link, list) else []
        ends = [as_whole(x) or 0 for x in pair]
        if len(ends) == 2 and all(0 < x <= len(out.joints) for x in ends):
            out.links.append((ends[0] - 1, ends[1] - 1))
        else:
            out.faults.add(
                '$.categories[].skeleton',
                'a link names no keypoint (they count from 1)',
                remedy=NOT_USED,
            )


def _read_images(out: Annotations) -> dict[Any, int]:
    """Images; the ids as the file writes them -> whole numbers."""
    ids: dict[Any, int] = {}

    def read(image: Mapping, where: str) -> None:
        say, name = partial(out.faults.add, where), image.get('file_name')
        if 'id' not in image:
            raise UnusableError('an image has no id')
        if not isinstance(name, str) or not name:
            raise UnusableError('an image has no file_name')
        if '\\' in name:
            say(
                'a file_name has backslashes',
                remedy='they are read as slashes',
            )
        given, key = _as_key(image['id']), _read_id(image['id'], say, where)
        if given in ids or key in out.images:
            raise _twice(out, 'images', image['id'], where)
        ids[given] = key
        ids.setdefault(key, key)  # of people whose image_id is a number
        size: list = [as_whole(image.get(k)) for k in ('width', 'height')]
        if not all(0 < (side or 0) <= MAX_ID for side in size):
            size = [None, None]
            say(
                'an image has no width and height',
                remedy='they are read from the image file',
            )
        name = name.replace('\\', '/')
        out.images[key] = dict(file_name=name, width=size[0], height=size[1])
        out.given_images[key] = image

    out.faults.read(out.content['images'], '$.images', 'an image', read)
    return ids


def _as_key(value: Any) -> Any:
    return value if isinstance(value, str | int | float) else None


def _twice(out: Annotations, what: str, key: Any, where: str) -> DataError:
    return out.refuse(
        f'has two {what} of the id {key!r} ({where}): give each its own'
    )


def _read_people(out: Annotations, images: Mapping) -> None:
    """People, given the ids of images as the file writes them."""
    raw, parts = out.content['annotations'], dict(keypoints=len(out.joints))
    out.whole_body = any(
        not WHOLE_BODY.keys().isdisjoint(p) for p in _dicts(raw)
    )
    if out.whole_body:
        parts |= WHOLE_BODY

    def read(person: Mapping, where: str) -> dict[str, Any] | None:
        say, given = partial(out.faults.add, where), person.get('image_id')
        category = person.get('category_id', out.category)
        if str(category) != str(out.category) and category != out.category:
            out.faults.note(where, 'it is of another category', NOT_USED)
            return None
        image = images.get(_as_key(given), images.get(as_whole(given)))
        if image is None:
            raise UnusableError(
                'its image_id is of no image', '.image_id', given
            )
        points = {
            key: _read_keypoints(person.get(key), number, f'.{key}', say)
            for key, number in parts.items()
        }
        body = points['keypoints']
        if not out.joints:
            out.joints = tuple(f'keypoint_{k}' for k in range(len(body) // 3))
            parts['keypoints'] = len(out.joints)
        box = _read_box(person.get('bbox'), body, say)
        key = _read_id(person.get('id'), say, where)
        if key in out.given_people:
            raise _twice(out, 'annotations', person.get('id'), where)
        out.given_people[key] = person
        labelled = sum(v > 0 for v in body[2::3])
        said = person.get('num_keypoints')
        area: Any = person.get('area')
        if said != labelled:
            text = f'num_keypoints is {"missing" if said is None else "wrong"}'
            remedy = 'the labelled keypoints are counted'
            say(text, '.num_keypoints', said, remedy)
        if not (is_finite(area) and area > 0):
            what = 'missing' if area is None else 'no positive number'
            remedy = f'{AREA_RATIO} of the box is taken'
            say(f'area is {what}', '.area', area, remedy)
            area = AREA_RATIO * box[2] * box[3]
        segment = _read_segment(
            person.get('segmentation'), out.images[image], say
        )
        return dict(
            id=key,
            image_id=image,
            category_id=out.category,
            bbox=box,
            area=float(area),
            iscrowd=int(bool(person.get('iscrowd', 0))),
            num_keypoints=labelled,
            **points,
            **(dict(segmentation=segment) if segment else {}),
        )

    out.people = out.faults.read(raw, '$.annotations', 'an annotation', read)
    widths = [out.images[p['image_id']]['width'] or np.inf for p in out.people]
    x, y, w, h = np.reshape([p['bbox'] for p in out.people], (-1, 4)).T
    beyond = np.sum((w > x) & (h > y) & (x + w > 1.1 * np.array(widths)))
    if beyond > len(widths) / 3:
        out.faults.note(
            '$.annotations[].bbox',
            f'{beyond:,} of {len(widths):,} boxes reach far beyond their '
            'images',
            'they look like corners x1, y1, x2, y2; COCO has x, y, width, '
            'height',
        )


def _read_keypoints(
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


def _read_box(raw: Any, keypoints: list[float], say: Callable) -> list[float]:
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


def _read_segment(raw: Any, image: Mapping, say: Callable) -> Any:
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


def _read_id(value: Any, say: Callable, where: str) -> int:
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
