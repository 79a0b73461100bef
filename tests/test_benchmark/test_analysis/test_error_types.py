"""Types of errors, with thresholds and places worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from mmpose_occlusion.benchmark.analysis.attack_costs import (
    ERROR_TYPES,
    error_types,
)
from mmpose_occlusion.benchmark.analysis.run_measures import RunMeasures
from tests.test_benchmark import made_up

LEFT, RIGHT = (made_up.COCO.index(f'{s}_wrist') for s in ('left', 'right'))
SIGMA = 0.062  # of wrists


@pytest.fixture
def pair():
    """Two people side by side in one image, all joints labelled."""
    boxes = made_up.people(1, 2, seed=2)
    truth = np.stack([made_up.POSE, made_up.POSE + (150, 0)])
    return replace(
        boxes, truth=truth, visible=np.full((2, 17), 2, np.int8),
        areas=np.array([6400.0, 6400.0]),
    )  # fmt: skip


def distance(oks: float) -> float:
    """At which a wrist has this per-keypoint OKS, s = 80 px."""
    return 80 * 2 * SIGMA * np.sqrt(-2 * np.log(oks))


@pytest.mark.parametrize(
    ('shift', 'type_'),
    [
        (distance(0.86), 'good'),
        (distance(0.84), 'jitter'),
        (distance(0.51), 'jitter'),
        (distance(0.49), 'miss'),
    ],
)
@pytest.mark.parametrize('named', [True, False], ids=['coco', 'other'])
def test_thresholds(pair, shift, type_, named):
    clean = made_up.perfect(pair)
    clean.keypoints[0, LEFT, 1] += shift
    run = made_up.run(pair, clean, [], **({} if named else dict(people=[])))
    measures = RunMeasures(run, draws=0)
    codes = error_types(measures.clean_predictions)
    assert ERROR_TYPES[codes[0, LEFT]] == type_
    assert (np.delete(codes[0], LEFT) == 0).all()
    assert (codes[1] == 0).all()


@pytest.mark.parametrize(
    ('person', 'joint', 'type_'),
    [(0, RIGHT, 'swap'), (1, LEFT, 'drift'), (1, RIGHT, 'drift')],
)
@pytest.mark.parametrize('named', [True, False], ids=['coco', 'other'])
def test_where_a_lost_wrist_went(pair, person, joint, type_, named):
    clean = made_up.perfect(pair)
    clean.keypoints[0, LEFT] = pair.truth[person, joint] + (1, 0)
    run = made_up.run(pair, clean, [], **({} if named else dict(people=[])))
    measures = RunMeasures(run, draws=0)
    codes = error_types(measures.clean_predictions)
    assert ERROR_TYPES[codes[0, LEFT]] == type_


def test_a_joint_without_label_has_no_type(pair):
    pair.visible[0, LEFT] = 0
    pair.truth[0, LEFT] = np.nan
    run = made_up.run(pair, made_up.perfect(pair), [])
    measures = RunMeasures(run, draws=0)
    codes = error_types(measures.clean_predictions)
    assert codes[0, LEFT] == -1
