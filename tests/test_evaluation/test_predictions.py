"""Predictions on disk."""

import numpy as np
import pytest

from mmpose_occlusion.evaluation.predictions import (
    load_predictions,
    sample_key,
    save_predictions,
)


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
