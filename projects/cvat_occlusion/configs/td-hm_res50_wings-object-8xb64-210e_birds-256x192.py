"""ResNet-50 on own data of five joints, some birds with a hidden wing."""

_base_ = (
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_res50_8xb64-210e_coco-256x192.py'
)
custom_imports = dict(imports=['mmpose_occlusion'])
occlusion_parts = dict(wings=['left_wing', 'right_wing'])
hide = dict(type='PartOcclusion', target='wings', fill='object', prob=0.5)
train_pipeline = _base_.train_pipeline
train_pipeline.insert(-2, hide)
data = dict(
    data_root='data/birds/',
    ann_file='annotations/person_keypoints_default.json',
    data_prefix=dict(img='images/'),
    metainfo=dict(from_file='projects/cvat_occlusion/birds.py'),
)
train_dataloader = dict(dataset=dict(data, pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(data, bbox_file=None))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data['data_root'] + data['ann_file'])
test_evaluator = val_evaluator
model = dict(head=dict(out_channels=5))
