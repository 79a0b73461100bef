"""A step of torchvision's v2: keypoints are kept, hidden ones marked."""

import pytest

pytest.importorskip('torchvision')

import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

from mmpose_occlusion.augmentation_libraries import TorchvisionOcclusion


def sample():
    """An image, and keypoints as the plain tensor of every torchvision."""
    torch.manual_seed(0)
    image = tv_tensors.Image(torch.full((3, 200, 160), 200, dtype=torch.uint8))
    xy = torch.rand(2, 17, 2) * 120 + 20
    visible = torch.full((2, 17), 2)
    visible[1, 3] = 0
    return image, dict(keypoints=xy, visible=visible)


NOSE = TorchvisionOcclusion(1, target='nose', fill='black', size='20%')


def test_hidden_joints_are_marked():
    image, target = sample()
    pixels, found = v2.Compose([NOSE])(image, target)
    assert isinstance(pixels, tv_tensors.Image)
    assert torch.equal(found['keypoints'], target['keypoints'])
    assert image.min() == 200
    check_hidden(pixels, found, target)


@pytest.mark.skipif(
    not hasattr(tv_tensors, 'KeyPoints'),
    reason='torchvision before 0.23 has no KeyPoints',
)
def test_keypoints_are_flipped_with_the_image():
    image, target = sample()
    xy = tv_tensors.KeyPoints(target['keypoints'], canvas_size=(200, 160))
    augment = v2.Compose([NOSE, v2.RandomHorizontalFlip(p=1)])
    pixels, found = augment(image, dict(target, keypoints=xy))
    assert isinstance(found['keypoints'], tv_tensors.KeyPoints)
    assert (found['keypoints'][..., 0] != xy[..., 0]).any()
    check_hidden(pixels, found, target)


def check_hidden(pixels, found, target):
    """Black joints are hidden, both noses are."""
    col, row = found['keypoints'].round().long().unbind(-1)
    black = (pixels[:, row.clip(0, 199), col.clip(0, 159)] == 0).all(0)
    labelled = target['visible'] > 0
    assert black[:, 0].all()
    expected = target['visible'].masked_fill(black & labelled, 1)
    assert (found['visible'] == expected).float().mean() > 0.95  # rims
    assert (found['visible'][:, 0] == 1).all()
    assert found['visible'][1, 3] == 0


def test_draws_follow_torchs_generator():
    image, target = sample()
    step = TorchvisionOcclusion(0.5, fill='noise')
    runs = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        runs.append([step(image, target)[0] for _ in range(8)])
    assert all((a == b).all() for a, b in zip(runs[0], runs[1], strict=True))
    changed = [(a != image).any().item() for a in runs[0]]
    assert 0 < sum(changed) < 8
    assert any((a != b).any() for a, b in zip(runs[0], runs[2], strict=True))
