"""COCO-style annotation files, read and checked in one pass.

Every tool that opens data without MMPose reads them here. What has a harmless
meaning is repaired and counted, what has none is left out and counted; only a
file that holds no usable person is refused.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path
from typing import Any

from mmpose_occlusion.errors import DataError

from .annotation_fields import (
    LEFT_OUT,
    MAX_ID,
    NOTED,
    REPAIRED,
    Faults,
    as_key,
    as_positive,
    as_whole,
    at,
    is_box,
    kind_of,
    note_corners,
    reaches_beyond,
    read_area,
    read_box,
    read_id,
    read_json,
    read_keypoints,
    read_segment,
)


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
        content: Of the file, as it is.
        image_rows: Places of the images in the file.
        rows: Places of the people in the file.
    """

    path: str
    joints: tuple[str, ...] = ()
    links: list[tuple[int, int]] = field(default_factory=list)
    category: int = 1
    images: dict[int, dict[str, Any]] = field(default_factory=dict)
    people: list[dict[str, Any]] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    content: Mapping[str, Any] = field(default_factory=dict, repr=False)
    image_rows: list[int] = field(default_factory=list, repr=False)
    rows: list[int] = field(default_factory=list, repr=False)

    def keep(self, images: Collection[int]) -> None:
        """Leave out the other images and their people."""
        kept = [key in images for key in self.images]
        self.image_rows = list(compress(self.image_rows, kept))
        self.images = {k: v for k, v in self.images.items() if k in images}
        kept = [person['image_id'] in images for person in self.people]
        self.rows = list(compress(self.rows, kept))
        self.people = list(compress(self.people, kept))


def read_annotations(path: str | Path) -> Annotations:
    """Read a COCO-style file of people with keypoints.

    Raises:
        UsageError: It cannot be opened.
        DataError: Nothing in it can be used; one sentence says why.
    """
    path = str(path)
    raw = read_json(path, 'annotation file')
    out = Annotations(path)
    if not isinstance(raw, Mapping):
        raise DataError(
            f'annotation file "{path}" holds a {kind_of(raw)}, and COCO\'s '
            'format is a dict of "images", "annotations" and "categories"'
            + (_what_list(raw) if isinstance(raw, list) else '')
        )
    for key in ('images', 'annotations'):
        if not isinstance(raw.get(key), list) or not raw[key]:
            raise DataError(
                f'annotation file "{path}" has no "{key}": export it in '
                "COCO's keypoint format"
            )
    out.content = raw
    joints = _read_categories(raw, out)
    ids = _read_images(raw['images'], out)
    _read_people(raw['annotations'], joints, ids, out)
    if all(p['iscrowd'] or not p['num_keypoints'] for p in out.people):
        why = out.faults.summary() or 'all are crowds or without labels'
        raise DataError(
            f'annotation file "{path}" has no person with a labelled '
            f'keypoint that can be used ({why}): export it again'
        )
    return out


def _what_list(raw: list) -> str:
    first = raw[0] if raw and isinstance(raw[0], Mapping) else {}
    if 'joints_vis' in first:
        return ": it looks like MPII's, which MMPose reads unchecked"
    return ': is it a file of results or detections?'


def _read_categories(raw: Mapping, out: Annotations) -> int:
    """Joint names and links; the number of joints, 0 if open."""
    categories = raw.get('categories')
    found = [
        c
        for c in (categories if isinstance(categories, list) else [])
        if isinstance(c, Mapping)
    ]
    posed = [
        c for c in found if (k := c.get('keypoints')) and isinstance(k, list)
    ]
    if not posed:
        out.faults.add(
            '$.categories',
            'no category names its keypoints',
            REPAIRED,
            'they are numbered; add "keypoints" to the category',
        )
        out.category = as_whole(found[0].get('id')) or 1 if found else 1
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
        raise DataError(
            f'annotation file "{out.path}" names the keypoint '
            f'"{min(twice)}" twice: give each its own name'
        )
    out.joints = tuple(names)
    out.category = as_whole(posed[0].get('id')) or 0
    for link in posed[0].get('skeleton') or []:
        pair = [as_whole(x) for x in link] if isinstance(link, list) else []
        if len(pair) == 2 and all(x and 1 <= x <= len(names) for x in pair):
            out.links.append((pair[0] - 1, pair[1] - 1))  # type: ignore[operator]
        else:
            out.faults.add(
                '$.categories[].skeleton',
                'a link names no keypoint (they count from 1)',
                REPAIRED,
                'it is not used',
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
        given = as_key(image['id'])
        key = read_id(image['id'], i, f'{where}.id', out.faults)
        if given in ids or key in out.images:
            raise DataError(
                f'annotation file "{out.path}" has two images of the id '
                f'{image["id"]!r} ({where}): give each its own'
            )
        ids[given] = key
        ids.setdefault(key, key)  # of people whose image_id is a number
        size = [as_positive(image.get(k)) for k in ('width', 'height')]
        if None in size:
            out.faults.add(
                where,
                'an image has no width and height',
                REPAIRED,
                'they are read from the image file',
            )
            size = [None, None]
        out.image_rows.append(i)
        out.images[key] = dict(file_name=name, width=size[0], height=size[1])
    return ids


def _read_people(
    raw: Sequence, joints: int, images: Mapping, out: Annotations
) -> None:
    faults = out.faults
    seen: set[int] = set()
    others = beyond = 0
    for i, person in enumerate(raw):
        where = f'$.annotations[{i}]'
        if not isinstance(person, Mapping):
            faults.add(where, 'an annotation is no dict', LEFT_OUT)
            continue
        category = person.get('category_id', out.category)
        if category != out.category and str(category) != str(out.category):
            others += 1
            continue
        image = images.get(as_key(person.get('image_id')))
        if image is None:
            image = images.get(as_whole(person.get('image_id')))
        if image is None:
            faults.add(
                at(f'{where}.image_id', person.get('image_id')),
                'its image_id is of no image',
                LEFT_OUT,
            )
            continue
        size = [out.images[image][k] for k in ('width', 'height')]
        crowd = bool(person.get('iscrowd', 0))
        keypoints = read_keypoints(person, joints, where, faults)
        if keypoints is None:
            continue
        if not joints:
            joints = len(keypoints) // 3
            out.joints = tuple(f'keypoint_{k}' for k in range(joints))
        box = read_box(person.get('bbox'), keypoints, where, faults)
        if box is None:
            continue
        key = read_id(person.get('id'), i, f'{where}.id', faults)
        if key in seen:
            raise DataError(
                f'annotation file "{out.path}" has two annotations of the id '
                f'{person.get("id")!r} ({where}): give each its own'
            )
        seen.add(key)
        labelled = sum(v > 0 for v in keypoints[2::3])
        said = person.get('num_keypoints')
        if said != labelled:
            what = 'is missing' if said is None else 'is wrong'
            faults.add(
                at(f'{where}.num_keypoints', said),
                f'num_keypoints {what}',
                REPAIRED,
                'the labelled keypoints are counted',
            )
        entry = dict(
            id=key,
            image_id=image,
            category_id=out.category,
            bbox=box,
            area=read_area(person, box, where, faults),
            iscrowd=int(crowd),
            num_keypoints=labelled,
            keypoints=keypoints,
        )
        beyond += reaches_beyond(box, size)
        segment = read_segment(person.get('segmentation'), size, where, faults)
        if segment is not None:
            entry['segmentation'] = segment
        out.rows.append(i)
        out.people.append(entry)
    note_corners(faults, '$.annotations[].bbox', beyond, len(out.people))
    if any(isinstance(p, Mapping) and 'face_kpts' in p for p in raw):
        faults.add(
            '$.annotations[].face_kpts',
            'people have keypoints of foot, face and hands (WholeBody)',
            NOTED,
            'only "keypoints" is checked',
        )
    if others:
        faults.add(
            '$.annotations',
            f'{others:,} annotations are of other categories',
            NOTED,
            'they are not used',
        )


def corrected(annotations: Annotations) -> dict[str, Any] | None:
    """The file's content as the reader understands it, for MMPose.

    The people's category is 1, the only one that MMPose scores right, and no
    person has the id 0, which COCOeval's matches write for none. Fields that
    the reader does not know are kept.

    Args:
        annotations: Read by :func:`read_annotations`; images without width
            and height must have got them.

    Returns:
        None where MMPose understands the file in the same way.
    """
    raw, person_category = annotations.content, 1
    rows = annotations.image_rows
    images = [
        dict(raw['images'][row], id=key, **image)
        for row, (key, image) in zip(
            rows, annotations.images.items(), strict=True
        )
    ]
    same = images == raw['images'] and annotations.category == person_category
    people, lost = [], dict(enumerate(raw['annotations']))
    for row, person in zip(annotations.rows, annotations.people, strict=True):
        given = lost.pop(row)
        same &= _reads_same(given, person) and person['id'] != 0
        people.append({**given, **person, 'category_id': person_category})
        people[-1]['id'] = person['id'] or MAX_ID
        if 'segmentation' not in person:
            people[-1].pop('segmentation', None)
    if same and all(_is_skipped(o, annotations) for o in lost.values()):
        return None
    categories = raw.get('categories')
    posed = [
        c
        for c in (categories if isinstance(categories, list) else [])
        if isinstance(c, Mapping)
        and isinstance(c.get('keypoints'), list)
        and c['keypoints']
    ] or [dict(name='person', keypoints=list(annotations.joints))]
    return dict(
        raw,
        images=images,
        annotations=people,
        categories=[dict(posed[0], id=person_category)],
    )


def _reads_same(given: Mapping, person: Mapping) -> bool:
    """Whether MMPose, which fills in a missing area and num_keypoints, makes
    the same of a person."""
    return (
        all(
            given.get(key) == person[key]
            for key in ('id', 'image_id', 'bbox', 'keypoints', 'category_id')
        )
        and given.get('area', person['area']) == person['area']
        and given.get('iscrowd', 0) == person['iscrowd']
        and bool(given.get('num_keypoints', person['num_keypoints']))
        == bool(person['num_keypoints'])
    )


def _is_skipped(given: Any, annotations: Annotations) -> bool:
    """Whether an annotation that is left out does no harm to MMPose: it has
    no bbox or keypoints, none is labelled, or it is of another category."""
    if not isinstance(given, Mapping):
        return False
    if as_key(given.get('image_id')) not in annotations.images:
        return False
    if not ('bbox' in given and 'keypoints' in given):
        return True
    keypoints = given['keypoints']
    if not isinstance(keypoints, list) or not is_box(given['bbox']):
        return False
    other = given.get('category_id') != annotations.category
    return len(keypoints) == 3 * len(annotations.joints) and (
        other or not any(keypoints[2::3])
    )
