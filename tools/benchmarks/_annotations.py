"""Made-up annotations of the size and kind of COCO's, without pictures."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

EDGE = (640, 480)
"""Width and height of each picture."""

_URL = 'http://images.example.org/{}/{:012d}.jpg'


class Size(NamedTuple):
    """How much a file lists.

    Args:
        images: All pictures.
        with_people: Those with somebody in them.
        people: All annotated people, crowds among them.
        labelled: Those with at least one labelled joint.
    """

    images: int
    with_people: int
    people: int
    labelled: int

    def scaled(self, factor: float) -> 'Size':
        """A smaller one of the same proportions."""
        return Size(*(max(4, round(number * factor)) for number in self))


TRAIN = Size(118_287, 64_115, 262_465, 149_813)
"""That of ``person_keypoints_train2017.json``."""

VAL = Size(5_000, 2_693, 11_004, 6_352)
"""That of ``person_keypoints_val2017.json``."""

CORNERS = 24
"""Of the outline of each person: the mean of COCO's is a little higher."""


def write_annotations(file: Path, size: Size, seed: int = 0) -> None:
    """Write a person_keypoints JSON, all of COCO's fields in it.

    The first person of each picture is of any kind; one in fifty of those
    without joints is a crowd, with run lengths instead of an outline.
    """
    rng = np.random.default_rng(seed)
    where = np.sort(
        np.concatenate(
            [
                np.arange(size.with_people),
                rng.integers(
                    size.with_people, size=size.people - size.with_people
                ),
            ]
        )
    )
    labelled = np.zeros(size.people, bool)
    labelled[rng.permutation(size.people)[: size.labelled]] = True
    images = [_image(number) for number in range(size.images)]
    names = [f'joint_{number}' for number in range(17)]
    with file.open('w') as out:
        out.write('{"info": {}, "licenses": [], "images": ')
        json.dump(images, out)
        out.write(', "categories": ')
        category = dict(
            id=1,
            name='person',
            supercategory='person',
            keypoints=names,
            skeleton=[],
        )
        json.dump([category], out)
        out.write(', "annotations": [')
        for number in range(size.people):
            person = _person(
                rng, 1000 + number, int(where[number]), labelled[number]
            )
            out.write(',\n' if number else '\n')
            out.write(json.dumps(person))
        out.write(']}\n')


def write_boxes(file: Path, annotations: Path, count: int) -> None:
    """Write what a detector found: a box of each person but crowds, and
    others up to ``count``."""
    rng = np.random.default_rng(1)
    content = json.loads(annotations.read_text())
    people = [p for p in content['annotations'] if not p['iscrowd']]
    found = [
        dict(
            image_id=person['image_id'],
            category_id=1,
            bbox=[round(v, 2) for v in person['bbox']],
            score=0.9,
        )
        for person in people[:count]
    ]
    ids = [image['id'] for image in content['images']]
    for _ in range(count - len(found)):
        x, y, width, height = rng.uniform(20, 200, 4).round(2).tolist()
        found.append(
            dict(
                image_id=int(rng.choice(ids)),
                category_id=1,
                bbox=[x, y, width, height],
                score=0.1,
            )
        )
    file.write_text(json.dumps(found))


def _image(number: int) -> dict:
    return dict(
        license=1,
        file_name=f'{number + 1:012d}.jpg',
        coco_url=_URL.format('train2017', number + 1),
        height=EDGE[1],
        width=EDGE[0],
        date_captured='2013-11-14 11:18:45',
        flickr_url=_URL.format('zebra', number + 1),
        id=number + 1,
    )


def _person(
    rng: np.random.Generator, number: int, image: int, labelled: bool
) -> dict:
    corner = rng.uniform(0, 300, 2)
    edge = rng.uniform(30, 150, 2)
    seen = rng.choice([0, 1, 2], 17, p=[0.3, 0.1, 0.6]) * int(labelled)
    seen[5] = 2 * int(labelled)
    xy = (corner + rng.uniform(size=(17, 2)) * edge).astype(int)
    xy[seen == 0] = 0
    outline = corner + rng.uniform(size=(CORNERS, 2)) * edge
    crowd = not labelled and number % 50 == 0
    return dict(
        segmentation=(
            dict(counts=[1000, 300_000, 6200], size=EDGE[::-1])
            if crowd
            else [outline.ravel().round(2).tolist()]
        ),
        num_keypoints=int((seen > 0).sum()),
        area=round(float(edge.prod()) * 0.6, 4),
        iscrowd=int(crowd),
        keypoints=np.column_stack([xy, seen]).ravel().tolist(),
        image_id=image + 1,
        bbox=[*corner.round(2).tolist(), *edge.round(2).tolist()],
        category_id=1,
        id=number,
    )
