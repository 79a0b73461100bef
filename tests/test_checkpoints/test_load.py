"""Checkpoints go into models whole, or not at all."""

import logging
from collections import OrderedDict

import pytest
import torch
from reference_checkpoints import convert
from torch import nn

from mmpose_occlusion.checkpoints import load_into
from mmpose_occlusion.errors import UsageError

from .mmpose_side import NARROW_HRNET, build, heatmaps
from .mmpose_side import hrnet as hrnet_configs
from .test_read import Evil

RESNET = dict(type='ResNet', depth=18)
HEAD = dict(type='HeatmapHead', in_channels=512, out_channels=17)
NARROW = dict(HEAD, deconv_out_channels=(16, 16, 16))
PREPROCESSOR = dict(
    type='PoseDataPreprocessor', mean=[0.0], std=[1.0], bgr_to_rgb=True
)


SMALL = dict(RESNET, base_channels=4), dict(NARROW, in_channels=32)
"""A network that is built, saved and read in no time."""


@pytest.fixture
def model():
    return build(*SMALL)


@pytest.fixture
def said(monkeypatch):
    """What is logged, as (level, text)."""
    lines = []
    monkeypatch.setattr(
        'mmpose_occlusion.checkpoints.print_log',
        lambda text, logger, level: lines.append((level, text)),
    )
    return lines


def _same(model, other):
    ours, theirs = model.state_dict(), other.state_dict()
    return list(ours) == list(theirs) and all(
        torch.equal(ours[key], theirs[key]) for key in ours
    )


@pytest.mark.parametrize(
    'wrap',
    [
        lambda state: state,
        lambda state: {'state_dict': state, 'meta': {'epoch': 3}},
        lambda state: {
            'state_dict': OrderedDict(
                (f'module.{key}', value) for key, value in state.items()
            )
        },
    ],
    ids=['bare', 'wrapped', 'parallel'],
)
@pytest.mark.parametrize('parallel', [False, True])
def test_mmposes_own(model, write, wrap, parallel):
    trained = build(*SMALL)
    target = nn.DataParallel(model) if parallel else model

    load_into(target, write(wrap(trained.state_dict())))

    assert _same(model, trained)


def test_a_reference_file_is_converted_on_the_way(write, resnet, said):
    model = build(RESNET, NARROW)
    path = write({'state_dict': resnet.state_dict()})
    x = torch.randn(1, 3, 64, 64)

    loaded = load_into(model, path)

    with torch.no_grad():
        error = (heatmaps(model, x) - resnet(x)).abs().max()
    assert error < 1e-5 * resnet(x).abs().max()
    source = loaded['meta']['converted_from']
    assert source == dict(file=path.name, weights='state_dict')
    what = f'checkpoint "{path}"'
    converted = f"{what} of the reference, state_dict, to MMPose's keys"
    assert said == [
        (logging.INFO, f'Converted {converted}'),
        (logging.INFO, f'Loaded {what}'),
    ]


def test_the_given_reference_file(given):
    path = given / 'pose_hrnet_w8_64x64.pth'
    model = build(*hrnet_configs(8, 17))

    load_into(model, path)

    weights = torch.load(path, weights_only=True)['final_layer.weight']
    assert torch.equal(model.head.final_layer.weight, weights)


@pytest.mark.parametrize('converted', [False, True])
@pytest.mark.parametrize(
    ('data_preprocessor', 'warned'),
    [
        (PREPROCESSOR, True),
        (dict(PREPROCESSOR, bgr_to_rgb=False), False),
        (None, False),
    ],
)
def test_a_warning_of_the_order_of_colours(
    write, resnet, said, converted, data_preprocessor, warned
):
    path = write(resnet.state_dict())
    if converted:
        torch.save(convert(torch.load(path), str(path)), path)
    model = build(RESNET, NARROW, data_preprocessor=data_preprocessor)

    load_into(model, path)

    warnings = [text for level, text in said if level == logging.WARNING]
    assert len(warnings) == warned
    if warned:
        assert warnings[0].endswith(
            ": the reference's ResNet recipes read images as BGR, and the "
            'config converts them to RGB; unless this model was trained on '
            'RGB, add --cfg-options model.data_preprocessor.bgr_to_rgb=False'
        )


def test_no_warning_for_hrnet(write, hrnet, said):
    path = write(hrnet.state_dict())
    model = build(*NARROW_HRNET, data_preprocessor=PREPROCESSOR)

    load_into(model, path)

    assert {level for level, _ in said} == {logging.INFO}


def test_conversions_of_mmposes_older_formats_apply(model, write):
    """MMPose 0.x called the head "keypoint_head"."""
    trained = build(*SMALL)
    state = {
        key.replace('head.', 'keypoint_head.'): value
        for key, value in trained.state_dict().items()
    }

    load_into(model, write({'state_dict': state}))

    assert _same(model, trained)


def _sentence(model, path, **options):
    with pytest.raises(UsageError) as caught:
        load_into(model, path, **options)
    assert '\n' not in str(caught.value)
    return str(caught.value)


def test_keys_that_do_not_match(model, write):
    state = dict(build(*SMALL).state_dict())
    for name in ('conv1.weight', 'bn1.weight', 'bn1.bias', 'bn1.running_var'):
        del state[f'backbone.{name}']
    state['neck.weight'] = torch.ones(1)
    path = write({'state_dict': state})

    sentence = _sentence(model, path)
    assert sentence.startswith(
        f'checkpoint "{path}" does not match the model of the config: Missing '
        'key(s) in state_dict: "backbone.conv1.weight", '
        '"backbone.bn1.weight", "backbone.bn1.bias", '
    )
    assert sentence.endswith(
        'Unexpected key(s) in state_dict: "neck.weight": give the config of '
        'its training'
    )


@pytest.mark.parametrize(
    'checkpoint',
    [{'meta': {}, 'epoch': 3}, {}, {'state_dict': {'a': 1}}, {1: 2}],
)
def test_no_weights(model, write, checkpoint):
    assert 'does not match the model' in _sentence(model, write(checkpoint))


def test_a_reference_file_with_holes(write, resnet):
    model = build(RESNET, NARROW)
    state = dict(resnet.state_dict())
    del state['layer1.0.bn1.bias']

    words = 'Missing key(s) in state_dict: "backbone.layer1.0.bn1.bias"'
    assert words in _sentence(model, write(state))


def test_weights_of_another_kind(model, write):
    state = dict(build(*SMALL).state_dict())
    state['backbone.bn1.bias'] = 'text'
    path = write(state)

    sentence = _sentence(model, path)

    assert 'does not match the model of the config' in sentence
    assert 'backbone.bn1.bias' in sentence


def test_trust_is_passed_on(model, write, tmp_path):
    trained = build(*SMALL)
    marker = tmp_path / 'marker'
    evil = Evil(exec, f'open({str(marker)!r}, "w").close()')
    path = write({'state_dict': trained.state_dict(), 'mine': evil})

    assert '--trust-checkpoint' in _sentence(model, path)
    assert not marker.exists()

    load_into(model, path, trust=True)
    assert marker.exists()
    assert _same(model, trained)


def test_weights_that_are_not_numbers(model, write):
    state = build(*SMALL).state_dict()
    state['backbone.conv1.weight'][0, 0, 0, 0] = float('nan')
    text = _sentence(model, write(state))
    assert 'NaN or infinite numbers in 1 weights' in text
    assert '"backbone.conv1.weight"' in text
