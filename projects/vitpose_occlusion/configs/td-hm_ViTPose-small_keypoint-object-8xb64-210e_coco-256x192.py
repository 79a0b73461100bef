"""ViTPose-S on COCO, half of the people with an object over a joint."""

_base_ = (
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_ViTPose-small_8xb64-210e_coco-256x192.py'
)
custom_imports = dict(
    imports=['mmpose_occlusion', *_base_.custom_imports.imports]
)
hide = dict(
    type='KeypointOcclusion', fill='object', size='20%', offset=0.5, prob=0.5
)
train_pipeline = _base_.train_pipeline
train_pipeline.insert(-2, hide)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
