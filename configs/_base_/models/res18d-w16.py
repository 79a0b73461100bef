# ResNet-18 with a deep stem and 16 base channels (0.9 million weights), for
# crops of 128x96 pixels on a CPU. Its head needs a decoder: the data's codec.
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    backbone=dict(
        type='ResNetV1d', depth=18, stem_channels=16, base_channels=16
    ),
    head=dict(
        type='HeatmapHead',
        in_channels=128,
        out_channels=17,
        deconv_out_channels=(64, 32, 32),
        loss=dict(type='KeypointMSELoss', use_target_weight=True),
    ),
    # the accuracy of each batch costs a tenth of the time
    train_cfg=dict(compute_acc=False),
    test_cfg=dict(flip_test=True, flip_mode='heatmap', shift_heatmap=False),
)
