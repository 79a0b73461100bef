"""HRNet-w32, trained without occlusions: the baseline.

The reference calls it mpii/hrnet/w32_256x256.
"""

_base_ = (
    'mmpose::body_2d_keypoint/topdown_heatmap/mpii/'
    'td-hm_hrnet-w32_8xb64-210e_mpii-256x256.py'
)
custom_imports = dict(imports=['mmpose_occlusion'])
