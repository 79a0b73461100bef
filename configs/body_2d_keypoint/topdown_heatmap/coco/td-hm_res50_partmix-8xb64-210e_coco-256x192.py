"""SimpleBaseline with ResNet-50, trained with PartMix 0.5, labels kept.

The reference calls it coco/resnet/cutmix_05.
"""

_base_ = [
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_res50_8xb64-210e_coco-256x192.py',
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
