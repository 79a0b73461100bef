"""HRNet with UDP on COCO, half of the people with an object over a part."""

_base_ = (
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_hrnet-w32_udp-8xb64-210e_coco-256x192.py'
)
custom_imports = dict(imports=['mmpose_occlusion'])
hide = dict(type='PartOcclusion', fill='object', prob=0.5)
train_pipeline = _base_.train_pipeline
train_pipeline.insert(-2, hide)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
