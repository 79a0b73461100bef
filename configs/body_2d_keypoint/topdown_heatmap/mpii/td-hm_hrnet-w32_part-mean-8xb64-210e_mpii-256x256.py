"""HRNet-w32, trained with part cutout 0.5, labels kept.

The reference calls it mpii/hrnet/cutout_05_parts_no_remove.
"""

_base_ = [
    'mmpose::body_2d_keypoint/topdown_heatmap/mpii/'
    'td-hm_hrnet-w32_8xb64-210e_mpii-256x256.py',
    '../../../_base_/occlusions/part-mean.py',
]

# the base's last two steps make the targets and pack them
train_pipeline = [
    *_base_.train_pipeline[:-2],
    *_base_.occlusions,
    *_base_.train_pipeline[-2:],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
