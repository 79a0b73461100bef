"""HRNet-w32, trained with part cutout 0.5, labels kept.

The reference calls it mpii/hrnet/cutout_05_parts_no_remove.
"""

_base_ = './td-hm_hrnet-w32_8xb64-210e_mpii-256x256.py'

occlusions = [dict(type='PartOcclusion', fill='mean', prob=0.5)]
train_pipeline = _base_.train_pipeline
train_pipeline[-2:-2] = occlusions
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
