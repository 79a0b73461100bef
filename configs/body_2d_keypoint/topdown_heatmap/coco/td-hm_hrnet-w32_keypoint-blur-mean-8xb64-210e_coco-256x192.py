"""HRNet-w32, trained with keypoint blur 0.5 and keypoint cutout 0.5.

The reference calls it coco/hrnet/cutout_blurring_05_keypoint.
"""

_base_ = (
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_hrnet-w32_8xb64-210e_coco-256x192.py'
)
custom_imports = dict(imports=['mmpose_occlusion'])

occlusions = [
    dict(type='KeypointOcclusion', fill='blur', size=6, prob=0.5),
    dict(type='KeypointOcclusion', fill='mean', size=6, prob=0.5),
]
train_pipeline = _base_.train_pipeline
train_pipeline[-2:-2] = occlusions
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
