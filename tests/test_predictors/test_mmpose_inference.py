"""Models of MMPose by its own inference functions."""

import numpy as np
import pytest

pytest.importorskip('mmpose')

import torch
from mmengine.config import Config

from mmpose_occlusion.benchmark.image_run import run_predictor
from mmpose_occlusion.engine.config import load_config
from mmpose_occlusion.predictors import load_predictor
from mmpose_occlusion.predictors.protocol import check_predictions

BODY = 'mmpose::body_2d_keypoint/'
ATTACK = 'keypoint:nose:black:20%'


def narrow_dekr(cfg: Config) -> None:
    """Fewer layers, and 128 instead of 512 pixels."""
    for stage in cfg.model.backbone.extra.values():
        if isinstance(stage, dict) and 'num_blocks' in stage:
            stage.num_modules = 1
            stage.num_blocks = (1,) * len(stage.num_blocks)
    size = dict(input_size=(128, 128), heatmap_size=(32, 32))
    cfg.model.head.decoder.update(size)
    cfg.test_dataloader.dataset.pipeline[1].input_size = (128, 128)


def narrow_rtmo(cfg: Config) -> None:
    cfg.test_dataloader.dataset.pipeline[1].input_size = (320, 320)
    cfg.model.test_cfg.update(score_thr=0.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ('name', 'change'),
    [
        ('dekr/coco/dekr_hrnet-w32_8xb10-140e_coco-512x512.py', narrow_dekr),
        ('rtmo/coco/rtmo-s_8xb32-600e_coco-640x640.py', narrow_rtmo),
    ],
)
def test_one_stage_models(name, change, synthetic_people, tmp_path):
    """With random weights, of which not all poses need be finite."""
    cfg = load_config(BODY + name)
    cfg.model.backbone.init_cfg = None
    change(cfg)
    cfg.dump(tmp_path / 'model.py')
    torch.manual_seed(0)
    predict = load_predictor(f'mmpose:{tmp_path}/model.py')
    assert not predict.needs_boxes
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    poses = predict([noise], [None])
    assert len(check_predictions(predict, poses, [None])[0].keypoints)
    found = run_predictor(
        predict,
        synthetic_people / 'annotations/person_keypoints_val.json',
        synthetic_people / 'val',
        out=tmp_path / 'out',
        attacks=[ATTACK],
        max_images=1,
    )
    clean, attacked = found.run['people_found']
    assert clean['found'] + clean['missing'] == found.run['people']
    assert attacked['found'] + attacked['missing'] == found.run['people']
    assert found.run['forward_passes'] == 2
