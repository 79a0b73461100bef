"""Hourglass of 8 stacks, trained with keypoint blur 0.5.

The reference calls it coco/hourglass/blurring_05_keypoints.
"""

_base_ = './td-hm_hourglass-8stack_8xb32-210e_coco-256x192.py'
custom_imports = dict(imports=['mmpose_occlusion'])

occlusions = [dict(type='KeypointOcclusion', fill='blur', size=6, prob=0.5)]
train_pipeline = _base_.train_pipeline
train_pipeline[-2:-2] = occlusions
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
