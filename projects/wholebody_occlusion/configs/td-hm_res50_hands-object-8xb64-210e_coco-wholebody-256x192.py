"""ResNet-50 on COCO-WholeBody, half of the people with a hidden hand, foot
or face.
"""

_base_ = (
    'mmpose::wholebody_2d_keypoint/topdown_heatmap/coco-wholebody/'
    'td-hm_res50_8xb64-210e_coco-wholebody-256x192.py'
)
custom_imports = dict(imports=['mmpose_occlusion'])
parts = ['left_hand', 'right_hand', 'left_foot', 'right_foot', 'face']
hide = dict(type='PartOcclusion', target=parts, fill='object', prob=0.5)
train_pipeline = _base_.train_pipeline
train_pipeline.insert(-2, hide)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
