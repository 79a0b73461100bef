"""ResNet-50 on OneHand10K, half of the hands with a hidden finger."""

_base_ = (
    'mmpose::hand_2d_keypoint/topdown_heatmap/onehand10k/'
    'td-hm_res50_8xb32-210e_onehand10k-256x256.py'
)
custom_imports = dict(imports=['mmpose_occlusion'])
fingers = ['thumb', 'forefinger', 'middle_finger', 'ring_finger']
fingers.append('pinky_finger')
hide = dict(type='PartOcclusion', target=fingers, fill='object', prob=0.5)
train_pipeline = _base_.train_pipeline
train_pipeline.insert(-2, hide)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
