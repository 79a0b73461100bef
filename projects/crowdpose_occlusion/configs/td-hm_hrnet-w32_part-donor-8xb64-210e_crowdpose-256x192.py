"""HRNet on CrowdPose, parts of people under parts of other people."""

_base_ = (
    'mmpose::body_2d_keypoint/topdown_heatmap/crowdpose/'
    'td-hm_hrnet-w32_8xb64-210e_crowdpose-256x192.py'
)
custom_imports = dict(imports=['mmpose_occlusion'])
hide = dict(type='PartOcclusion', fill='donor', prob=0.5)
train_pipeline = _base_.train_pipeline
train_pipeline.insert(-2, hide)
train_set = dict(_base_.train_dataloader.dataset, pipeline=train_pipeline)
train_dataloader = dict(
    dataset=dict(_delete_=True, type='DonorDataset', dataset=train_set)
)
