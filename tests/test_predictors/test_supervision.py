"""People to supervision and back, with the real library."""

import dataclasses

import numpy as np
import pytest

from mmpose_occlusion.predictors import Prediction

supervision = pytest.importorskip(
    'supervision', reason='needs pip install supervision'
)


@pytest.fixture
def people():
    """Two people of three joints, of which one was not found."""
    rng = np.random.default_rng(0)
    keypoints = rng.uniform(5, 90, (2, 3, 2)).astype(np.float32)
    keypoints[1, 2] = np.nan
    scores = rng.uniform(0, 1, (2, 3)).astype(np.float32)
    return Prediction(keypoints, scores)


@pytest.mark.parametrize('full', [False, True])
def test_round_trip(people, full):
    if full:
        people = dataclasses.replace(
            people,
            boxes=np.array([[0, 0, 50, 50], [20, 20, 95, 95.5]]),
            visibility=np.full((2, 3), 0.25),
            person_scores=np.array([0.5, 0.75], np.float32),
        )
    theirs = people.to_supervision()
    assert isinstance(theirs, supervision.KeyPoints)
    back = Prediction.from_supervision(theirs)
    for name, value in vars(people).items():
        np.testing.assert_array_equal(getattr(back, name), value)
    # their selection takes what we added along
    (one,) = Prediction.from_supervision(theirs[1:]).keypoints
    np.testing.assert_array_equal(one, people.keypoints[1])


def test_their_annotator_draws_what_was_found(people):
    blank = np.zeros((100, 100, 3), np.uint8)
    draw = supervision.VertexAnnotator(radius=1)
    image = draw.annotate(blank.copy(), people.to_supervision())
    for x, y in people.keypoints[np.isfinite(people.keypoints[..., 0])]:
        assert image[int(y), int(x)].any()
    assert not image[0, 0].any()


def test_keypoints_of_theirs():
    theirs = supervision.KeyPoints(xy=np.array([[[1, 2], [0, 0]]], float))
    found = Prediction.from_supervision(theirs)
    np.testing.assert_array_equal(found.keypoints[0], [[1, 2], [np.nan] * 2])
    assert found.scores.tolist() == [[1, 1]]
    assert Prediction.from_supervision(
        Prediction.empty(17).to_supervision()
    ).keypoints.shape == (0, 17, 2)
