"""HRNet-w32, trained with PartMix 0.5, labels kept.

The reference calls it coco/hrnet/cutmix_05_no_remove.
"""

_base_ = (
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_hrnet-w32_8xb64-210e_coco-256x192.py'
)
custom_imports = dict(imports=['mmpose_occlusion'])

occlusions = [dict(type='PartMix', prob=0.5)]
train_pipeline = _base_.train_pipeline
train_pipeline[-2:-2] = occlusions
train_set = dict(_base_.train_dataloader.dataset, pipeline=train_pipeline)
train_dataloader = dict(
    dataset=dict(_delete_=True, type='DonorDataset', dataset=train_set)
)
