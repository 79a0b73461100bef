"""The forced-occlusion comparison, by hand."""

import numpy as np
import pytest

from mmpose_occlusion.metrics.forced import (
    ForcedComparison,
    GroupChange,
    compare_forced,
    without_hidden,
)

# with this sigma and area, OKS of a joint is exp(-d² / 200)
SIGMA, AREA = 0.05, 10_000.0


def similar(distance):
    return np.exp(-(distance**2) / 200)


def people(clean, attacked, labelled, targets, changed=None, bystanders=None):
    """Arguments of a comparison: errors in pixels to the right of the truth
    stand for predictions, and all people are of size 100."""
    n, k = np.shape(clean)
    truth = np.random.default_rng(0).uniform(0, 500, (n, k, 2))

    def moved(errors):
        out = truth.copy()
        out[..., 0] += errors
        return out

    return dict(
        clean=moved(clean),
        attacked=moved(attacked),
        truth=truth,
        labelled=np.array(labelled, bool),
        targets=np.array(targets, bool),
        bystanders=np.array(
            np.zeros((n, k)) if bystanders is None else bystanders, bool
        ),
        changed=np.array([1] * n if changed is None else changed, bool),
        sizes=np.full(n, 100.0),
        areas=np.full(n, AREA),
        sigmas=np.full(k, SIGMA),
    )


def test_by_hand():
    """Two people with three joints: the first is the target, and the second
    of the second person is a bystander."""
    result = compare_forced(
        **people(
            clean=[[0, 10, 0], [0, 0, 30]],
            attacked=[[40, 10, 0], [10, 25, 30]],
            labelled=[[1, 1, 0], [1, 1, 1]],
            targets=[[1, 0, 0], [1, 0, 0]],
            bystanders=[[0, 0, 0], [0, 1, 0]],
        )
    )
    assert result.people == 2
    assert result.target == GroupChange(
        joints=2,
        pck_clean=1.0,
        pck_attacked=0.5,
    )
    assert result.bystander == GroupChange(
        joints=1,
        pck_clean=1.0,
        pck_attacked=0.0,
    )
    assert result.visible == GroupChange(
        joints=2,
        pck_clean=0.5,
        pck_attacked=0.5,
    )
    clean = ((1 + similar(10)) / 2 + (2 + similar(30)) / 3) / 2
    forced = (similar(10) / 2 + similar(30) / 3) / 2
    attacked = (
        (similar(40) + similar(10)) / 2
        + (similar(10) + similar(25) + similar(30)) / 3
    ) / 2
    assert result.oks_clean == pytest.approx(clean)
    assert result.oks_forced == pytest.approx(forced)
    assert result.oks_attacked == pytest.approx(attacked)
    assert result.recovered == pytest.approx(
        (attacked - forced) / (clean - forced)
    )


@pytest.mark.parametrize(
    ('attacked', 'recovered'),
    [
        ([[0, 0]], 1.0),  # finds the hidden joint
        ([[999, 0]], 0.0),  # does not find it
        ([[999, 999]], -1.0),  # loses the visible one as well
    ],
)
def test_recovered(attacked, recovered):
    result = compare_forced(
        **people([[0, 0]], attacked, [[1, 1]], [[1, 0]]),
    )
    assert result.recovered == pytest.approx(recovered)


def test_only_attacked_people_count():
    """People who were not attacked or have no label are left out."""
    one = people([[0, 0]], [[9, 9]], [[1, 1]], [[1, 0]])
    more = people(
        [[0, 0], [50, 50], [50, 50]],
        [[9, 9], [70, 70], [70, 70]],
        [[1, 1], [1, 1], [0, 0]],
        [[1, 0], [1, 1], [1, 1]],
        changed=[1, 0, 1],
    )
    assert compare_forced(**more) == compare_forced(**one)


def test_without_attacked_people_all_is_undefined():
    result = compare_forced(
        **people([[0, 0]], [[9, 9]], [[1, 1]], [[1, 0]], changed=[0])
    )
    none = GroupChange(0, None, None)
    assert result == ForcedComparison(0, *[none] * 3, *[None] * 4)


def test_without_hidden_labels_nothing_is_recovered():
    result = compare_forced(**people([[0, 0]], [[9, 9]], [[0, 1]], [[1, 0]]))
    assert result.target.joints == 0
    assert result.target.pck_clean is None
    assert result.oks_forced == result.oks_clean
    assert result.recovered is None


def test_the_hidden_joints_are_those_of_each_person():
    """The reference took the joints of one person from all."""
    clean = np.zeros((2, 2, 2))
    hidden = np.array([[True, False], [False, False]])
    forced = without_hidden(clean, hidden)
    assert (forced[1] == 0).all()
    assert (forced[0, 1] == 0).all()
    assert (forced[0, 0] < -1e5).all()
    assert (clean == 0).all()
