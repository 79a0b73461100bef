"""Runs whose natural gap and scores are planted."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from mmpose_occlusion.benchmark.analysis.bootstrap import estimates
from mmpose_occlusion.benchmark.analysis.natural_occlusion import (
    natural_occlusion,
)
from mmpose_occlusion.benchmark.analysis.run_measures import RunMeasures
from mmpose_occlusion.benchmark.analysis.score_quality import ScoreJudge
from mmpose_occlusion.benchmark.data import (
    Attacked,
    BenchmarkRun,
    Boxes,
    Joints,
    Predictions,
)
from tests.test_benchmark import made_up
from tests.test_benchmark.test_analysis.attack_cases import boxes_of_all

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
                    config=dict(
                        type='KeypointOcclusion',
                        target=names[k],
                        fill='black',
                        size=f'{size:.0%}',
                    ),
                    details={},
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
def measures(planted) -> RunMeasures:
    return RunMeasures(planted, 200)


def natural(measures):
    return estimates(natural_occlusion(measures))


def test_the_natural_gap(measures, planted):
    found = natural(measures)
    whole, *joints = found.gaps
    assert [g.joint for g in joints] == ['left_hand', 'right_hand', 'hip']
    assert whole.at_visible['OKS50'].value == pytest.approx(0.9, abs=0.03)
    assert whole.at_occluded['OKS50'].value == pytest.approx(0.4, abs=0.05)
    assert whole.loss['OKS50'].low <= 0.5 <= whole.loss['OKS50'].high
    assert whole.occluded == (planted.boxes.visible == 1).sum()
    # a prediction is exact or 500 pixels off: all measures are the same
    for measure in ('OKS', 'PCK'):
        assert vars(whole.loss[measure]) == pytest.approx(
            vars(whole.loss['OKS50'])
        )
    assert 'AP' not in whole.loss  # no people in COCO's format
    (equivalent,) = found.equivalents
    # .2 lost at 10 %, .7 at 20 %: .5 between them
    assert [e.value for e in equivalent.losses] == pytest.approx(
        [0.2, 0.7], abs=0.05
    )
    assert equivalent.reached
    assert equivalent.size.low <= 0.16 <= equivalent.size.high
    assert equivalent.size.value == pytest.approx(0.16, abs=0.012)
    assert equivalent.natural.value == pytest.approx(whole.loss['OKS50'].value)
    for by in {s.by for s in found.strata}:
        assert sum(s.people for s in found.strata if s.by == by) == N


def test_a_mild_attack_never_costs_as_much(planted):
    run = replace(planted, attacks=planted.attacks[:K])
    (equivalent,) = natural(RunMeasures(run, 20)).equivalents
    assert not equivalent.reached
    assert equivalent.size.value is None


def test_ap_of_a_joint_by_its_flag():
    """Half of the left wrists have v = 1; a third of these is lost."""
    wrist = made_up.COCO.index('left_wrist')
    boxes = boxes_of_all(12)
    boxes.visible[:6, wrist] = 1
    clean = made_up.perfect(boxes)
    clean.keypoints[:2, wrist] += 500
    run = made_up.run(boxes, clean, [])
    whole, one = natural(RunMeasures(run, 50)).gaps
    assert (one.joint, one.visible, one.occluded) == ('left_wrist', 6, 6)
    assert one.at_visible['AP'].value == pytest.approx(1)
    # recalls up to 4 / 6 of 101 are reached; the scores are equal and the
    # wrong ones stand first: precision 4 / 6
    assert one.at_occluded['AP'].value == pytest.approx(67 / 101 * 4 / 6)
    assert one.loss['OKS50'].value == pytest.approx(1 / 3)
    assert whole.loss['AP'].value == pytest.approx(one.loss['AP'].value)


def test_scores(measures, planted):
    judge = ScoreJudge(measures)
    told = [judge.attacked(attack) for attack in planted.attacks]
    scores = judge.scores()
    clean = scores.clean
    table = measures.clean_predictions.keypoint_table
    # uniform in +-.3 around .6 and .4: P(x > y) with a shift of a third
    assert clean.auroc.value == pytest.approx(1 - (2 / 3) ** 2 / 2, abs=0.02)
    assert clean.right.value == pytest.approx(table.right.mean())
    wrong = ~table.right & (table.score > 0.3)
    assert clean.confident_wrong.value == pytest.approx(wrong.mean())
    assert clean.ece_isotonic.value < clean.ece.value
    attack = planted.attacks[K]  # the nose at 20 %
    found = told[K]
    assert found.attack == attack.name
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


def test_pose_scores_rise_with_oks(measures):
    found = ScoreJudge(measures).scores().pose.spearman
    assert 0.2 < found.low <= found.value <= found.high < 1


def test_a_visibility_output_is_scored_beside_the_score(planted):
    """It knows what is hidden, clean and attacked; the score knows not."""
    seen = planted.boxes.visible == 2
    attacks = [
        replace(
            attack,
            predictions=replace(
                attack.predictions,
                visibility=np.where(attack.hidden, 0.1, 0.9),
                scores=np.full(seen.shape, 0.5),
            ),
        )
        for attack in planted.attacks
    ]
    clean = replace(planted.clean, visibility=np.where(seen, 0.8, 0.2))
    judge = ScoreJudge(
        RunMeasures(replace(planted, clean=clean, attacks=attacks), 20)
    )
    for attack in attacks:
        judge.attacked(attack)
    found = judge.scores()
    assert found.natural_visibility_auroc.value == 1
    assert found.natural_auroc.value < 0.8
    for each in (*found.attacks, *found.pooled):
        assert each.visibility_auroc.value == 1
        assert each.hidden_auroc.value == 0.5


def test_what_an_oracles_ranking_gains():
    """Of 10 people in images of their own 4 are lost, with the highest
    scores."""
    boxes = boxes_of_all(10)
    clean = made_up.perfect(boxes)
    clean.keypoints[:4] += 1000
    clean.scores[4:] = 0.5
    run = made_up.run(boxes, clean, [made_up.attack(clean, boxes)])
    judge = ScoreJudge(RunMeasures(run, 20))
    (found,) = [judge.attacked(attack) for attack in run.attacks]
    # recalls up to .6 are reached: with precision 6 / 10, and with 1
    gap = 61 / 101 * (1 - 6 / 10)
    for pose in (found.pose_clean, found.pose_attacked, judge.scores().pose):
        assert pose.oracle_gap.value == pytest.approx(gap)
    ranked = replace(clean, scores=clean.scores.copy())
    ranked.scores[:4] = 0.1
    best = RunMeasures(replace(run, clean=ranked), 5)
    assert ScoreJudge(best).scores().pose.oracle_gap.value == 0


def test_a_calibrated_simulator():
    """Keypoints that are right with the probability of their scores: an ECE
    within noise of 0, Brier score and AUROC as of scikit-learn, and AURC by
    its definition."""
    from sklearn.metrics import brier_score_loss, roc_auc_score

    rng = np.random.default_rng(0)
    boxes = boxes_of_all(400)
    clean = made_up.perfect(boxes)
    scores = rng.beta(2, 1.5, clean.scores.shape)
    right = rng.random(scores.shape) < scores
    keypoints = np.where(right[..., None], clean.keypoints, -1e4)
    run = made_up.run(
        boxes, Predictions(keypoints.astype(np.float32), scores), [], people=[]
    )
    found = ScoreJudge(RunMeasures(run, 100)).scores().clean
    known = scores.ravel(), right.ravel()
    assert found.ece.value < 0.03
    assert found.brier.value == pytest.approx(brier_score_loss(*known[::-1]))
    assert found.auroc.value == pytest.approx(
        roc_auc_score(*known[::-1]), abs=1e-4
    )
    ordered = ~known[1][np.argsort(-known[0])]
    risks = np.cumsum(ordered) / np.arange(1, len(ordered) + 1)
    assert found.aurc.value == pytest.approx(risks.mean(), abs=1e-4)
    for each in (found.brier, found.auroc, found.aurc):
        assert each.low < each.value < each.high
