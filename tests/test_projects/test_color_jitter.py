"""The reference's change of colours."""

# ruff: noqa: NPY002 (MMEngine seeds NumPy's global generator; so do we)

import pickle

import numpy as np
import torch
from mmcv.transforms.utils import cache_random_params
from mmpose.registry import TRANSFORMS
from torchvision import transforms

from mmpose_occlusion.engine.pipelines import is_occlusion
from projects.tilting_at_windmills import color_jitter
from projects.tilting_at_windmills.color_jitter import ColorJitter
from tests.golden.samples import photo


def jitter(image, magnitude=0.05, seed=0):
    np.random.seed(seed)
    return ColorJitter(magnitude)(dict(img=image))['img']


def test_it_is_torchvisions_with_one_magnitude(monkeypatch):
    """Of brightness, contrast, saturation and hue, on RGB."""
    made = []

    class Spy(transforms.ColorJitter):
        def __init__(self, *args):
            made.append(args)
            super().__init__(*args)

        def forward(self, picture):
            assert np.asarray(picture)[0, 0].tolist() == [3, 2, 1]  # RGB
            state = torch.get_rng_state()
            expected.append(super().forward(picture))
            torch.set_rng_state(state)
            return super().forward(picture)

    expected = []
    monkeypatch.setattr(color_jitter, 'Jitter', Spy)
    image = photo(12, 9)
    image[0, 0] = 1, 2, 3
    found = [jitter(image, seed=seed) for seed in range(100)]
    assert all(len(set(args)) == 1 for args in made)
    assert all(len(args) == 4 for args in made)
    for out, picture in zip(found, expected, strict=True):
        assert (out == np.asarray(picture)[..., ::-1]).all()
        assert out.flags['C_CONTIGUOUS']
    # U(0, 0.05): mean 0.025, standard error 0.05 / sqrt(12 * 100) = 0.0014
    magnitudes = np.array(made)[:, 0]
    assert 0 <= magnitudes.min() < 0.005
    assert 0.045 < magnitudes.max() <= 0.05
    assert abs(magnitudes.mean() - 0.025) < 4 * 0.0014


def test_channels_keep_their_places():
    """A red image stays red in BGR; a grey one has no hue to turn."""
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 2] = 200
    for seed in range(20):
        b, g, r = jitter(red, seed=seed)[4, 4].tolist()
        assert r > 170
        assert b < 80
        assert g < 80
        grey = jitter(np.full((8, 8, 3), 100, np.uint8), seed=seed)
        assert np.ptp(grey[4, 4].astype(int)) <= 1
        assert abs(int(grey[4, 4, 0]) - 100) <= 11  # 1.05^2


def test_zero_changes_nothing():
    image = photo(8, 8)
    assert (jitter(image, 0) == image).all()


def test_draws_follow_numpys_generator_alone():
    image = photo(8, 8)
    kept = image.copy()
    state = torch.get_rng_state()
    first = jitter(image)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(5)
    assert (jitter(image) == first).all()
    assert (jitter(image, seed=1) != first).any()
    assert (image == kept).all()
    transform = ColorJitter()
    with cache_random_params(transform):
        a, b = (transform(dict(img=image))['img'] for _ in range(2))
    assert (a == b).all()


def test_registered_and_pickled():
    built = TRANSFORMS.build(dict(type='ColorJitter'))
    assert repr(pickle.loads(pickle.dumps(built))) == (
        'ColorJitter(magnitude=0.05)'
    )


def test_it_is_no_occlusion():
    """Views and galleries show it in the clean crop."""
    assert not is_occlusion(dict(type='ColorJitter'))
    assert not is_occlusion(dict(type='KeepImage', key='before'))
    for type_ in ('PartMix', 'mmpose.PartOcclusion', 'EmptyRemovedHeatmaps'):
        assert is_occlusion(dict(type=type_))
