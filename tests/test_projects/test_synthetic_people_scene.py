"""Annotations of people against the pixels drawn."""

from dataclasses import replace

import numpy as np
import pytest
from synthetic_people.appearance import sample_outfit
from synthetic_people.body import Pose, sample_build
from synthetic_people.figure import CARRIERS, make_figure, sample_figure
from synthetic_people.rendering import Light
from synthetic_people.scene import (
    COCO_JOINTS,
    Layer,
    Stage,
    compose,
    describe,
    make_scene,
    place,
    to_pixels,
)

SIZE = (260, 200)
LIGHT = Light(np.array([0.0, -0.6, -0.8]), 0.5, np.ones(3))
STAGE = Stage(SIZE, 0.0, 1.0, 0.0, LIGHT)
FACE = ('nose', 'left_eye', 'right_eye')
LEG, OPEN = (0, 0, 6, 0, 0), (0, 35, 0, 0, 60)
STANDING = Pose(
    legs=dict(left=LEG, right=LEG), arms=dict(left=OPEN, right=OPEN)
)


def figure(pose=STANDING, hair='cropped', seed=0):
    rng = np.random.default_rng(seed)
    build = sample_build(rng)
    vars(build).update(weight=1.0, curve=0.2)
    outfit = sample_outfit(rng, build.curve, False)
    vars(outfit).update(hair_style=hair, hat='')
    return make_figure(build, pose, outfit)


def stand(who, x=100, foot=250, stature=220):
    return place(who, (x, foot), stature, STAGE)


def truths(*layers):
    """Image, and ground truth of the figures among the layers."""
    backdrop = np.full((*SIZE, 3), 128, np.uint8)
    image, front = compose(backdrop, layers)
    people = [
        describe(layer, front == index)
        for index, layer in enumerate(layers)
        if layer.figure
    ]
    return image, people


def test_facing_us_shows_every_joint():
    _, (person,) = truths(stand(figure()))
    assert set(person.visible.values()) == {2}
    assert person.joints['left_wrist'][0] > person.joints['right_wrist'][0]
    assert person.joints['nose'][1] < person.joints['left_hip'][1]
    assert person.joints['left_hip'][1] < person.joints['left_ankle'][1]


def test_facing_away_hides_the_face_alone():
    _, (person,) = truths(stand(figure(replace(STANDING, yaw=180))))
    hidden = {name for name, flag in person.visible.items() if flag == 1}
    assert hidden == set(FACE)
    assert person.joints['left_wrist'][0] < person.joints['right_wrist'][0]


@pytest.mark.parametrize(
    ('yaw', 'near', 'far'), [(90, 'right', 'left'), (-90, 'left', 'right')]
)
def test_in_profile_the_near_side_hides_the_far_one(yaw, near, far):
    """Turned to our right (yaw 90) a person shows the right side."""
    out = (75, 0, 0, 0, 60)
    pose = replace(STANDING, yaw=yaw, arms=dict(left=out, right=out))
    _, (person,) = truths(stand(figure(pose)))
    for joint in ('ear', 'eye', 'shoulder', 'hip', 'knee', 'ankle'):
        assert person.visible[f'{near}_{joint}'] == 2, joint
    for joint in ('ear', 'shoulder', 'hip'):
        assert person.visible[f'{far}_{joint}'] == 1, joint
    facing = np.sign(person.joints['nose'][0] - person.joints['left_ear'][0])
    assert facing == np.sign(yaw)


def test_a_hand_behind_the_back_is_hidden():
    behind = (-40, -12, 60, 75, 60)
    pose = replace(STANDING, arms=dict(left=OPEN, right=behind))
    _, (front,) = truths(stand(figure(pose)))
    _, (back,) = truths(stand(figure(replace(pose, yaw=180))))
    assert front.visible['right_wrist'] == 1
    assert back.visible['right_wrist'] == 2
    assert front.visible['left_wrist'] == back.visible['left_wrist'] == 2


@pytest.mark.parametrize('seed', range(6))
def test_a_person_in_front_hides_joints(seed):
    """Compared with each person drawn alone, without the drawing order."""
    rng = np.random.default_rng(seed)
    back = stand(sample_figure(rng), 85, 225, 190)
    front = stand(sample_figure(rng), 115, 245, 210)
    _, (alone,) = truths(back)
    cover, (before,) = truths(front)
    empty, _ = truths()
    covered = np.abs(cover.astype(int) - empty).max(axis=2) > 0
    _, (behind, unhidden) = truths(back, front)
    assert unhidden.visible == before.visible
    changed = 0
    for name in COCO_JOINTS:
        x, y = (round(v) for v in behind.joints[name])
        if alone.visible[name] != 2:
            assert behind.visible[name] == alone.visible[name]
            continue
        around = covered[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
        if before.mask[y, x] and around.all():
            assert behind.visible[name] == 1, name
            changed += 1
        elif not around.any():
            assert behind.visible[name] == 2, name
    assert changed
    shown = behind.mask & before.mask
    assert not shown.any()
    assert behind.bbox == alone.bbox
    assert behind.area == alone.area
    assert behind.visible_area < alone.visible_area


def test_a_thing_in_front_hides_joints_and_one_behind_does_not():
    mask = np.zeros((2 * SIZE[0], 2 * SIZE[1]), np.uint8)
    mask[301:] = 1  # pixels from 150.25 down
    color = np.full((*mask.shape, 3), 40, np.uint8)
    person = stand(figure())
    image, (behind,) = truths(person, Layer(600.0, color, mask))
    _, (before,) = truths(Layer(0.0, color, mask), person)
    assert (image[160:] == 40).all()
    assert set(before.visible.values()) == {2}
    for name in COCO_JOINTS:
        y = behind.joints[name][1]
        assert behind.visible[name] == (1 if y > 150 else 2), name


def test_joints_outside_the_image_are_not_labelled():
    _, (person,) = truths(stand(figure(), x=100, foot=330))
    for name in COCO_JOINTS:
        y = person.joints[name][1]
        assert (person.visible[name] == 0) == (y > SIZE[0] - 1), name
    assert person.visible['left_ankle'] == person.visible['right_ankle'] == 0
    assert person.bbox[1] + person.bbox[3] == SIZE[0]


def test_a_person_outside_the_image():
    _, (person,) = truths(stand(figure(), x=100, foot=900))
    assert set(person.visible.values()) == {0}
    assert person.bbox == [0, 0, 0, 0]
    assert person.area == person.visible_area == 0


def test_a_joint_is_where_it_is_drawn():
    """Nose, eyes and ears are the middles of their own samples."""
    person = stand(figure())
    _, (truth,) = truths(person)
    for name in (*FACE, 'left_ear', 'right_ear'):
        side, _, part = name.rpartition('_')
        (tag,), _ = CARRIERS[f'*_{part}' if side else part]
        solids = [
            i
            for i, solid in enumerate(person.figure.solids)
            if solid.tag == tag.replace('*', side)
        ]
        mask = np.isin(person.solid, solids)
        rows, cols = np.nonzero(mask)
        middle = to_pixels(np.array([cols.mean(), rows.mean()]))
        offset = np.abs(middle - truth.joints[name])
        assert offset.max() < (6 if name == 'nose' else 1.6), name


@pytest.fixture(scope='module')
def scenes():
    return [make_scene(np.random.default_rng([7, i])) for i in range(40)]


def test_scene_annotations(scenes):
    """Counts, boxes, areas and joints agree in every image."""
    for scene in scenes:
        height, width = scene.image.shape[:2]
        assert scene.image.dtype == np.uint8
        assert 1 <= len(scene.people) <= 4
        taken = np.zeros((height, width), int)
        for person in scene.people:
            x, y, w, h = person.bbox
            assert x >= 0
            assert y >= 0
            assert x + w <= width
            assert y + h <= height
            assert 0 < person.visible_area <= person.area <= w * h
            assert person.visible_area == person.mask.sum()
            for name, flag in person.visible.items():
                px, py = person.joints[name]
                inside = 0 <= px <= width - 1 and 0 <= py <= height - 1
                assert (flag > 0) == inside
                if inside:  # a pixel is in the box from its centre on
                    assert x - 1.5 <= px <= x + w + 0.5, name
                    assert y - 1.5 <= py <= y + h + 0.5, name
                if flag == 2:
                    near = person.mask[
                        max(round(py) - 1, 0) : round(py) + 2,
                        max(round(px) - 1, 0) : round(px) + 2,
                    ]
                    assert near.any(), name
            taken += person.mask
        assert taken.max() <= 1


def test_scenes_have_all_kinds_of_people(scenes):
    people = [person for scene in scenes for person in scene.people]
    flags = np.array([list(person.visible.values()) for person in people])
    assert 1.1 < len(people) / len(scenes) < 2.2
    for value, low, high in ((0, 0, 0.2), (1, 0.05, 0.5), (2, 0.4, 0.9)):
        assert low < (flags == value).mean() < high, value
    assert any(len(scene.people) > 1 for scene in scenes)
    covered = [person.visible_area < 0.9 * person.area for person in people]
    assert 0.02 < np.mean(covered) < 0.7


def test_a_scene_is_its_seed(scenes):
    again = make_scene(np.random.default_rng([7, 3]))
    assert (again.image == scenes[3].image).all()
    assert [p.joints for p in again.people] == [
        p.joints for p in scenes[3].people
    ]
    assert not np.array_equal(scenes[3].image, scenes[4].image)
