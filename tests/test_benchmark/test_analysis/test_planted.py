"""Effects that were planted are the only ones found."""

import numpy as np
import pytest

from mmpose_occlusion.benchmark.analysis import analyse
from tests.test_benchmark import made_up

ELBOW, WRIST = 'left_elbow', 'left_wrist'


@pytest.fixture(scope='module')
def boxes():
    return made_up.people(images=8, each=2, seed=1)


def test_a_perfect_model_scores_one_and_loses_nothing(boxes):
    clean = made_up.perfect(boxes)
    attacks = [
        made_up.attack(clean, boxes, joint) for joint in ('nose', ELBOW)
    ]
    (found,), _ = analyse([made_up.run(boxes, clean, attacks)], draws=50)
    best = dict(AP=1, AR=1, PCK=1, OKS50=1, EPE=0, EPE_px=0)
    for scores in (
        found.clean,
        *(cost.clean for cost in found.costs),
        *(cost.attacked for cost in found.costs),
    ):
        for name, value in best.items():
            ends = scores[name]
            assert (ends.value, ends.low, ends.high) == pytest.approx(
                (value,) * 3, abs=1e-4
            )
    for cost in found.costs:
        assert cost.people > 0
        for ends in cost.change.values():
            assert (ends.value, ends.low, ends.high) == (0, 0, 0)
        for joint in cost.joints:
            for scores in (joint.clean, joint.attacked):
                assert (scores.pck is None) == (joint.number == 0)
                if joint.number:
                    assert (scores.pck, scores.oks50) == (1, 1)
                    assert scores.ap in (None, pytest.approx(1))
        for group in cost.failures.values():
            for kinds in group.values():
                assert sum(kinds.values()) == kinds['good']


def test_wrists_that_move_when_the_elbow_is_hidden(boxes):
    """Only the wrist, only under the attack on the elbow, by 40 pixels."""
    wrist, elbow = (made_up.COCO.index(name) for name in (WRIST, ELBOW))

    def shift_the_wrist(joints):
        joints = joints.copy()
        joints[:, wrist] += (0, 40)
        return joints

    clean = made_up.perfect(boxes)
    names = made_up.COCO
    attacks = [
        made_up.attack(
            clean,
            boxes,
            name,
            fault=shift_the_wrist if name == ELBOW else None,
        )
        for name in names
    ]
    (found,), _ = analyse([made_up.run(boxes, clean, attacks)], draws=20)

    values = np.array([list(cost.moved.values()) for cost in found.costs])
    changed = attacks[elbow].changed
    longer = (boxes.boxes[:, 2:] - boxes.boxes[:, :2]).max(axis=1)
    expected = np.zeros((17, 17))
    expected[elbow, wrist] = np.mean(40 / longer[changed])
    assert values == pytest.approx(expected, abs=1e-6)

    for cost in found.costs:
        hit = cost.target == ELBOW
        assert (cost.change['AP'].value < 0) == hit
        assert (cost.change['PCK'].value < 0) == hit
        assert (cost.change['EPE'].value > 0) == hit
        assert cost.change['AP'].is_real == hit
        for row in cost.joints:
            bad = (
                hit and row.group == 'visible' and row.joint in (WRIST, 'all')
            )
            assert ((row.attacked.epe or 0) > 1e-6) == bad, row
            if bad and row.joint == WRIST:
                both = changed & (boxes.visible[:, wrist] > 0)
                assert row.number == both.sum()
                assert row.attacked.epe_px == pytest.approx(40, abs=1e-3)
                assert row.attacked.epe == pytest.approx(
                    np.mean(40 / longer[both]), abs=1e-5
                )
                near = 0.2 * longer[both] > 40
                assert row.attacked.pck == pytest.approx(near.mean())
                assert row.clean.ap == pytest.approx(1)
                change = row.change['EPE_px']
                assert change.value == pytest.approx(40, abs=1e-3)
                assert (change.low, change.high) == pytest.approx(
                    (40, 40), abs=1e-3
                )
                assert row.change['OKS50'].high == -1
                assert row.attacked.ap < 0.5
        moved = {name for name, x in cost.moved.items() if x > 1e-6}
        assert moved == ({WRIST} if hit else set())


def test_an_attack_that_changes_no_crop_is_undefined(boxes):
    clean = made_up.perfect(boxes)
    attack = made_up.attack(clean, boxes, changed=np.zeros(len(boxes), bool))
    (found,), _ = analyse([made_up.run(boxes, clean, [attack])], draws=5)
    (cost,) = found.costs
    assert (cost.people, cost.painted) == (0, None)
    for scores in (cost.clean, cost.attacked, cost.change):
        assert {e.value for e in scores.values()} == {None}
    assert set(cost.moved.values()) == {None}


def test_people_who_were_not_attacked_do_not_count(boxes):
    """Their predictions are far off."""
    clean = made_up.perfect(boxes)
    first = np.arange(len(boxes)) % 2 == 0
    clean.keypoints[~first] += 300
    attack = made_up.attack(clean, boxes, changed=first)
    (found,), _ = analyse([made_up.run(boxes, clean, [attack])], draws=5)
    assert found.costs[0].clean['AP'].value == 1
    assert found.clean['AP'].value < 1


def test_targets_bystanders_and_visible_joints_are_apart(boxes):
    """The nose is attacked and the eyes lie under its paint; the eyes and
    the wrist are lost."""
    clean = made_up.perfect(boxes)
    nose, eye, wrist = (
        made_up.COCO.index(name) for name in ('nose', 'left_eye', WRIST)
    )

    def lose(joints):
        joints = joints.copy()
        joints[:, [eye, wrist]] += 500
        return joints

    attack = made_up.attack(clean, boxes, fault=lose)
    attack.bystanders[:, eye] = attack.changed
    (found,), _ = analyse([made_up.run(boxes, clean, [attack])], draws=5)
    (cost,) = found.costs
    labelled = (boxes.visible > 0) & attack.changed[:, None]
    rows = {(r.group, r.joint): r for r in cost.joints}
    for group, joints, pck in (
        ('target', [nose], 1),
        ('bystander', [eye], 0),
        ('visible', [j for j in range(17) if j not in (nose, eye)], None),
    ):
        row = rows[group, 'all']
        assert row.number == labelled[:, joints].sum()
        assert row.clean.pck == 1
        if pck is not None:
            assert row.attacked.pck == pck
        kinds = cost.failures[group]['attacked']
        assert sum(kinds.values()) == row.number
        assert kinds['good'] == round(row.attacked.pck * row.number)
    lost = labelled[:, wrist].sum()
    assert rows['visible', 'all'].attacked.pck == pytest.approx(
        1 - lost / rows['visible', 'all'].number
    )
    assert rows['visible', 'nose'].number == 0
