"""COCO-style annotation files, read and checked in one pass.

Every tool that opens data without MMPose reads them here. What has a harmless
meaning is repaired and counted, what has none is left out and counted; only a
file that holds no usable person is refused.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import compress
from pathlib import Path
from typing import Any

from mmpose_occlusion.errors import DataError
from mmpose_occlusion.metrics.annotations import WHOLE_BODY

from .annotation_fields import (
    MAX_ID,
    Faults,
    as_whole,
    is_box,
    kind_of,
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
        whole_body: Whether people also have the keypoints of
            :data:`.WHOLE_BODY`.
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
    whole_body: bool = False
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
    raw = read_json(path, 'annotation file')
    out = Annotations(str(path))
    if not isinstance(raw, Mapping):
        first = raw[0] if isinstance(raw, list) and raw else None
        hint = ': is it a file of results or detections?'
        if isinstance(first, Mapping) and 'joints_vis' in first:
            hint = ": it looks like MPII's, which MMPose reads unchecked"
        raise DataError(
            f'annotation file "{path}" holds a {kind_of(raw)}, and COCO\'s '
            'format is a dict of "images", "annotations" and "categories"'
            + hint
            * isinstance(raw, list)
        )
    for key in ('images', 'annotations'):
        if not isinstance(raw.get(key), list) or not raw[key]:
            raise DataError(
                f'annotation file "{path}" has no "{key}": export it in '
                "COCO's keypoint format"
            )
    out.content = raw
    _read_category(out)
    _read_people(_read_images(out), out)
    if all(p['iscrowd'] or not p['num_keypoints'] for p in out.people):
        why = out.faults.summary() or 'all are crowds or without labels'
        raise DataError(
            f'annotation file "{path}" has no person with a labelled '
            f'keypoint that can be used ({why}): export it again'
        )
    return out


def _categories(content: Mapping) -> tuple[list[Mapping], list[Mapping]]:
    """All, and those with keypoints."""
    listed = content.get('categories')
    found = listed if isinstance(listed, list) else []
    found = [c for c in found if isinstance(c, Mapping)]
    names = [c.get('keypoints') for c in found]
    return found, [
        c for c, k in zip(found, names, strict=True) if k and type(k) is list
    ]


def _read_category(out: Annotations) -> None:
    """Id, joint names and links."""
    found, posed = _categories(out.content)
    if not posed:
        out.faults.add('$.categories', 'no category names its keypoints')
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
        raise DataError(
            f'annotation file "{out.path}" names the keypoint '
            f'"{min(twice)}" twice: give each its own name'
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
            )


def _read_images(out: Annotations) -> dict[Any, int]:
    """Images; the ids as the file writes them -> whole numbers."""
    ids: dict[Any, int] = {}
    for i, image in enumerate(out.content['images']):
        where = f'$.images[{i}]'
        if not isinstance(image, Mapping) or 'id' not in image:
            out.faults.add(where, 'an image has no id')
            continue
        name = image.get('file_name')
        if not isinstance(name, str) or not name:
            out.faults.add(where, 'an image has no file_name')
            continue
        if '\\' in name:
            out.faults.add(where, 'a file_name has backslashes')
        given = _as_key(image['id'])
        key = read_id(image['id'], i, f'{where}.id', out.faults)
        if given in ids or key in out.images:
            raise DataError(
                f'annotation file "{out.path}" has two images of the id '
                f'{image["id"]!r} ({where}): give each its own'
            )
        ids[given] = key
        ids.setdefault(key, key)  # of people whose image_id is a number
        sides = [as_whole(image.get(k)) or 0 for k in ('width', 'height')]
        known = all(0 < side <= MAX_ID for side in sides)
        if not known:
            out.faults.add(where, 'an image has no width and height')
        width, height = sides if known else (None, None)
        out.image_rows.append(i)
        out.images[key] = dict(
            file_name=name.replace('\\', '/'), width=width, height=height
        )
    return ids


def _as_key(value: Any) -> Any:
    return value if isinstance(value, str | int | float) else None


def _read_people(images: Mapping, out: Annotations) -> None:
    """People, given the ids of images as the file writes them."""
    raw, faults = out.content['annotations'], out.faults
    out.whole_body = any(
        isinstance(p, Mapping) and not WHOLE_BODY.keys().isdisjoint(p)
        for p in raw
    )
    seen: set[int] = set()
    others = beyond = 0
    for i, person in enumerate(raw):
        where = f'$.annotations[{i}]'
        if not isinstance(person, Mapping):
            faults.add(where, 'an annotation is no dict')
            continue
        category = person.get('category_id', out.category)
        if category != out.category and str(category) != str(out.category):
            others += 1
            continue
        given = person.get('image_id')
        image = images.get(_as_key(given), images.get(as_whole(given)))
        if image is None:
            faults.add(
                f'{where}.image_id', 'its image_id is of no image', given
            )
            continue
        size = [out.images[image][k] for k in ('width', 'height')]
        parts = {'keypoints': len(out.joints)}
        if out.whole_body:
            parts |= WHOLE_BODY
        points = {
            key: read_keypoints(
                person.get(key), number, f'{where}.{key}', faults
            )
            for key, number in parts.items()
        }
        body = points['keypoints']
        if body is None or None in points.values():
            continue
        if not out.joints:
            out.joints = tuple(f'keypoint_{k}' for k in range(len(body) // 3))
        box = read_box(person.get('bbox'), body, where, faults)
        if box is None:
            continue
        key = read_id(person.get('id'), i, f'{where}.id', faults)
        if key in seen:
            raise DataError(
                f'annotation file "{out.path}" has two annotations of the id '
                f'{person.get("id")!r} ({where}): give each its own'
            )
        seen.add(key)
        labelled = sum(v > 0 for v in body[2::3])
        said = person.get('num_keypoints')
        if said != labelled:
            what = 'missing' if said is None else 'wrong'
            faults.add(
                f'{where}.num_keypoints', f'num_keypoints is {what}', said
            )
        entry = dict(
            id=key,
            image_id=image,
            category_id=out.category,
            bbox=box,
            area=read_area(person.get('area'), box, where, faults),
            iscrowd=int(bool(person.get('iscrowd', 0))),
            num_keypoints=labelled,
            **points,
        )
        # corners, taken for x, y, width and height
        x, y, w, h = box
        beyond += bool(size[0] and w > x and h > y and x + w > 1.1 * size[0])
        segment = read_segment(person.get('segmentation'), size, where, faults)
        if segment is not None:
            entry['segmentation'] = segment
        out.rows.append(i)
        out.people.append(entry)
    if beyond > len(out.people) / 3:
        faults.note(
            '$.annotations[].bbox',
            f'{beyond:,} of {len(out.people):,} boxes reach far beyond their '
            'images',
            'they look like corners x1, y1, x2, y2; COCO has x, y, width, '
            'height',
        )
    if others:
        faults.note(
            '$.annotations',
            f'{others:,} annotations are of other categories',
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
    images = [
        dict(raw['images'][row], id=key, **image)
        for row, (key, image) in zip(
            annotations.image_rows, annotations.images.items(), strict=True
        )
    ]
    same = images == raw['images'] and annotations.category == person_category
    people, lost = [], dict(enumerate(raw['annotations']))
    for row, person in zip(annotations.rows, annotations.people, strict=True):
        given = lost.pop(row)
        same = same and person['id'] != 0 and _reads_same(given, person)
        people.append({**given, **person, 'category_id': person_category})
        people[-1]['id'] = person['id'] or MAX_ID
        if 'segmentation' not in person:
            people[-1].pop('segmentation', None)
    if same and all(_is_skipped(o, annotations) for o in lost.values()):
        return None
    posed = _categories(raw)[1] or [
        dict(name='person', keypoints=list(annotations.joints))
    ]
    return dict(
        raw,
        images=images,
        annotations=people,
        categories=[dict(posed[0], id=person_category)],
    )


def _reads_same(given: Mapping, person: Mapping) -> bool:
    """Whether MMPose, which fills in a missing area and num_keypoints, makes
    the same of a person."""
    filled = dict(area=person['area'], iscrowd=0)
    labelled = bool(person['num_keypoints'])
    return bool(given.get('num_keypoints', labelled)) == labelled and all(
        given.get(key, filled.get(key)) == value
        for key, value in person.items()
        if key not in ('num_keypoints', 'segmentation')
    )


def _is_skipped(given: Any, annotations: Annotations) -> bool:
    """Whether an annotation that is left out does no harm to MMPose: it has
    no bbox or keypoints, none is labelled, or it is of another category."""
    if not isinstance(given, Mapping):
        return False
    if _as_key(given.get('image_id')) not in annotations.images:
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
