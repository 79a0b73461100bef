"""Batches of attacked crops: exact pixels on every device."""

import copy

import numpy as np
import pytest
import torch

from mmpose_occlusion.benchmark.effects import effect_of
from mmpose_occlusion.predictors.library_models import exact_convolutions
from mmpose_occlusion.predictors.mmpose_crops import Crop, inputs_of
from mmpose_occlusion.predictors.mmpose_network import deterministic
from mmpose_occlusion.skeleton import Skeleton

SHAPE = (3, 16, 12)


@pytest.fixture
def crops():
    """Crops, and the same under an attack."""
    out = []
    for number in range(4):
        generator = np.random.default_rng(number)
        inputs = generator.integers(0, 256, SHAPE, np.uint8)
        attacked = inputs.copy()
        attacked[:, number : number + 5, 2 : 4 + number] //= 2
        effect = effect_of(
            inputs.transpose(1, 2, 0),
            attacked.transpose(1, 2, 0),
            [dict(hidden=[], pixels=number)],
            Skeleton(('nose',)),
        )
        out.append((Crop(inputs, None, {'a': effect}), attacked))
    return out


def test_inputs(crops, device):
    before = [made.inputs.copy() for made, _ in crops]
    some = [crops[row] for row in (0, 3, 1)]
    made = [crop for crop, _ in some]
    for attack in ('a', 'clean', 'a'):
        found = inputs_of(made, attack, device)
        for inputs, (crop, attacked) in zip(found, some, strict=True):
            want = crop.inputs if attack == 'clean' else attacked
            assert inputs.device.type == device
            assert np.array_equal(inputs.cpu().numpy(), want)
    for (crop, _), known in zip(crops, before, strict=True):
        assert np.array_equal(crop.inputs, known)


def test_convolutions_are_exact_on_every_device(device):
    """TF32, cuDNN's default, has errors of 1e-4 to 1e-3 here."""
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(2, 64, 16, 12, generator=generator)
    net = torch.nn.Conv2d(64, 32, 3).requires_grad_(False)
    want = copy.deepcopy(net).double()(values.double())
    before = cudnn_flags()
    with deterministic(torch.device(device)):
        assert cudnn_flags() == (False, True, False)
        found = net.to(device)(values.to(device)).cpu().double()
        again = net(values.to(device)).cpu().double()
    assert (found - want).norm() < 1e-6 * want.norm()
    assert torch.equal(found, again)
    assert cudnn_flags() == before


def test_convolutions_are_exact_beside_the_names_of_torch_2_9():
    cudnn = torch.backends.cudnn
    if not hasattr(cudnn, 'conv'):
        pytest.skip('an older torch')
    kept = cudnn.conv.fp32_precision
    for value in ('ieee', kept):
        cudnn.conv.fp32_precision = value
        with exact_convolutions():
            assert cudnn.conv.fp32_precision != 'tf32'
        assert cudnn.conv.fp32_precision == value


def cudnn_flags() -> tuple[bool, bool, bool]:
    cudnn = torch.backends.cudnn
    return cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32
