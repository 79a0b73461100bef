"""Converted checkpoints are the same model, and name its config."""

import json
from collections import OrderedDict

import numpy as np
import pytest
import torch
from convert_checkpoint import main
from mmengine.hub import get_config
from reference_checkpoints import convert

from mmpose_occlusion.checkpoints import load_checkpoint_safely
from tests.test_checkpoints.mmpose_side import (
    NARROW_HRNET,
    NARROW_RESNET,
    assert_same_answer,
    build,
    heatmaps,
    hrnet,
    resnet,
)
from tests.test_checkpoints.reference_models import (
    HighResolution,
    SimpleBaseline,
    name_of,
    randomised,
    weightless,
)

FOLDER = 'mmpose::body_2d_keypoint/topdown_heatmap'


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
    meta = converted['meta']
    assert (meta['config'], meta['crop_size']) == (None, '64x64')


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
    ('model', 'path', 'config', 'size'),
    [
        (
            (HighResolution, 32, 17),
            'pose_hrnet_w32_384x288.pth',
            'coco/td-hm_hrnet-w32_8xb64-210e_coco-384x288.py',
            '384x288',
        ),
        (
            (HighResolution, 48, 16),
            'a.pth',
            'mpii/td-hm_hrnet-w48_8xb64-210e_mpii-256x256.py',
            '',
        ),
        (
            (HighResolution, 48, 17),
            'old_384x288/a_256x192.pth',
            'coco/td-hm_hrnet-w48_8xb32-210e_coco-256x192.py',
            '256x192',
        ),
        (
            (SimpleBaseline, 50, 17),
            'res50_384x288_d256x3/model_best.pth',
            'coco/td-hm_res50_8xb64-210e_coco-384x288.py',
            '384x288',
        ),
        (
            (SimpleBaseline, 101, 17),
            'pose_resnet_101_384x288.pth.tar',
            'coco/td-hm_res101_8xb32-210e_coco-384x288.py',
            '384x288',
        ),
        (
            (SimpleBaseline, 152, 16),
            'pose_resnet_152_256x256.pth',
            'mpii/td-hm_res152_8xb32-210e_mpii-256x256.py',
            '256x256',
        ),
        ((SimpleBaseline, 34, 17), 'a.pth', None, ''),
        ((SimpleBaseline, 50, 14), 'a.pth', None, ''),
        ((SimpleBaseline, 50, 17, (256, 256), (4, 4)), 'a.pth', None, ''),
        ((HighResolution, 32, 17, (1, 4, 2)), 'a.pth', None, ''),
    ],
    ids=name_of,
)
def test_the_config_of_a_model(model, path, config, size):
    meta = convert(weightless(*model).state_dict(), path)['meta']

    assert meta['config'] == (config and f'{FOLDER}/{config}')
    assert meta['crop_size'] == size
    is_resnet = model[0] is SimpleBaseline
    assert meta['channel_order'] == ('bgr' if is_resnet else 'rgb')
    if config and size:
        height, width = map(int, size.split('x'))
        codec = get_config(meta['config']).codec
        assert tuple(codec.input_size) == (width, height)


def test_each_published_model_has_a_config():
    """Of all widths, depths, data sets and sizes of the reference's zoo."""
    made = set()
    for cls, number in (
        *((HighResolution, width) for width in (32, 48)),
        *((SimpleBaseline, depth) for depth in (50, 101, 152)),
    ):
        for joints, sizes in {17: ('256x192', '384x288'), 16: ('',)}.items():
            state = weightless(cls, number, joints).state_dict()
            configs = (
                convert(state, f'a_{size}.pth')['meta']['config']
                for size in sizes
            )
            made |= set(configs)
    assert len(made - {None}) == 5 * 3


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

    printed = capsys.readouterr().out
    assert 'MMPose has no config of this model' in printed
    assert f'  python tools/test.py CONFIG {target} --gt-boxes\n' in printed
    # by plain PyTorch, which allows nothing beyond weights and plain data
    written = torch.load(target, weights_only=True)
    assert_same_answer(written['state_dict'], NARROW_HRNET, hrnet)


def test_the_command_names_config_and_options(write, tmp_path, capsys):
    reference = randomised(SimpleBaseline, 50, 17)
    source = write(reference.state_dict(), 'model_best.pth')
    target = tmp_path / 'out.pth'

    assert main([str(source), str(target)]) == 0

    printed = capsys.readouterr().out
    assert 'The config is for small crops' in printed
    assert printed.endswith(
        f'  python tools/test.py {FOLDER}/coco/td-hm_res50_8xb64-210e_coco-'
        f'256x192.py {target} --gt-boxes --cfg-options '
        'model.data_preprocessor.bgr_to_rgb=False\n'
    )


def test_mistakes_are_one_sentence(write, tmp_path, resnet, capsys):
    source = write(resnet.state_dict())
    target = tmp_path / 'out.pth'
    target.write_text('mine')

    assert main([str(source), str(target)]) == 2
    assert capsys.readouterr().err == (
        f'error: checkpoint "{target}" exists: add --force to replace it, or '
        'choose another name\n'
    )
    other = write({'backbone.conv1.weight': torch.ones(1)}, 'mmpose.pth')
    assert main([str(other), str(tmp_path / 'b.pth')]) == 2
    assert 'is not one of the reference code' in capsys.readouterr().err
    assert not (tmp_path / 'b.pth').exists()

    assert main([str(source), str(target), '--force']) == 0
    written = torch.load(target, weights_only=True)
    assert_same_answer(written['state_dict'], NARROW_RESNET, resnet)


def test_it_never_trusts(write, tmp_path, capsys):
    marker = tmp_path / 'marker'

    class Evil:
        def __reduce__(self):
            return exec, (f'open({str(marker)!r}, "w").close()',)

    source = write({'state_dict': {'conv1.weight': Evil()}})

    assert main([str(source), str(tmp_path / 'out.pth')]) == 2
    assert 'could run code' in capsys.readouterr().err
    assert not marker.exists()
