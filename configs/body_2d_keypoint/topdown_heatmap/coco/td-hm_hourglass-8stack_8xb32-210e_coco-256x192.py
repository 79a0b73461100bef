"""Hourglass of 8 stacks on 256x192 crops, trained without occlusions.

The reference calls it coco/hourglass/hourglass.
"""

_base_ = (
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_hourglass52_8xb32-210e_coco-256x256.py'
)

codec = dict(input_size=(192, 256), heatmap_size=(48, 64))
affine = dict(type='TopdownAffine', input_size=codec['input_size'])
target = dict(type='GenerateTarget', encoder=dict(_base_.codec, **codec))
train_pipeline = _base_.train_pipeline[:-3] + [affine, target]
train_pipeline += _base_.train_pipeline[-1:]
val_pipeline = [*_base_.val_pipeline[:2], affine, _base_.val_pipeline[-1]]
# a map 48 wide can be halved 4 times
stages = dict(stage_channels=(256,) * 5, stage_blocks=(2,) * 5)
backbone = dict(num_stacks=8, downsample_times=4, **stages)
model = dict(backbone=backbone, head=dict(num_stages=8, decoder=codec))
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = test_dataloader = dict(dataset=dict(pipeline=val_pipeline))
