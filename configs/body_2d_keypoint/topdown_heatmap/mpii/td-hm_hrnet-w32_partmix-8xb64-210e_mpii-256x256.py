"""HRNet-w32, trained with PartMix 0.5, labels kept.

The reference calls it mpii/hrnet/cutmix_05_noremove.
"""

_base_ = [
    'mmpose::body_2d_keypoint/topdown_heatmap/mpii/'
    'td-hm_hrnet-w32_8xb64-210e_mpii-256x256.py',
    '../../../_base_/occlusions/partmix.py',
]

# the base's last two steps make the targets and pack them
train_pipeline = [
    *_base_.train_pipeline[:-2],
    *_base_.occlusions,
    *_base_.train_pipeline[-2:],
]
train_set = dict(_base_.train_dataloader.dataset, pipeline=train_pipeline)
train_dataloader = dict(
    dataset=dict(_delete_=True, type='DonorDataset', dataset=train_set)
)
