"""HRNet-w32, trained to answer alike with and without occlusions.

The reference offers it as an option, without a config of its own. Each crop
is seen three times, and a batch needs three times the memory.
"""

_base_ = (
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_hrnet-w32_8xb64-210e_coco-256x192.py'
)
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
