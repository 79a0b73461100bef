"""The config that belongs to a checkpoint, and MMPose's use of both."""

import argparse
import json
import re
from functools import cache

import numpy as np
import pytest
from mmengine.config import DictAction
from mmengine.hub import get_config
from mmengine.registry import DefaultScope
from reference_checkpoints import convert, save, summarize
from reference_models import CONFIGS, config_meta, recognise

from tests.test_checkpoints.mmpose_side import build_weightless
from tests.test_checkpoints.reference_models import (
    HighResolution,
    SimpleBaseline,
    name_of,
    randomised,
    shapes,
    weightless,
)

FOLDER = 'mmpose::body_2d_keypoint/topdown_heatmap'
BGR = {'model.data_preprocessor.bgr_to_rgb': False}


@cache
def _reference(name, joints):
    family, number = re.fullmatch(r'(hrnet-w|res)(\d+)', name).groups()
    cls = HighResolution if family == 'hrnet-w' else SimpleBaseline
    return shapes(weightless(cls, int(number), joints))


@pytest.mark.parametrize(('model', 'data', 'size'), CONFIGS)
def test_each_config_has_its_model(model, data, size):
    keys = _reference(model, {'coco': 17, 'mpii': 16}[data])

    found = config_meta(recognise(keys), f'pose_{model}_{size}.pth')

    assert found['config'] == CONFIGS[model, data, size]
    assert found['crop_size']['known']
    # nothing but the order of colours differs from MMPose's recipe
    assert found['cfg_options'] == (BGR if model.startswith('res') else {})
    cfg = get_config(found['config'])
    height, width = map(int, size.split('x'))
    assert tuple(cfg.codec.input_size) == (width, height)
    cfg.model.backbone.init_cfg = None
    del cfg.model.head['decoder']
    assert _shapes_of(json.dumps([cfg.model.backbone, cfg.model.head])) == keys


@cache
def _shapes_of(backbone_and_head):
    """Of MMPose's model, which takes a second to build."""
    built = build_weightless(*json.loads(backbone_and_head))
    return {
        re.sub(r'^(backbone|head)\.', '', key): shape
        for key, shape in shapes(built).items()
    }


@pytest.mark.parametrize(
    ('joints', 'name', 'config', 'known'),
    [
        (17, 'a.pth', 'coco/td-hm_res50_8xb64-210e_coco-256x192.py', False),
        (17, '9x9.pth', 'coco/td-hm_res50_8xb64-210e_coco-256x192.py', False),
        (
            17,
            'pose_resnet_50_384x288.pth.tar',
            'coco/td-hm_res50_8xb64-210e_coco-384x288.py',
            True,
        ),
        (
            16,
            'pose_resnet_50_384x288.pth',
            'mpii/td-hm_res50_8xb64-210e_mpii-256x256.py',
            True,
        ),
    ],
)
def test_the_size_of_crops_is_read_from_the_name(joints, name, config, known):
    found = config_meta(recognise(_reference('res50', joints)), name)

    assert found['config'] == f'{FOLDER}/{config}'
    assert found['crop_size']['known'] == known


def test_no_data_set_of_so_many_joints():
    found = config_meta(recognise(_reference('res50', 14)))
    assert found == {'config': None, 'cfg_options': {}}


@pytest.mark.parametrize(
    'model',
    [
        (SimpleBaseline, 18, 17, (32, 32, 32)),
        (SimpleBaseline, 34, 16, (8,), (3,), 3),
        (HighResolution, 4, 17, (2, 1, 1), (1, 2, 3, 1), 1, True),
        (HighResolution, 32, 16, (1, 4, 3), (4, 4, 4, 4), 3),
    ],
    ids=name_of,
)
def test_the_options_make_the_nearest_config_the_model(model):
    keys = shapes(weightless(*model))
    converted = convert(weightless(*model).state_dict())
    words = summarize(converted, 'out.pth')[-1].replace("'", '').split()
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)

    args = parser.parse_args(words[words.index('--cfg-options') :])
    cfg = get_config(words[2])
    cfg.merge_from_dict(args.cfg_options)

    cfg.model.backbone.init_cfg = None
    built = shapes(build_weightless(cfg.model.backbone, cfg.model.head))
    assert sorted(built.values()) == sorted(keys.values())
    assert {re.sub(r'^(backbone|head)\.', '', k) for k in built} == set(keys)


def test_the_size_from_folder_and_name():
    """Training leaves the same file name in every folder."""
    model = recognise(_reference('res50', 17))
    for name, size in {
        'res50_384x288_d256x3/model_best.pth': '384x288',
        'old_384x288/a_256x192.pth': '256x192',
    }.items():
        found = config_meta(model, name)['crop_size']
        assert found == {'height_x_width': size, 'known': True}


def test_summary(resnet):
    converted = convert(
        {'state_dict': resnet.state_dict(), 'epoch': 140},
        'models/pose.pth',
    )
    config = f'{FOLDER}/coco/td-hm_res50_8xb64-210e_coco-256x192.py'

    assert summarize(converted, 'my file.pth') == [
        'pose.pth (state_dict): ResNet-18 with 17 joints',
        'Wrote my file.pth',
        'Weights do not tell the size of the crops: the config is that for '
        '256x192.',
        "The reference's ResNet recipes read images as BGR, hence the last "
        'option: leave it out for a model trained on RGB.',
        'Test it with',
        f"  python tools/test.py {config} 'my file.pth' --gt-boxes "
        '--cfg-options model.backbone.depth=18 model.head.in_channels=512 '
        "'model.head.deconv_out_channels=[16,16,16]' "
        'model.data_preprocessor.bgr_to_rgb=False',
    ]


def test_summary_of_a_known_model():
    """No options, no notes: the config is the model's and the only one."""
    converted = convert(
        weightless(HighResolution, 32, 16).state_dict(), 'a.pth'
    )

    assert summarize(converted, 'b.pth')[2:] == [
        'Test it with',
        f'  python tools/test.py {FOLDER}/mpii/'
        'td-hm_hrnet-w32_8xb64-210e_mpii-256x256.py b.pth --gt-boxes',
    ]


def test_summary_without_a_data_set():
    model = weightless(SimpleBaseline, 18, 14, (8, 8, 8))
    converted = convert(model.state_dict(), 'a')

    assert converted['meta']['config'] is None
    assert 'dataset_meta' not in converted['meta']
    assert summarize(converted, 'b.pth')[2:] == [
        'The reference has no data set of 14 joints: to test it, take a '
        'config whose data set has, with the model that the file names under '
        'meta.recognised.'
    ]


@pytest.mark.parametrize(
    ('joints', 'dataset', 'last'),
    [(17, 'coco', 'right_ankle'), (16, 'mpii', 'left_wrist')],
)
def test_mmposes_inference(tmp_path, joints, dataset, last):
    """From the file alone MMPose knows names, pairs and colours of joints."""
    from mmpose.apis import inference_topdown, init_model
    from mmpose.registry import VISUALIZERS

    reference = randomised(HighResolution, 4, joints, (1, 1, 1), (1, 1, 1, 1))
    converted = convert(reference.state_dict())
    save(converted, tmp_path / 'out.pth')
    meta = converted['meta']
    cfg = get_config(meta['config'])
    # no other source of joint names for MMPose
    cfg.pop('train_dataloader')

    model = init_model(
        cfg,
        str(tmp_path / 'out.pth'),
        'cpu',
        {**meta['cfg_options'], 'model.backbone.init_cfg': None},
    )
    image = np.random.default_rng(0).integers(
        0, 255, (120, 90, 3), dtype=np.uint8
    )
    (sample,) = inference_topdown(model, image, [[10, 10, 80, 110]])

    assert model.dataset_meta['dataset_name'] == dataset
    assert model.dataset_meta['keypoint_id2name'][joints - 1] == last
    assert sample.pred_instances.keypoints.shape == (1, joints, 2)
    with DefaultScope.overwrite_default_scope('mmpose'):
        visualizer = VISUALIZERS.build(
            dict(
                type='PoseLocalVisualizer',
                name=f'{joints} joints',
                # OpenCV's needs NumPy before 2.4
                backend='matplotlib',
            )
        )
    visualizer.set_dataset_meta(model.dataset_meta)
    drawn = visualizer.add_datasample(
        'a', image, sample, draw_gt=False, kpt_thr=-9.0
    )
    assert (drawn != image).any()
