"""SimpleBaseline with ResNet-50, trained with keypoint blur 0.5.

The reference calls it coco/resnet/blurring_05_keypoints.
"""

_base_ = './td-hm_res50_8xb64-210e_coco-256x192.py'

occlusions = [dict(type='KeypointOcclusion', fill='blur', size=6, prob=0.5)]
train_pipeline = _base_.train_pipeline
train_pipeline[-2:-2] = occlusions
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
