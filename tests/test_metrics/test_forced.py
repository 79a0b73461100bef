"""What an attack did to whom it attacked, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from mmpose_occlusion.evaluation.predictions import (
    load_predictions,
    sample_key,
    save_predictions,
)
from mmpose_occlusion.metrics.forced import (
    Change,
    compare,
    without_hidden,
)
from mmpose_occlusion.metrics.functional import oks

# with this sigma and area, OKS of a joint is exp(-d² / 200)
SIGMA, AREA = 0.05, 10_000.0


def similar(distance):
    return np.exp(-(distance**2) / 200)


@pytest.mark.parametrize(
    ('errors', 'mask', 'expected'),
    [
        ([0, 0], [1, 1], 1),
        ([10, 0], [1, 1], (similar(10) + 1) / 2),
        ([10, 0], [1, 0], similar(10)),
        ([np.inf, 0], [1, 1], 0.5),
        ([np.nan, 0], [0, 1], 1),
        ([0, 0], [0, 0], np.nan),
    ],
)
def test_oks(errors, mask, expected):
    result = oks(
        np.array([errors], float),
        np.array([AREA]),
        np.full(2, SIGMA),
        np.array([mask], bool),
    )
    assert result == pytest.approx([expected], nan_ok=True)


def people(clean, attacked, labelled, hidden, changed=None):
    """Arguments of a comparison: errors in pixels to the right of the truth
    stand for predictions, the size of everybody is 100."""
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
        hidden=np.array(hidden, bool),
        changed=np.array([1] * n if changed is None else changed, bool),
        sizes=np.full(n, 100.0),
        areas=np.full(n, AREA),
        sigmas=np.full(k, SIGMA),
    )


def test_by_hand():
    """Two people with three joints, the first of which is hidden."""
    result = compare(
        **people(
            clean=[[0, 10, 0], [0, 0, 30]],
            attacked=[[40, 10, 0], [10, 25, 30]],
            labelled=[[1, 1, 0], [1, 1, 1]],
            hidden=[[1, 0, 0], [1, 0, 0]],
        )
    )
    assert result.people == 2
    assert result.hidden == Change(
        joints=2,
        pck_clean=1.0,
        pck_attacked=0.5,
        error_clean=pytest.approx(0.0),
        error_attacked=pytest.approx(0.25),
    )
    assert result.others == Change(
        joints=3,
        pck_clean=pytest.approx(2 / 3),
        pck_attacked=pytest.approx(1 / 3),
        error_clean=pytest.approx(0.1),
        error_attacked=pytest.approx(0.25),
    )
    clean = ((1 + similar(10)) / 2 + (2 + similar(30)) / 3) / 2
    forced = (similar(10) / 2 + (1 + similar(30)) / 3) / 2
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
        ([[0, 0]], 1.0),  # sees through
        ([[999, 0]], 0.0),  # knows nothing of the hidden joint
        ([[999, 999]], -1.0),  # loses the other as well
    ],
)
def test_recovered(attacked, recovered):
    result = compare(
        **people([[0, 0]], attacked, [[1, 1]], [[1, 0]]),
    )
    assert result.recovered == pytest.approx(recovered)


def test_only_attacked_people_count():
    """Neither those who were not attacked nor those without a label."""
    one = people([[0, 0]], [[9, 9]], [[1, 1]], [[1, 0]])
    more = people(
        [[0, 0], [50, 50], [50, 50]],
        [[9, 9], [70, 70], [70, 70]],
        [[1, 1], [1, 1], [0, 0]],
        [[1, 0], [1, 1], [1, 1]],
        changed=[1, 0, 1],
    )
    assert compare(**more) == compare(**one)


def test_nobody_was_attacked():
    result = compare(
        **people([[0, 0]], [[9, 9]], [[1, 1]], [[1, 0]], changed=[0])
    )
    nothing = Change(0, None, None, None, None)
    assert (
        result.as_dict()
        == replace(
            result,
            people=0,
            hidden=nothing,
            others=nothing,
            oks_clean=None,
            oks_forced=None,
            oks_attacked=None,
            recovered=None,
        ).as_dict()
    )


def test_nothing_labelled_is_hidden():
    result = compare(**people([[0, 0]], [[9, 9]], [[0, 1]], [[1, 0]]))
    assert result.hidden.joints == 0
    assert result.hidden.pck_clean is None
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


# --- predictions on disk ----------------------------------------------------


def prediction(seed):
    rng = np.random.default_rng(seed)
    return dict(
        keypoints=rng.normal(size=(17, 2)).astype(np.float32),
        keypoint_scores=rng.random(17, np.float32),
        bbox=rng.random(4, np.float32),
    )


def test_predictions_come_back(tmp_path):
    made = {sample_key(785, i): prediction(i) for i in range(3)}
    made[sample_key('a/b', 'é')] = prediction(9)
    path = save_predictions(tmp_path / 'new' / 'clean.npz', made)
    found = load_predictions(path)
    assert found.keys() == made.keys()
    for key, entry in made.items():
        for name, value in entry.items():
            np.testing.assert_array_equal(found[key][name], value)


def test_predictions_are_not_overwritten(tmp_path):
    path = save_predictions(tmp_path / 'a.npz', {('1', '1'): prediction(0)})
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match=r'a\.npz" exist already'):
        save_predictions(path, {})
    assert path.read_bytes() == before


@pytest.mark.parametrize('content', [b'', b'nonsense', 'pickle', 'other'])
def test_what_is_no_prediction_is_refused(tmp_path, content):
    path = tmp_path / 'a.npz'
    if content == 'pickle':
        np.savez(path, image=np.array([object()]))
    elif content == 'other':
        np.savez(path, image=np.array(['1']))
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r'a\.npz" holds no predictions'):
        load_predictions(path)
