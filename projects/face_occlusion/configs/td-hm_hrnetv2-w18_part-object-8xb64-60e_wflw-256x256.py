"""HRNetV2-W18 on WFLW, half of the faces with hidden eyes or a hidden mouth.

The joints of WFLW are numbered: kpt-60 to 67 and 96 are the left eye, 68 to
75 and 97 the right one, 76 to 95 the mouth.
"""

_base_ = (
    'mmpose::face_2d_keypoint/topdown_heatmap/wflw/'
    'td-hm_hrnetv2-w18_8xb64-60e_wflw-256x256.py'
)
custom_imports = dict(imports=['mmpose_occlusion'])
occlusion_parts = dict(
    left_eye=[f'kpt-{number}' for number in (*range(60, 68), 96)],
    right_eye=[f'kpt-{number}' for number in (*range(68, 76), 97)],
    mouth=[f'kpt-{number}' for number in range(76, 96)],
)
hide = dict(type='PartOcclusion', fill='object', prob=0.5)
train_pipeline = _base_.train_pipeline
train_pipeline.insert(-2, hide)
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
