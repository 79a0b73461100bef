"""Joints under a patch, of a crowd, and what a crowd costs."""

import numpy as np

from mmpose_occlusion.occlusion import Patch, Person
from mmpose_occlusion.occlusion.joints_under import extents, hidden
from mmpose_occlusion.skeleton import Skeleton

NAMES = ('nose', 'left_wrist', 'right_wrist')
SHAPE = (60, 80, 3)


def crowd(count: int, seed: int = 0) -> list[Person]:
    """People with up to three joints in the picture, some with none."""
    rng = np.random.default_rng(seed)
    skeleton = Skeleton.from_names(NAMES)
    people = []
    for _ in range(count):
        xy = rng.uniform((0, 0), (79.9, 59.9), (3, 2)).round(1).tolist()
        seen = rng.random(3) < 0.7
        points = {
            name: (x, y)
            for name, (x, y), there in zip(NAMES, xy, seen, strict=True)
            if there
        }
        people.append(Person(skeleton, xy, seen.tolist(), points, 60.0))
    return people


def test_those_far_away_are_passed_over_and_nobody_else():
    """Every joint of everybody, looked up in the painted picture."""
    found = 0
    for seed in range(240):
        rng = np.random.default_rng(100 + seed)
        people = crowd(1 + seed % 7, seed)
        x1, y1 = rng.integers(0, (60, 40))
        w, h = rng.integers(1, 20, 2)
        mask = rng.random((h, w)) < 0.8 if seed % 2 else None
        patch = Patch((x1, y1, x1 + w, y1 + h), np.zeros(3, np.uint8), mask)
        painted = np.zeros(SHAPE, np.uint8)
        Patch(patch.box, np.ones(3, np.uint8), mask).apply(painted)
        expected = [
            (i, name)
            for i, person in enumerate(people)
            for name, (x, y) in person.points.items()
            if painted[
                min(int(np.floor(y + 0.5)), 59),
                min(int(np.floor(x + 0.5)), 79),
            ].all()
        ]
        assert hidden(people, extents(people), patch, SHAPE) == expected
        found += len(expected)
    assert found > 30


def test_no_paint_hides_nothing():
    people = crowd(4)
    assert hidden(people, extents(people), None, SHAPE) == []
