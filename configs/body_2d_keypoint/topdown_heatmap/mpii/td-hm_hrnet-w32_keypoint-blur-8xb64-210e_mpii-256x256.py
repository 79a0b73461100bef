"""HRNet-w32, trained with keypoint blur 0.5.

The reference calls it mpii/hrnet/blurring_keypoints_05.
"""

_base_ = './td-hm_hrnet-w32_8xb64-210e_mpii-256x256.py'

occlusions = [dict(type='KeypointOcclusion', fill='blur', size=6, prob=0.5)]
train_pipeline = _base_.train_pipeline
train_pipeline[-2:-2] = occlusions
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
