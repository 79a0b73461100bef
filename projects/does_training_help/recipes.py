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
from mmpose_occlusion.errors import UsageError

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

NETS = {'w16': 16, 'w32': 32}
"""Name -> base channels of ResNet-18; the deconvolutions grow with them."""

TOPDOWN = 'mmpose::body_2d_keypoint/topdown_heatmap/coco/td-hm_'
COCO = {
    name: f'{TOPDOWN}{name}_8xb64-210e_coco-256x192.py'
    for name in ('res50', 'hrnet-w32')
}
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
    cfg.model.head.update(
        in_channels=8 * width,
        deconv_out_channels=(4 * width,) + 2 * (2 * width,),
    )
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


def apply_recipe(cfg: Config, recipe: str) -> Config:
    """Put a recipe into a config."""
    if recipe not in RECIPES:
        raise UsageError(
            f'there is no recipe "{recipe}": there are {", ".join(RECIPES)}'
        )
    what = RECIPES[recipe]
    if what.get('visibility'):
        loss = dict(type='BCELoss', use_target_weight=True, use_sigmoid=True)
        loss['loss_weight'] = 0.002
        head = dict(
            type='OcclusionVisHead', pose_cfg=cfg.model.head, loss=loss
        )
        cfg.model.head = head
    steps = copy.deepcopy(what.get('steps', []))
    if not steps:
        return cfg
    train = cfg.train_dataloader.dataset
    plain = copy.deepcopy(train.pipeline)
    insert_occlusion(cfg, steps)
    if 'last' in what or 'first' in what:
        occluded = cfg.train_dataloader.dataset.pipeline
        epochs = cfg.train_cfg.max_epochs
        late = 'last' in what
        switch = round(epochs * (1 - what['last'] if late else what['first']))
        first, second = (plain, occluded) if late else (occluded, plain)
        cfg.train_dataloader.dataset.pipeline = first
        hook = dict(type='mmdet.PipelineSwitchHook', switch_epoch=switch)
        hook['switch_pipeline'] = second
        cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), hook]
    return cfg


def coco_config(recipe: str, net: str) -> Config:
    """The config of one training on COCO, for 8 GPUs."""
    cfg = load_config(COCO[net])
    cfg.custom_imports = dict(
        imports=['mmpose_occlusion'], allow_failed_imports=False
    )
    factor = RECIPES[recipe].get('epochs', 1)
    if factor != 1:
        cfg.train_cfg.max_epochs = round(cfg.train_cfg.max_epochs * factor)
        steps = cfg.param_scheduler[1]
        steps.end = round(steps.end * factor)
        steps.milestones = [round(m * factor) for m in steps.milestones]
    return apply_recipe(cfg, recipe)


def write_coco(folder: Path) -> list[Path]:
    """Write the configs of the study on COCO; their files."""
    folder.mkdir(parents=True, exist_ok=True)
    out = []
    for net in COCO:
        for recipe in RECIPES:
            out.append(folder / f'{net}_{recipe}.py')
            coco_config(recipe, net).dump(out[-1])
    return out
