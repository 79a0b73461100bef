"""Small models and batches of views that the tests of the models share."""

import numpy as np
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData, PixelData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

SIZE = (64, 32)  # rows, columns
JOINTS = 5

PREPROCESSOR = dict(
    type='PoseDataPreprocessor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
)
CODEC = dict(
    type='MSRAHeatmap', input_size=(32, 64), heatmap_size=(8, 16), sigma=1
)


def _head(type_, channels, **kwargs):
    return dict(
        type=type_,
        in_channels=channels,
        out_channels=JOINTS,
        loss=dict(type='KeypointMSELoss', use_target_weight=True),
        decoder=CODEC,
        **kwargs,
    )


RESNET = dict(
    backbone=dict(type='ResNet', depth=18, stem_channels=8, base_channels=8),
    head=_head('HeatmapHead', 64, deconv_out_channels=(8, 8, 8)),
    test_cfg=dict(flip_test=True, flip_mode='heatmap', shift_heatmap=True),
)


def _stage(block, branches):
    return dict(
        num_modules=1,
        num_branches=branches,
        block=block,
        num_blocks=(1,) * branches,
        num_channels=tuple(4 * 2**i for i in range(branches)),
    )


HRNET = dict(
    backbone=dict(
        type='HRNet',
        extra=dict(
            stage1=_stage('BOTTLENECK', 1),
            stage2=_stage('BASIC', 2),
            stage3=_stage('BASIC', 3),
            stage4=_stage('BASIC', 4),
        ),
    ),
    head=_head('HeatmapHead', 4, deconv_out_channels=None),
)
HOURGLASS = dict(
    backbone=dict(
        type='HourglassNet',
        downsample_times=2,
        num_stacks=2,
        stage_channels=(256, 8, 8),
        stage_blocks=(1, 1, 1),
        feat_channel=8,
    ),
    head=_head('CPMHead', 8, num_stages=2),
)
FAMILIES = dict(resnet=RESNET, hrnet=HRNET, hourglass=HOURGLASS)


def build(type_, family=RESNET, **kwargs):
    """A model with the same random weights at each call."""
    init_default_scope('mmpose')
    torch.manual_seed(0)
    return MODELS.build(
        dict(type=type_, data_preprocessor=PREPROCESSOR, **family, **kwargs)
    )


def sample(generator, view, weights=None):
    """A packed sample with a random target."""
    out = PoseDataSample(
        metainfo=dict(
            view=view,
            img_shape=SIZE,
            input_size=SIZE[::-1],
            input_center=np.array([16.0, 32.0]),
            input_scale=np.array([32.0, 64.0]),
            flip_indices=[0, 2, 1, 4, 3],
        )
    )
    if weights is None:
        drawn = torch.rand((1, JOINTS), generator=generator)
        weights = (drawn > 0.25).float()
    out.gt_instance_labels = InstanceData(keypoint_weights=weights)
    heatmaps = torch.rand(
        (JOINTS, SIZE[0] // 4, SIZE[1] // 4), generator=generator
    )
    out.gt_fields = PixelData(heatmaps=heatmaps)
    out.gt_instances = InstanceData(
        bboxes=np.array([[0.0, 0, 32, 64]]), bbox_scores=np.ones(1)
    )
    return out


def item(seed, views=('plain', 'keypoint_view', 'part_view')):
    """What ``OcclusionViewsDataset`` gives for one crop."""
    generator = torch.Generator().manual_seed(seed)
    return dict(
        inputs=[
            torch.randint(0, 256, (3, *SIZE), generator=generator).byte()
            for _ in views
        ],
        data_samples=[sample(generator, view) for view in views],
    )
