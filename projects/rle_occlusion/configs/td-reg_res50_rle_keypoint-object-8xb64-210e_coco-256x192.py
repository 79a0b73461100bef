"""Regression with RLE on COCO, half of the people with a hidden joint."""

_base_ = (
    'mmpose::body_2d_keypoint/topdown_regression/coco/'
    'td-reg_res50_rle-8xb64-210e_coco-256x192.py'
)
custom_imports = dict(imports=['mmpose_occlusion'])

# 'drop': a hidden joint has no term in the loss, so that the predicted
# standard deviation is not fitted to guesses
hide = dict(
    type='KeypointOcclusion', fill='object', size='20%', label='drop', prob=0.5
)
train_pipeline = _base_.train_pipeline
train_pipeline.insert(-2, hide)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
