"""HRNet-w32, trained with up to five joints, each with probability 0.2,
blurred or cut out.

The reference calls it coco/hrnet/multikeypoint_cutout_blurring_max5_02.
"""

_base_ = (
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_hrnet-w32_8xb64-210e_coco-256x192.py'
)
custom_imports = dict(imports=['mmpose_occlusion'])

joints = dict(max_keypoints=5, keypoint_prob=0.2, size=6)
occlusions = [dict(type='MultiKeypointOcclusion', **joints)]
train_pipeline = _base_.train_pipeline
train_pipeline[-2:-2] = occlusions
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
