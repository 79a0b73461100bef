"""A visibility head that learns that hidden joints are not visible."""

_base_ = './td-hm_res18d-w16_vis-keep-2xb16-24e_synthetic-128x96.py'

hide = dict(_base_.hide, label='occluded')
train_dataloader = dict(
    dataset=dict(
        pipeline=[*_base_.train_pipeline[:-2], hide]
        + _base_.train_pipeline[-2:]
    )
)
