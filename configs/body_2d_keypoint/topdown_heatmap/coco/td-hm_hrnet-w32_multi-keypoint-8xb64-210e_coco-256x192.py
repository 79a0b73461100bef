"""HRNet-w32, trained with up to five joints, each with probability 0.2,
blurred or cut out.

The reference calls it coco/hrnet/multikeypoint_cutout_blurring_max5_02.
"""

_base_ = [
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_hrnet-w32_8xb64-210e_coco-256x192.py',
    '../../../_base_/occlusions/multi-keypoint.py',
]

# the base's last two steps make the targets and pack them
train_pipeline = [
    *_base_.train_pipeline[:-2],
    *_base_.occlusions,
    *_base_.train_pipeline[-2:],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
