"""DEKR (bottom-up) on COCO, joints hidden in the whole images."""

_base_ = (
    'mmpose::body_2d_keypoint/dekr/coco/'
    'dekr_hrnet-w32_8xb10-140e_coco-512x512.py'
)
custom_imports = dict(imports=['mmpose_occlusion'])

# right after LoadImage, where the boxes are those of the annotations
hide = dict(type='KeypointOcclusion', fill='object', size='20%', prob=0.5)
train_pipeline = _base_.train_pipeline
train_pipeline.insert(1, hide)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
