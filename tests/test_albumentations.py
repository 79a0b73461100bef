"""Albumentations 2: all keypoints are kept, the hidden ones are marked."""

import re
from pathlib import Path

import numpy as np
import pytest

from mmpose_occlusion.errors import UsageError

A = pytest.importorskip('albumentations', minversion='2')


@pytest.fixture
def sample():
    rng = np.random.default_rng(0)
    xy = rng.uniform(20, 180, (34, 2))
    flags = np.full(34, 2)
    flags[[3, 20]] = 0
    image = np.full((200, 200, 3), 200, np.uint8)
    return dict(image=image, keypoints=xy, visible=flags)


def compose(seed=0, **arguments):
    from mmpose_occlusion.albumentations_occlusion import (
        AlbumentationsOcclusion,
    )

    return A.Compose(
        [AlbumentationsOcclusion(p=1, **arguments), A.HorizontalFlip(p=1)],
        keypoint_params=A.KeypointParams(
            'xy', label_fields=['visible'], remove_invisible=False
        ),
        seed=seed,
    )


def test_the_example_of_the_page(sample):
    page = Path(__file__).parents[1] / 'docs/any_program.md'
    blocks = re.findall(r'```py\n(.*?)```', page.read_text(), re.S)
    (code,) = (block for block in blocks if 'albumentations' in block)
    names = dict(image=sample['image'], visible=sample['visible'])
    names['keypoints'] = sample['keypoints']
    exec(compile(code, str(page), 'exec'), names)
    assert len(names['found']['visible']) == 34


def test_hidden_joints_are_marked(sample):
    image = sample['image'].copy()
    out = compose(target='left_wrist', fill='black', size='20%')(**sample)
    assert (sample['image'] == image).all()
    xy, flags = np.array(out['keypoints']), np.array(out['visible'])
    assert xy.shape == (34, 2)
    mirrored = sample['keypoints'] * [-1, 1] + [199, 0]
    assert xy == pytest.approx(mirrored, abs=1e-3)
    col, row = np.round(xy).astype(int).T
    black = ~out['image'][row, col].any(axis=1) & (sample['visible'] > 0)
    assert black[[9, 26]].all()
    assert (flags == np.where(black, 1, sample['visible'])).all()


def test_draws_follow_the_seed_of_compose(sample):
    images = [
        compose(seed, target='random', fill='noise')(**sample)['image']
        for seed in (1, 1, 2)
    ]
    assert (images[0] == images[1]).all()
    assert (images[0] != images[2]).any()


def test_serialization():
    one = compose(target='head', fill='blur')
    again = A.from_dict(A.to_dict(one))
    assert (again[0].target, again[0].fill) == ('head', 'blur')


def test_missing_keypoints_are_refused(sample):
    sample['keypoints'] = sample['keypoints'][:20]
    sample['visible'] = sample['visible'][:20]
    with pytest.raises(UsageError, match='got 20 keypoints'):
        compose()(**sample)
