"""Batches of attacked crops: exact pixels on every device."""

import numpy as np
import pytest
import torch

from mmpose_occlusion.benchmark.effects import effect_of
from mmpose_occlusion.predictors.mmpose_crops import Crop, inputs_of
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


@pytest.mark.parametrize(
    'device',
    [
        'cpu',
        pytest.param(
            'cuda',
            marks=[
                pytest.mark.cuda,
                pytest.mark.skipif(
                    not torch.cuda.is_available(), reason='no GPU'
                ),
            ],
        ),
    ],
)
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
