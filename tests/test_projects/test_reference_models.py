"""Recognition of models by keys and shapes."""

import json

import pytest
from reference_models import HEAD_DEFAULTS, recognise

from mmpose_occlusion.checkpoints import CheckpointError
from tests.test_checkpoints.reference_models import (
    HighResolution,
    SimpleBaseline,
    shapes,
    weightless,
)


def test_given_hrnet(given):
    keys = json.loads((given / 'pose_hrnet_w8_64x64.keys.json').read_text())

    found = recognise(keys)

    stage = dict(num_branches=2, block='BASIC', num_modules=1)
    assert (found.name, found.num_joints) == ('HRNet-w8', 17)
    assert found.backbone['extra']['stage2'] == dict(
        stage, num_blocks=(4, 4), num_channels=(8, 16)
    )
    assert found.backbone['extra']['stage3']['num_modules'] == 4
    assert found.backbone['extra']['stage4']['num_modules'] == 3
    assert found.backbone['extra']['stage4']['num_channels'] == (8, 16, 32, 64)
    assert found.head == dict(
        type='HeatmapHead',
        in_channels=8,
        out_channels=17,
        deconv_out_channels=None,
    )


def test_given_resnet(given):
    name = 'pose_resnet_18_64x64_wrapped.keys.json'
    keys = json.loads((given / name).read_text())

    found = recognise(keys)

    assert (found.name, found.num_joints) == ('ResNet-18', 17)
    assert found.backbone == dict(type='ResNet', depth=18)
    assert found.head == dict(
        type='HeatmapHead',
        in_channels=512,
        out_channels=17,
        deconv_out_channels=(32, 32, 32),
        deconv_kernel_sizes=(4, 4, 4),
    )


@pytest.mark.parametrize(
    ('name', 'model'),
    [
        ('pose_hrnet_w8_64x64.keys.json', (HighResolution, 8)),
        (
            'pose_resnet_18_64x64_wrapped.keys.json',
            (SimpleBaseline, 18, 17, (32, 32, 32)),
        ),
    ],
)
def test_the_models_of_these_tests_have_the_given_keys(given, name, model):
    keys = json.loads((given / name).read_text())

    own = shapes(weightless(*model))

    assert own == {key: tuple(shape) for key, shape in keys.items()}


@pytest.mark.parametrize(
    ('model', 'name', 'joints', 'head'),
    [
        (
            (SimpleBaseline, 34, 14),
            'ResNet-34',
            14,
            dict(in_channels=512),
        ),
        (
            (SimpleBaseline, 50, 17),
            'ResNet-50',
            17,
            dict(in_channels=2048),
        ),
        (
            (SimpleBaseline, 101, 16, (256, 128, 64)),
            'ResNet-101',
            16,
            dict(in_channels=2048, deconv_out_channels=(256, 128, 64)),
        ),
        (
            (SimpleBaseline, 152, 17, (256, 256, 256), (4, 3, 2), 3),
            'ResNet-152',
            17,
            dict(
                in_channels=2048,
                deconv_kernel_sizes=(4, 3, 2),
                final_layer=dict(kernel_size=3, padding=1),
            ),
        ),
        (
            (SimpleBaseline, 18, 17, (256, 256), (4, 4)),
            'ResNet-18',
            17,
            dict(
                in_channels=512,
                deconv_out_channels=(256, 256),
                deconv_kernel_sizes=(4, 4),
            ),
        ),
        (
            (SimpleBaseline, 18, 17, (), ()),
            'ResNet-18',
            17,
            dict(in_channels=512, deconv_out_channels=None),
        ),
        (
            (HighResolution, 32, 17),
            'HRNet-w32',
            17,
            dict(in_channels=32, deconv_out_channels=None),
        ),
        (
            (HighResolution, 48, 16, (1, 4, 3), (4, 4, 4, 4), 3),
            'HRNet-w48',
            16,
            dict(
                in_channels=48,
                deconv_out_channels=None,
                final_layer=dict(kernel_size=3, padding=1),
            ),
        ),
    ],
)
def test_models(model, name, joints, head):
    found = recognise(shapes(weightless(*model)))

    assert (found.name, found.num_joints) == (name, joints)
    expected = dict(type='HeatmapHead', out_channels=joints, **head)
    assert HEAD_DEFAULTS | found.head == HEAD_DEFAULTS | expected


def test_an_unusual_hrnet_is_read_from_its_keys():
    model = weightless(
        HighResolution, 4, 17, (2, 1, 1), (1, 2, 3, 1), bottleneck=True
    )

    extra = recognise(shapes(model)).backbone['extra']

    assert extra['stage2'] == dict(
        num_modules=2,
        num_branches=2,
        block='BOTTLENECK',
        num_blocks=(1, 2),
        num_channels=(4, 8),
    )
    assert extra['stage4']['num_blocks'] == (1, 2, 3, 1)


RESNET = shapes(weightless(SimpleBaseline, 18, 17, (8, 8, 8)))
HRNET = shapes(weightless(HighResolution, 4, 17, (1, 1, 1), (1, 1, 1, 1)))


def _without(keys, prefix, **added):
    kept = {k: v for k, v in keys.items() if not k.startswith(prefix)}
    return {**kept, **{k.replace('__', '.'): v for k, v in added.items()}}


@pytest.mark.parametrize(
    ('keys', 'sentence'),
    [
        (
            {'hg.0.conv.weight': (8, 8, 1, 1), 'fc.0.bias': (8,)},
            'the checkpoint is neither an HRNet nor a SimpleBaseline ResNet '
            'of the reference: it has neither "stage2." nor "layer4." keys, '
            'and its first keys are "hg.0.conv.weight", "fc.0.bias"',
        ),
        (
            {'backbone.conv1.weight': (64, 3, 7, 7)},
            "the checkpoint has MMPose's keys already "
            '("backbone.conv1.weight"): use it as it is',
        ),
        (
            # as torchvision's for ImageNet
            _without(RESNET, ('deconv', 'final'), fc__weight=(9, 512)),
            'the checkpoint looks like a SimpleBaseline ResNet of the '
            'reference but has no "final_layer.weight"; its last keys are '
            '"layer4.1.bn2.running_var", "layer4.1.bn2.num_batches_tracked", '
            '"fc.weight"',
        ),
        (
            _without(RESNET, 'layer3.1.'),
            'the checkpoint looks like a SimpleBaseline ResNet of the '
            'reference but has (2, 2, 1, 2) basic blocks in its layers, '
            'which is none of ResNet-18, 34, 50, 101, 152',
        ),
        (
            {**RESNET, 'deconv_layers.3.weight': (8, 8, 5, 5)},
            'the checkpoint looks like a SimpleBaseline ResNet of the '
            'reference but has deconvolutions of (4, 5, 4) pixels, and '
            "MMPose's head has them of 2, 3 or 4",
        ),
        (
            {**RESNET, 'final_layer.weight': (17, 8)},
            'the checkpoint looks like a SimpleBaseline ResNet of the '
            'reference but its "final_layer.weight" has the shape (17, 8), '
            'not 4 dimensions',
        ),
        (
            _without(HRNET, 'stage4.'),
            'the checkpoint looks like an HRNet of the reference but has no '
            '"stage4.0.branches.0.0.conv1.weight"; its last keys are '
            '"transition3.3.0.1.num_batches_tracked", "final_layer.weight", '
            '"final_layer.bias"',
        ),
        (
            # as the reference's own for ImageNet
            _without(HRNET, 'final', classifier__weight=(9, 2048)),
            'the checkpoint looks like an HRNet of the reference but has no '
            '"final_layer.weight"; its last keys are '
            '"stage4.0.fuse_layers.0.3.1.running_var", '
            '"stage4.0.fuse_layers.0.3.1.num_batches_tracked", '
            '"classifier.weight"',
        ),
        (
            {},
            'the checkpoint is neither an HRNet nor a SimpleBaseline ResNet '
            'of the reference: it has no keys at all',
        ),
    ],
)
def test_refusals(keys, sentence):
    with pytest.raises(CheckpointError) as caught:
        recognise(keys)

    assert str(caught.value) == sentence
