"""A visibility head under occlusions whose labels stay: the comparison."""

_base_ = './td-hm_res18d-w16_2xb16-24e_synthetic-128x96.py'

model = dict(
    head=dict(
        _delete_=True,
        type='OcclusionVisHead',
        pose_cfg=_base_.model.head,
        loss=dict(
            type='BCELoss',
            use_target_weight=True,
            use_sigmoid=True,
            loss_weight=0.002,  # the heatmaps' loss is small
        ),
    )
)
hide = dict(type='RandomOcclusion', fill='object', size='20%', label='keep')
train_dataloader = dict(
    dataset=dict(
        pipeline=[*_base_.train_pipeline[:-2], hide]
        + _base_.train_pipeline[-2:]
    )
)
