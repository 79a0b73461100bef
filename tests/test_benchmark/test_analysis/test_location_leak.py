"""Predictions that are drawn to discs by a planted distance."""

import numpy as np
import pytest

from mmpose_occlusion.benchmark.analysis import analyse
from tests.test_benchmark import made_up
from tests.test_benchmark.test_analysis.attack_cases import boxes_of_all

PEOPLE = 20
NOSE = made_up.COCO.index('nose')


def discs(boxes, clean, pulled, pushed=0, shift=30.0, place=None, **config):
    """Of the noses ``pulled`` go half way to the disc's centre, ``pushed`` as
    far away from it, and the others stay."""
    centres = boxes.truth[:, NOSE] + (shift, 0)
    keypoints = clean.keypoints.copy()
    step = (centres - keypoints[:, NOSE]) / 2
    keypoints[:pulled, NOSE] += step[:pulled]
    keypoints[PEOPLE - pushed :, NOSE] -= step[PEOPLE - pushed :]
    if place:
        config = dict(config, place=place)
    attack = made_up.attack(
        clean,
        boxes,
        name=f'keypoint:nose:black:{config}',
        config=dict(
            type='KeypointOcclusion',
            target='nose',
            fill='black',
            size='10%',
            **config,
        ),
        predictions=type(clean)(keypoints, clean.scores),
        centres=None if shift == 0 else centres,
    )
    attack.targets[:] &= place is None
    return attack


def test_what_was_planted_is_found():
    boxes = boxes_of_all(PEOPLE)
    clean = made_up.perfect(boxes)
    attacks = [
        discs(boxes, clean, 8, 3, offset=1.0),
        discs(boxes, clean, 5, shift=100.0, place='on_person'),
        discs(boxes, clean, 0, shift=0.0),
    ]
    (found,), _ = analyse([made_up.run(boxes, clean, attacks)], draws=100)
    offset, elsewhere, centred = found.leaks
    size = (boxes.boxes[:, 3] - boxes.boxes[:, 1]).astype(float)
    assert (offset.discs, offset.severity) == ('offset', 0.1)
    assert offset.predictions == PEOPLE
    assert offset.towards.value == pytest.approx(8 / PEOPLE)
    assert offset.towards.low < 8 / PEOPLE < offset.towards.high
    assert offset.away.value == pytest.approx(3 / PEOPLE)
    assert offset.net.value == pytest.approx(5 / PEOPLE)
    moved = 15 / size
    assert offset.approach.value == pytest.approx(
        (moved[:8].sum() - moved[-3:].sum()) / PEOPLE, abs=1e-6
    )
    assert elsewhere.discs == 'on_person'
    assert elsewhere.towards.value == pytest.approx(5 / PEOPLE)
    assert (centred.discs, centred.towards.value) == ('centred', 0)
    # moved discs are no part of the figures of single joints
    assert [bool(c.label) for c in found.costs] == [False, False, True]


def test_an_inaccurate_model_that_small_discs_help():
    """Noses are off by 20 pixels, and half of them exact under the disc."""
    boxes = boxes_of_all(PEOPLE)
    clean = made_up.perfect(boxes)
    clean.keypoints[:, NOSE] += (0, 20)

    def find(joints):
        joints = joints.copy()
        joints[: PEOPLE // 2, NOSE] -= (0, 20)
        return joints

    attack = made_up.attack(clean, boxes, fault=find)
    (found,), _ = analyse([made_up.run(boxes, clean, [attack])], draws=50)
    (leak,) = found.leaks
    assert (leak.discs, leak.severity) == ('centred', 0.2)
    assert (leak.towards.value, leak.away.value) == (0.5, 0)


def test_discs_elsewhere_without_a_stored_centre_are_left_out():
    boxes = boxes_of_all(3)
    clean = made_up.perfect(boxes)
    attack = made_up.attack(
        clean,
        boxes,
        config=dict(
            type='KeypointOcclusion', target='nose', place='off_person'
        ),
    )
    (found,), _ = analyse([made_up.run(boxes, clean, [attack])], draws=5)
    assert found.leaks == []
    assert np.isfinite(boxes.truth).all()
