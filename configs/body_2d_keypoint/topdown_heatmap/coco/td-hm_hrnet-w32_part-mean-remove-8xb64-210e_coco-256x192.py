"""HRNet-w32, trained with part cutout 0.5 (mean colour), hidden labels
removed.

The reference calls it coco/hrnet/cutout_05_parts.
"""

_base_ = (
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_hrnet-w32_8xb64-210e_coco-256x192.py'
)
custom_imports = dict(imports=['mmpose_occlusion'])

occlusions = [
    dict(type='PartOcclusion', fill='mean', remove_keypoints=True, prob=0.5)
]
train_pipeline = _base_.train_pipeline
train_pipeline[-2:-2] = occlusions
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
