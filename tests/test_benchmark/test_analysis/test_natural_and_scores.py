"""Runs whose natural gap and scores are planted."""

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from mmpose_occlusion.benchmark.analysis.bootstrap import draw_weights
from mmpose_occlusion.benchmark.analysis.keypoints import (
    image_index,
    keypoint_table,
)
from mmpose_occlusion.benchmark.analysis.natural_occlusion import (
    natural_occlusion,
)
from mmpose_occlusion.benchmark.analysis.score_quality import (
    ScoreJudge,
    pose_score_correlation,
)
from mmpose_occlusion.benchmark.data import (
    Attacked,
    BenchmarkRun,
    Boxes,
    Joints,
    Predictions,
)

N, K = 400, 4
AREA = 1e4
FAR = 500.0
"""Pixels that make a keypoint wrong."""


@pytest.fixture(scope='module')
def planted() -> BenchmarkRun:
    """Joint 0 is never occluded; of the others half are. Visible keypoints
    are right in 90 %, occluded ones in 40 %; attacks of 10 and 20 % of the
    box's height leave 70 % and 20 % of the joint that they hide."""
    rng = np.random.default_rng(0)
    truth = rng.uniform(100, 200, (N, K, 2))
    visible = np.full((N, K), 2, np.int8)
    visible[:, 1:][rng.random((N, K - 1)) < 0.5] = 1
    names = ['nose', 'left_hand', 'right_hand', 'hip']
    boxes = Boxes(
        image_ids=np.arange(N) // 2 + 10,
        instance_ids=np.arange(N) + 1,
        boxes=np.tile([50.0, 50, 250, 250], (N, 1)),
        scores=np.ones(N),
        truth=truth,
        visible=visible,
        areas=np.full(N, AREA),
        person_boxes=np.tile([50.0, 50, 250, 250], (N, 1)),
        head_sizes=np.full(N, np.nan),
    )

    def predict(right: np.ndarray) -> Predictions:
        found = truth + np.where(right, 0, FAR)[..., None]
        scores = np.where(right, 0.6, 0.4) + rng.uniform(-0.3, 0.3, (N, K))
        return Predictions(found.astype(np.float32), scores.astype(np.float32))

    rate = np.where(visible == 2, 0.9, 0.4)
    clean_right = rng.random((N, K)) < rate
    attacks = []
    for size, left in ((0.1, 0.7), (0.2, 0.2)):
        for k in range(K):
            right = clean_right.copy()
            right[:, k] = rng.random(N) < np.minimum(left, rate[:, k])
            targets = np.zeros((N, K), bool)
            targets[:, k] = True
            attacks.append(
                Attacked(
                    name=f'keypoint:{names[k]}:black:{size:.0%}',
                    suite='planted',
                    config={},
                    details=dict(severity=size),
                    predictions=predict(right),
                    changed=np.ones(N, bool),
                    excluded=np.zeros(N, bool),
                    targets=targets,
                    bystanders=np.zeros((N, K), bool),
                    pixels=np.ones(N, np.int64),
                )
            )
    return BenchmarkRun(
        model='planted',
        data='planted',
        joints=Joints(names, np.full(K, 0.05), np.array([0, 2, 1, 3]), [], {}),
        boxes=boxes,
        people=[],
        evaluation={},
        crop_size=(192, 256),
        clean=predict(clean_right),
        attacks=attacks,
    )


@pytest.fixture(scope='module')
def weights(planted):
    return draw_weights(len(np.unique(image_index(planted))), 200)


def test_the_table_is_of_labelled_keypoints(planted):
    table = keypoint_table(planted, planted.clean)
    assert len(table) == N * K
    assert table.right.mean() == pytest.approx(
        (0.9 * 5 + 0.4 * 3) / 8, abs=0.04
    )


def test_the_natural_gap(planted, weights):
    by_size = {
        size: [a for a in planted.attacks if a.details['severity'] == size]
        for size in (0.1, 0.2)
    }
    found = natural_occlusion(planted, weights, {'black': by_size})
    whole, *joints = found.gaps
    assert [g.joint for g in joints] == ['left_hand', 'right_hand', 'hip']
    assert whole.right_visible.value == pytest.approx(0.9, abs=0.03)
    assert whole.right_occluded.value == pytest.approx(0.4, abs=0.05)
    assert whole.loss.low <= 0.5 <= whole.loss.high
    assert whole.occluded == (planted.boxes.visible == 1).sum()
    (equivalent,) = found.equivalents
    # .2 lost at 10 %, .7 at 20 %: .5 between them
    assert [e.value for e in equivalent.losses] == pytest.approx(
        [0.2, 0.7], abs=0.05
    )
    assert equivalent.reached
    assert equivalent.size.low <= 0.16 <= equivalent.size.high
    assert equivalent.size.value == pytest.approx(0.16, abs=0.012)


def test_a_mild_attack_never_costs_as_much(planted, weights):
    mild = {0.1: [a for a in planted.attacks if a.details['severity'] == 0.1]}
    (equivalent,) = natural_occlusion(
        planted, weights, {'black': mild}
    ).equivalents
    assert not equivalent.reached
    assert equivalent.size.value is None


def test_strata_hold_everybody(planted, weights):
    found = natural_occlusion(planted, weights, {}).strata
    for by in {s.by for s in found}:
        assert sum(s.people for s in found if s.by == by) == N


def test_scores(planted, weights):
    judge = ScoreJudge(planted, weights[:50])
    clean = judge.clean()
    table = keypoint_table(planted, planted.clean)
    # uniform in +-.3 around .6 and .4: P(x > y) with a shift of a third
    assert clean.auroc.value == pytest.approx(1 - (2 / 3) ** 2 / 2, abs=0.02)
    assert clean.right.value == pytest.approx(table.right.mean())
    wrong = ~table.right & (table.score > 0.3)
    assert clean.confident_wrong.value == pytest.approx(wrong.mean())
    assert clean.ece_isotonic.value < clean.ece.value
    attack = planted.attacks[K]  # the nose at 20 %
    found = judge.attacked(attack)
    assert found.attacked['target'].keypoints == N
    assert found.attacked['target'].right.value == pytest.approx(0.2, abs=0.05)
    assert found.clean['target'].right.value == pytest.approx(0.9, abs=0.05)
    assert found.attacked['bystander'].right.value is None
    # visible joints are right in (.9 + .4) / 2, hidden ones in .2, and right
    # ones have the higher score in 7 / 9 of the pairs with wrong ones
    assert found.hidden_auroc.value == pytest.approx(
        0.5 + (0.65 - 0.2) * (7 / 9 - 0.5), abs=0.02
    )
    scores = attack.predictions.scores
    pairs = mannwhitneyu(scores[:, 1:].ravel(), scores[:, 0])
    area = pairs.statistic / (3 * N * N)
    assert found.hidden_auroc.value == pytest.approx(area, abs=1e-9)


def test_pose_scores_rise_with_oks(planted, weights):
    found = pose_score_correlation(
        planted, planted.clean, weights[:50], np.ones(N, bool)
    )
    assert 0.3 < found.low <= found.value <= found.high < 1
