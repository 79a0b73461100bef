"""SimpleBaseline with ResNet-50, trained without occlusions: the baseline."""

_base_ = (
    'mmpose::body_2d_keypoint/topdown_heatmap/mpii/'
    'td-hm_res50_8xb64-210e_mpii-256x256.py'
)
custom_imports = dict(imports=['mmpose_occlusion'])
