"""A small network for synthetic people: minutes in two processes.

bash tools/dist_train.sh CONFIG 2
"""

_base_ = [
    'mmpose::_base_/default_runtime.py',
    '../_base_/datasets/synthetic_people.py',
    '../_base_/models/res18d-w16.py',
]
import torch  # noqa: E402

custom_imports = dict(imports=['mmpose_occlusion'])
randomness = dict(seed=0)
custom_hooks = [dict(type='SyncBuffersHook')]

model = dict(head=dict(decoder=_base_.codec))
epochs = 24
train_cfg = dict(max_epochs=epochs, val_interval=epochs)
optimizer = dict(type='AdamW', lr=2e-2, weight_decay=0.01)
optimizer['fused'] = torch.__version__ >= (2, 4)  # on a CPU, too
optim_wrapper = dict(optimizer=optimizer)
cosine = dict(type='CosineAnnealingLR', T_max=epochs, end=epochs, eta_min=1e-5)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.04, end=300, by_epoch=False),
    dict(cosine, begin=0, by_epoch=True, convert_to_iter_based=True),
]
