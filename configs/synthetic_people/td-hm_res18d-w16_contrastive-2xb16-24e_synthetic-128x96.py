"""A small network, trained to answer alike with and without occlusions."""

_base_ = './td-hm_res18d-w16_2xb16-24e_synthetic-128x96.py'

custom_imports = dict(
    imports=['projects.tilting_at_windmills.contrastive_views']
)
model = dict(type='ContrastivePoseEstimator')
log_processor = dict(num_digits=9)  # the views' terms are small
train_set = _base_.train_dataloader.dataset
train_dataloader = dict(
    dataset=dict(
        _delete_=True, type='OcclusionViewsDataset', dataset=train_set
    )
)
