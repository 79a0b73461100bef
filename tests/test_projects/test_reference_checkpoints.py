"""Converted checkpoints are the same model, or are refused."""

import json
import re
from collections import OrderedDict

import numpy as np
import pytest
import torch
from reference_checkpoints import convert, save

from mmpose_occlusion.checkpoints import (
    CheckpointError,
    load_checkpoint_safely,
)
from tests.test_checkpoints.mmpose_side import (
    assert_same_answer,
    build_recognised,
    heatmaps,
)
from tests.test_checkpoints.reference_models import (
    HighResolution,
    SimpleBaseline,
    name_of,
    randomised,
    shapes,
    weightless,
)


def test_given_hrnet_predicts_the_stored_heatmaps(given):
    path = given / 'pose_hrnet_w8_64x64.pth'
    stored = np.load(given / 'pose_hrnet_w8_64x64.npz')

    converted = convert(load_checkpoint_safely(path), str(path))

    model = build_recognised(converted)
    model.load_state_dict(converted['state_dict'], strict=True)
    answer = heatmaps(model, torch.from_numpy(stored['x'])).numpy()
    assert answer.shape == stored['y'].shape == (1, 17, 16, 16)
    scale = np.abs(stored['y']).max()
    assert np.abs(answer - stored['y']).max() < 1e-5 * scale


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

    assert_same_answer(converted, reference)
    assert converted['meta']['converted_from'] == {
        'file': name,
        'weights': 'state_dict',
    }


@pytest.mark.parametrize(
    ('model', 'options'),
    [
        ((SimpleBaseline, 18, 16, (24, 16, 8), (4, 3, 2)), {}),
        ((SimpleBaseline, 34, 17, (8, 8), (4, 4)), dict(final=3)),
        ((SimpleBaseline, 50, 17), {}),
        ((SimpleBaseline, 18, 5, (), ()), {}),
        ((HighResolution, 4, 16, (1, 1, 2), (1, 2, 1, 3)), dict(final=3)),
        (
            (HighResolution, 2, 17, (2, 1, 1), (1, 1, 1, 1)),
            dict(bottleneck=True),
        ),
    ],
    ids=name_of,
)
def test_converted_model_predicts_as_the_reference(model, options):
    reference = randomised(*model, **options)

    assert_same_answer(convert(reference.state_dict()), reference)


def test_branch_of_equal_width_has_no_transition():
    reference = weightless(HighResolution, 256, 2, (1, 1, 1), (1, 1, 1, 1))
    assert 'transition1.0.0.weight' not in reference.state_dict()

    state = convert(reference.state_dict())['state_dict']

    assert {
        re.sub(r'^(backbone|head)\.', '', key): tuple(value.shape)
        for key, value in state.items()
    } == shapes(reference)


@pytest.fixture(scope='module')
def other():
    """Another model with the keys of ``resnet``."""
    return randomised(SimpleBaseline, 18, 17, (16, 16, 16), seed=1)


def _parallel(model):
    return {f'module.{k}': v for k, v in model.state_dict().items()}


@pytest.mark.parametrize(
    ('wrap', 'source'),
    [
        (lambda a, b: a.state_dict(), 'bare state dict'),
        (lambda a, b: _parallel(a), 'bare state dict'),
        (lambda a, b: {'state_dict': a.state_dict()}, 'state_dict'),
        (lambda a, b: {'state_dict': _parallel(a)}, 'state_dict'),
        (
            lambda a, b: {
                'state_dict': _parallel(b),
                'best_state_dict': a.state_dict(),
            },
            'best_state_dict',
        ),
        (
            lambda a, b: {'best_state_dict': _parallel(a), 'epoch': 3},
            'best_state_dict',
        ),
    ],
    ids=['bare', 'parallel', 'wrapped', 'both', 'best', 'only-best'],
)
def test_wrappings(resnet, other, wrap, source):
    converted = convert(wrap(resnet, other))

    assert converted['meta']['converted_from']['weights'] == source
    assert_same_answer(converted, resnet)


def test_converting_leaves_the_source_and_chance_alone(resnet):
    state = resnet.state_dict()
    keys, first = list(state), state['conv1.weight'].clone()
    torch.manual_seed(3)
    before = torch.get_rng_state()

    convert({'state_dict': state})

    assert list(state) == keys
    assert torch.equal(state['conv1.weight'], first)
    assert torch.equal(torch.get_rng_state(), before)


def test_files_older_than_the_batch_counters(resnet):
    state = {
        k: v
        for k, v in resnet.state_dict().items()
        if not k.endswith('num_batches_tracked')
    }

    converted = convert(state)

    assert_same_answer(converted, resnet)
    assert converted['state_dict']['backbone.bn1.num_batches_tracked'] == 0


def _edit(model, drop=(), add=(), **changed):
    state = dict(model.state_dict())
    for key in drop:
        del state[key]
    state.update(add)
    return state


@pytest.mark.parametrize(
    ('edit', 'sentence'),
    [
        (
            dict(drop=['layer1.0.bn1.bias']),
            'Missing key(s) in state_dict: "backbone.layer1.0.bn1.bias"',
        ),
        (
            dict(add=dict.fromkeys(('fc.weight', 'fc.bias'), torch.ones(3))),
            'Unexpected key(s) in state_dict: "backbone.fc.weight", '
            '"backbone.fc.bias"',
        ),
        (
            {'add': {'deconv_layers.0.bias': torch.ones(16)}},
            'Unexpected key(s) in state_dict: "head.deconv_layers.0.bias"',
        ),
        (
            {'add': {'conv1.weight': torch.ones(64, 4, 7, 7)}},
            'size mismatch for backbone.conv1.weight: copying a param with '
            'shape torch.Size([64, 4, 7, 7]) from checkpoint, the shape in '
            'current model is torch.Size([64, 3, 7, 7])',
        ),
    ],
)
def test_unfitting_keys_are_refused(resnet, edit, sentence):
    with pytest.raises(CheckpointError) as caught:
        convert(_edit(resnet, **edit), 'a/b.pth')

    assert str(caught.value) == (
        'checkpoint "a/b.pth" looks like ResNet-18 with 17 joints, but its '
        f"keys are not this model's: {sentence}"
    )


@pytest.mark.parametrize(
    ('checkpoint', 'sentence'),
    [
        (
            {'state_dict': {}},
            'c holds no weights: its "state_dict" is empty',
        ),
        (
            {'best_state_dict': None},
            'c holds no weights: its "best_state_dict" is NoneType',
        ),
        (
            {'epoch': 3, 'perf': 0.5},
            'c is no state dict: its "epoch" is of type int, not a tensor of '
            'weights',
        ),
        (
            {'conv1.weight': torch.ones(1, dtype=torch.int8)},
            'c is no state dict: its "conv1.weight" is of type torch.int8, '
            'not a tensor of weights',
        ),
    ],
)
def test_no_weights(checkpoint, sentence):
    with pytest.raises(CheckpointError) as caught:
        convert(checkpoint, 'c')

    assert str(caught.value) == f'checkpoint "c"{sentence[1:]}'


def test_the_written_file(write, resnet, tmp_path):
    source = write({'state_dict': _parallel(resnet), 'perf': np.float64(0.5)})
    target = tmp_path / 'new' / 'out.pth'

    save(convert(load_checkpoint_safely(source), str(source)), target)

    # by plain PyTorch, which allows nothing beyond weights and plain data
    loaded = torch.load(target, weights_only=True)
    assert_same_answer(loaded, resnet)
    assert loaded['meta']['converted_from'] == {
        'file': 'checkpoint.pth',
        'weights': 'state_dict',
    }
    assert [path.name for path in target.parent.iterdir()] == ['out.pth']


def test_tensor_views_are_written_without_their_base(tmp_path, resnet):
    state = resnet.state_dict()
    state['bn1.weight'] = torch.ones(30_000_000)[:64]

    save(convert(state), tmp_path / 'out.pth')

    assert (tmp_path / 'out.pth').stat().st_size < 60e6
