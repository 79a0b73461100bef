"""HRNet-w32 on COCO, the recommended occlusion in the last 70 epochs."""

_base_ = [
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_hrnet-w32_8xb64-210e_coco-256x192.py',
    '../../../configs/_base_/occlusions/recommended.py',
]

occluded = [*_base_.train_pipeline]
occluded[-2:-2] = _base_.occlusions
custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type='mmdet.PipelineSwitchHook',
        switch_epoch=140,
        switch_pipeline=occluded,
    ),
]
