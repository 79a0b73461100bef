"""The recipes of the study, and their configs.

A recipe is a small dict: ``steps``, transforms of the crop; ``epochs``, a
factor of the training's length; ``first`` or ``last``, the fraction of the
epochs that has the steps; ``visibility``, whether there is a visibility head.
"""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.config import Config
from mmpose.registry import TRANSFORMS
from torchvision.transforms import RandomErasing

from mmpose_occlusion import insert_occlusion
from mmpose_occlusion.engine.config import load_config

ROOT = Path(__file__).resolve().parents[2]
BASE = (
    ROOT / 'configs/synthetic_people'
    '/td-hm_res18d-w16_2xb16-24e_synthetic-128x96.py'
)
EPOCHS, BATCH, RATE = 8, 32, 1e-2

KEYPOINT = dict(type='KeypointOcclusion', fill='object', offset=0.5, prob=0.5)
PART = dict(type='PartOcclusion', fill='object', prob=0.5)

# sizes and number of RTMPose's recipe
DROPOUT = dict(type='CoarseDropout', max_holes=1, min_holes=1, p=0.5)
DROPOUT |= dict(max_height=0.4, max_width=0.4, min_height=0.2, min_width=0.2)

RECIPES: dict[str, dict[str, Any]] = {
    'none': dict(),
    'none-twice': dict(epochs=2),
    'colour-jitter': dict(steps=[dict(type='PhotometricDistortion')]),
    'coarse-dropout': dict(
        steps=[dict(type='Albumentation', transforms=[DROPOUT])]
    ),
    'random-erasing': dict(steps=[dict(type='NoiseErasing', prob=0.5)]),
    # the paper's two
    'keypoint-blur': dict(
        steps=[dict(type='KeypointOcclusion', fill='blur', size=6, prob=0.5)]
    ),
    'part-cutout': dict(
        steps=[dict(type='PartOcclusion', fill='mean', prob=0.5)]
    ),
    'keypoint-object': dict(steps=[KEYPOINT]),
    'part-object': dict(steps=[PART]),
    'part-object-vis': dict(
        steps=[dict(PART, label='occluded')], visibility=True
    ),
    # AID (2020), and the same number of occluded epochs at the beginning
    'object-last-third': dict(steps=[KEYPOINT], last=1 / 3),
    'object-first-third': dict(steps=[KEYPOINT], first=1 / 3),
}

USUAL = tuple(RECIPES)
"""The recipes of a study without ``--only``."""

RECIPES |= {
    f'{name}-twice': dict(RECIPES[name], epochs=2)
    for name in ('keypoint-object', 'part-object', 'object-last-third')
}

NETS = {'w16': 16, 'w32': 32}
"""Name -> base channels of ResNet-18; the deconvolutions grow with them."""

COCO_NETS = ('res50', 'hrnet-w32')
"""The nets of ``--scale coco``."""


@TRANSFORMS.register_module()
class NoiseErasing(BaseTransform):
    """Random erasing (Zhong et al., AAAI 2020) of a copy of ``img``: a
    rectangle drawn by torchvision, each value of each pixel from 0 to 255."""

    def __init__(self, prob: float = 0.5) -> None:
        self.prob = prob

    def transform(self, results: dict) -> dict:
        if np.random.random() < self.prob:  # noqa: NPY002
            img = results['img'].copy()
            i, j, h, w, _ = RandomErasing.get_params(
                torch.empty(img.shape[2], *img.shape[:2]),
                scale=(0.02, 0.33),
                ratio=(0.3, 3.3),
                value=[0.0],
            )
            noise = np.random.randint(0, 256, (h, w, img.shape[2]))  # noqa: NPY002
            img[i : i + h, j : j + w] = noise
            results['img'] = img
        return results


def study_config(
    recipe: str, net: str, seed: int, data_root: str, epochs: int = EPOCHS
) -> Config:
    """The config of one training on the synthetic people of a folder; equal
    seeds have equal first weights and orders of the data. ``epochs`` are of a
    recipe of usual length."""
    cfg = load_config(str(BASE))
    width = NETS[net]
    cfg.model.backbone.update(base_channels=width, stem_channels=width)
    channels = (4 * width,) + 2 * (2 * width,)
    cfg.model.head.update(in_channels=8 * width, deconv_out_channels=channels)
    for split in ('train', 'val', 'test'):
        loader = cfg[f'{split}_dataloader']
        loader.dataset.data_root = data_root
        loader.update(num_workers=0, persistent_workers=False)
    cfg.train_dataloader.batch_size = BATCH
    cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    cfg.randomness = dict(seed=seed)
    cfg.custom_hooks = []
    cfg.model.test_cfg.flip_test = False  # half the time of judging
    epochs = round(epochs * RECIPES[recipe].get('epochs', 1))
    cfg.train_cfg = dict(by_epoch=True, max_epochs=epochs)
    cfg.optim_wrapper.optimizer.lr = RATE
    warm, cosine = cfg.param_scheduler
    warm.update(end=100)
    cosine.update(T_max=epochs, end=epochs)
    cfg.default_hooks.checkpoint = dict(
        type='CheckpointHook', interval=epochs, save_optimizer=False
    )
    cfg.default_hooks.logger.interval = 1000
    cfg.model_name = f'{recipe} {net} {seed}'
    apply_recipe(cfg, recipe)
    return cfg


def apply_recipe(cfg: Config, recipe: str) -> None:
    """Put a recipe's steps and head into a config."""
    what = RECIPES[recipe]
    if what.get('visibility'):
        loss = dict(type='BCELoss', use_target_weight=True, use_sigmoid=True)
        loss['loss_weight'] = 0.002
        head = dict(type='OcclusionVisHead', pose_cfg=cfg.model.head)
        cfg.model.head = dict(head, loss=loss)
    if 'steps' not in what:
        return
    plain = copy.deepcopy(cfg.train_dataloader.dataset.pipeline)
    insert_occlusion(cfg, copy.deepcopy(what['steps']))
    stages = [plain, cfg.train_dataloader.dataset.pipeline]
    if 'first' in what:
        stages.reverse()
    elif 'last' not in what:
        return
    until = what.get('first', 1 - what.get('last', 1))
    hook = dict(type='mmdet.PipelineSwitchHook')
    hook['switch_epoch'] = round(cfg.train_cfg.max_epochs * until)
    cfg.train_dataloader.dataset.pipeline, hook['switch_pipeline'] = stages
    cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), hook]


def write_coco(folder: Path) -> None:
    """Write the configs of the study on COCO, for 8 GPUs."""
    folder.mkdir(parents=True, exist_ok=True)
    for net in COCO_NETS:
        base = load_config(
            'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
            f'td-hm_{net}_8xb64-210e_coco-256x192.py'
        )
        base.custom_imports = dict(
            imports=['mmpose_occlusion'], allow_failed_imports=False
        )
        for recipe, what in RECIPES.items():
            cfg, factor = copy.deepcopy(base), what.get('epochs', 1)
            cfg.train_cfg.max_epochs *= factor
            steps = cfg.param_scheduler[1]
            steps.end *= factor
            steps.milestones = [factor * m for m in steps.milestones]
            apply_recipe(cfg, recipe)
            cfg.dump(folder / f'{net}_{recipe}.py')
