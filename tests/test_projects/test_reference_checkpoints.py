"""Converted checkpoints are the same model."""

import json
from collections import OrderedDict

import numpy as np
import pytest
import torch
from convert_checkpoint import main
from reference_checkpoints import convert

from mmpose_occlusion.checkpoints import load_checkpoint_safely
from tests.test_checkpoints.mmpose_side import (
    NARROW_HRNET,
    assert_same_answer,
    build,
    heatmaps,
    hrnet,
    resnet,
)
from tests.test_checkpoints.reference_models import (
    HighResolution,
    SimpleBaseline,
    randomised,
)


def test_given_hrnet_predicts_the_stored_heatmaps(given):
    path = given / 'pose_hrnet_w8_64x64.pth'
    stored = np.load(given / 'pose_hrnet_w8_64x64.npz')

    converted = convert(load_checkpoint_safely(path), str(path))

    model = build(*hrnet(8, 17))
    model.load_state_dict(converted['state_dict'], strict=True)
    answer = heatmaps(model, torch.from_numpy(stored['x'])).numpy()
    assert answer.shape == stored['y'].shape == (1, 17, 16, 16)
    scale = np.abs(stored['y']).max()
    assert np.abs(answer - stored['y']).max() < 1e-5 * scale
    assert converted['meta']['crop_size'] == '64x64'


def test_given_resnet_keys_convert(given):
    """Random weights under the given keys, answered by a model of our own."""
    name = 'pose_resnet_18_64x64_wrapped.keys.json'
    keys = json.loads((given / name).read_text())
    reference = randomised(SimpleBaseline, 18, 17, (32, 32, 32))
    weights = reference.state_dict()
    state = OrderedDict(
        (f'module.{key}', weights[key].reshape(shape))
        for key, shape in keys.items()
    )
    checkpoint = {
        'epoch': 140,
        'model': 'pose_resnet',
        'state_dict': state,
        'perf': np.float64(0.704),
        'optimizer': {'state': {}, 'param_groups': []},
    }

    converted = convert(checkpoint, name)

    configs = resnet(18, 17, (32, 32, 32))
    assert_same_answer(converted['state_dict'], configs, reference)
    assert converted['meta']['converted_from'] == {
        'file': name,
        'weights': 'state_dict',
    }


def _parallel(model):
    return {f'module.{k}': v for k, v in model.state_dict().items()}


@pytest.mark.parametrize(
    ('wrap', 'source'),
    [
        (lambda a, b: a.state_dict(), 'bare state dict'),
        (lambda a, b: _parallel(a), 'bare state dict'),
        (lambda a, b: {'state_dict': _parallel(a)}, 'state_dict'),
        (
            lambda a, b: {
                'state_dict': _parallel(b),
                'best_state_dict': a.state_dict(),
            },
            'best_state_dict',
        ),
    ],
    ids=['bare', 'parallel', 'wrapped', 'both'],
)
def test_wrappings(hrnet, wrap, source):
    other = randomised(HighResolution, 4, 16, (1, 1, 2), (1, 1, 2, 1), seed=1)
    converted = convert(wrap(hrnet, other))

    assert converted['meta']['converted_from']['weights'] == source
    state = converted['state_dict']
    assert_same_answer(state, NARROW_HRNET, hrnet)


@pytest.mark.parametrize(
    ('path', 'size'),
    [
        ('pose_hrnet_w32_384x288.pth', '384x288'),
        ('a.pth', ''),
        ('old_384x288/a_256x192.pth', '256x192'),
        ('res50_384x288_d256x3/model_best.pth', '384x288'),
        ('pose_resnet_101_384x288.pth.tar', '384x288'),
    ],
)
def test_a_name_tells_the_size_of_crops(resnet, hrnet, path, size):
    for model, order in ((resnet, 'bgr'), (hrnet, 'rgb')):
        meta = convert(model.state_dict(), path)['meta']
        assert (meta['crop_size'], meta['channel_order']) == (size, order)


def test_from_file_to_file(write, tmp_path, resnet, hrnet, capsys):
    source = write(
        {
            'epoch': 210,
            'model': 'pose_resnet',
            'state_dict': _parallel(resnet),
            'best_state_dict': hrnet.state_dict(),
            'perf': np.float64(0.9),
        },
        'pose.pth',
    )
    target = tmp_path / 'new' / 'best.pth'

    assert main([str(source), str(target)]) == 0

    assert f'Wrote {target}: test it with' in capsys.readouterr().out
    # by plain PyTorch, which allows nothing beyond weights and plain data
    written = torch.load(target, weights_only=True)
    assert_same_answer(written['state_dict'], NARROW_HRNET, hrnet)


def test_mistakes_are_one_sentence(write, tmp_path, resnet, capsys):
    source = write(resnet.state_dict())
    target = tmp_path / 'out.pth'
    target.write_text('mine')

    assert main([str(source), str(target)]) == 2
    assert capsys.readouterr().err == (
        f'error: checkpoint "{target}" exists: choose another name, or '
        'delete it\n'
    )
    other = write({'backbone.conv1.weight': torch.ones(1)}, 'mmpose.pth')
    assert main([str(other), str(tmp_path / 'b.pth')]) == 2
    assert 'is not one of the reference code' in capsys.readouterr().err
    assert not (tmp_path / 'b.pth').exists()


def test_it_never_trusts(write, tmp_path, capsys):
    marker = tmp_path / 'marker'

    class Evil:
        def __reduce__(self):
            return exec, (f'open({str(marker)!r}, "w").close()',)

    source = write({'state_dict': {'conv1.weight': Evil()}})

    assert main([str(source), str(tmp_path / 'out.pth')]) == 2
    assert 'could run code' in capsys.readouterr().err
    assert not marker.exists()
