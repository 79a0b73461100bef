"""SimpleBaseline with ResNet-50, trained with part cutout 0.5, labels kept.

The reference calls it coco/resnet/cutout_parts_05.
"""

_base_ = './td-hm_res50_8xb64-210e_coco-256x192.py'

occlusions = [dict(type='PartOcclusion', fill='mean', prob=0.5)]
train_pipeline = _base_.train_pipeline
train_pipeline[-2:-2] = occlusions
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
