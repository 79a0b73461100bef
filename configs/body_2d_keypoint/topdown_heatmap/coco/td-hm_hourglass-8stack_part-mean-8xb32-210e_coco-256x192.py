"""Hourglass of 8 stacks, trained with part cutout 0.5, labels kept.

The reference calls it coco/hourglass/cutout_parts_05.
"""

_base_ = [
    './td-hm_hourglass-8stack_8xb32-210e_coco-256x192.py',
    '../../../_base_/occlusions/part-mean.py',
]

# the base's last two steps make the targets and pack them
train_pipeline = [
    *_base_.train_pipeline[:-2],
    *_base_.occlusions,
    *_base_.train_pipeline[-2:],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
