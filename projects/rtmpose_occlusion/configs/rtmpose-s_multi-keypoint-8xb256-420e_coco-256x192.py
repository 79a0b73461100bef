"""RTMPose-s, trained with up to five joints hidden, in both of its stages."""

_base_ = [
    'mmpose::body_2d_keypoint/rtmpose/coco/'
    'rtmpose-s_8xb256-420e_coco-256x192.py',
    '../../../configs/_base_/occlusions/multi-keypoint.py',
]

# the base's last two steps make the targets and pack them
train_pipeline = [
    *_base_.train_pipeline[:-2],
    *_base_.occlusions,
    *_base_.train_pipeline[-2:],
]
train_pipeline_stage2 = [
    *_base_.train_pipeline_stage2[:-2],
    *_base_.occlusions,
    *_base_.train_pipeline_stage2[-2:],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
average, switch = _base_.custom_hooks
switch = dict(switch, switch_pipeline=train_pipeline_stage2)
custom_hooks = [average, switch]
