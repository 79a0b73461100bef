"""HRNet-w32, trained with PartMix 0.5, labels kept.

The reference calls it mpii/hrnet/cutmix_05_noremove.
"""

_base_ = './td-hm_hrnet-w32_8xb64-210e_mpii-256x256.py'

occlusions = [dict(type='PartMix', prob=0.5)]
train_pipeline = _base_.train_pipeline
train_pipeline[-2:-2] = occlusions
train_set = dict(_base_.train_dataloader.dataset, pipeline=train_pipeline)
train_dataloader = dict(
    dataset=dict(_delete_=True, type='DonorDataset', dataset=train_set)
)
