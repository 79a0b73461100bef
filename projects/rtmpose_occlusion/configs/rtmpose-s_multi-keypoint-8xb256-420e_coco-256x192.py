"""RTMPose-s, trained with up to five joints hidden, in both of its stages."""

_base_ = (
    'mmpose::body_2d_keypoint/rtmpose/coco/'
    'rtmpose-s_8xb256-420e_coco-256x192.py'
)
custom_imports = dict(imports=['mmpose_occlusion'])

joints = dict(max_keypoints=5, keypoint_prob=0.2, size=6)
occlusions = [dict(type='MultiKeypointOcclusion', **joints)]
train_pipeline = _base_.train_pipeline
train_pipeline[-2:-2] = occlusions
train_pipeline_stage2 = _base_.train_pipeline_stage2
train_pipeline_stage2[-2:-2] = occlusions
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
average, switch = _base_.custom_hooks
switch = dict(switch, switch_pipeline=train_pipeline_stage2)
custom_hooks = [average, switch]
