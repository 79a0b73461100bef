"""Data sets of MMPose that lack something: sigmas, areas, a body's parts.

One config per family, with random weights, on two made-up people. With
OCCLUSION_MATRIX=1 all families and heads are tried (10 minutes).
"""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.hub import get_config
from mmengine.registry import init_default_scope

from mmpose_occlusion.benchmark.api import load_benchmark
from mmpose_occlusion.cli import benchmark, images
from mmpose_occlusion.engine.config import metainfo_of
from tests.narrow import narrowing
from tests.test_tools.conftest import tool  # noqa: F401

BODY = 'body_2d_keypoint'
HEATMAP = f'{BODY}/topdown_heatmap'
HAND = 'hand_2d_keypoint/topdown_heatmap/onehand10k'
FACE = 'face_2d_keypoint/topdown_heatmap/wflw'
ANIMAL = 'animal_2d_keypoint/topdown_heatmap'
WHOLE = 'wholebody_2d_keypoint/topdown_heatmap/coco-wholebody'
SMALL = {
    'hand, no sigmas': {},
    'face, no areas': {'model.head.in_channels': 16},  # four scales of 4
}
"""Families whose networks are narrowed -> what that takes beyond."""
FAMILIES = {
    'hand, no sigmas': f'{HAND}/td-hm_res50_8xb32-210e_onehand10k-256x256.py',
    'face, no areas': f'{FACE}/td-hm_hrnetv2-w18_8xb64-60e_wflw-256x256.py',
}
if os.environ.get('OCCLUSION_MATRIX'):
    FAMILIES |= {
        'heatmap': f'{HEATMAP}/coco/td-hm_res50_8xb64-210e_coco-256x192.py',
        'UDP': f'{HEATMAP}/coco/'
        'td-hm_hrnet-w32_udp-8xb64-210e_coco-256x192.py',
        'regression': f'{BODY}/topdown_regression/coco/'
        'td-reg_res50_8xb64-210e_coco-256x192.py',
        'RLE': f'{BODY}/topdown_regression/coco/'
        'td-reg_res50_rle-8xb64-210e_coco-256x192.py',
        'SimCC': f'{BODY}/simcc/coco/simcc_res50_8xb64-210e_coco-256x192.py',
        'integral': f'{BODY}/integral_regression/coco/'
        'ipr_res50_8xb64-210e_coco-256x256.py',
        'RTMPose': f'{BODY}/rtmpose/coco/'
        'rtmpose-s_8xb256-420e_coco-256x192.py',
        'AIC': f'{HEATMAP}/aic/td-hm_res101_8xb64-210e_aic-256x192.py',
        'JHMDB': f'{HEATMAP}/jhmdb/'
        'td-hm_res50_8xb64-20e_jhmdb-sub1-256x256.py',
        'Human-Art': f'{BODY}/rtmpose/humanart/'
        'rtmpose-s_8xb256-420e_humanart-256x192.py',
        'AP-10K': f'{ANIMAL}/ap10k/td-hm_res50_8xb64-210e_ap10k-256x256.py',
        'zebra': f'{ANIMAL}/zebra/td-hm_res50_8xb64-210e_zebra-160x160.py',
        'whole body': f'{WHOLE}/'
        'td-hm_res50_8xb64-210e_coco-wholebody-256x192.py',
    }


def made_up_people(folder: Path, joints: int) -> None:
    """Two images of noise with one person each, in COCO's format."""
    rng = np.random.default_rng(0)
    images, people = [], []
    for number in (1, 2):
        name = f'{number}.jpg'
        noise = rng.integers(0, 255, (240, 200, 3), np.uint8)
        cv2.imwrite(str(folder / name), noise)
        images.append(dict(id=number, file_name=name, height=240, width=200))
        points = np.full((joints, 3), 2.0)
        points[:, :2] = rng.uniform(45, 155, (joints, 2))
        flat = points.ravel().tolist()
        person = dict(
            id=number,
            image_id=number,
            category_id=1,
            iscrowd=0,
            bbox=[40.0, 40.0, 120.0, 160.0],
            segmentation=[[40, 40, 160, 40, 160, 200, 40, 200]],
            keypoints=flat,
            num_keypoints=joints,
            center=[100.0, 120.0],
            scale=0.8,
            head_size=30.0,
        )
        if joints == 133:
            person.update(
                keypoints=flat[:51],
                foot_kpts=flat[51:69],
                face_kpts=flat[69:273],
                lefthand_kpts=flat[273:336],
                righthand_kpts=flat[336:],
                num_keypoints=17,
            )
            for part in ('face', 'lefthand', 'righthand'):
                person[f'{part}_box'] = [0, 0, 9, 9]
            for part in ('foot', 'face', 'lefthand', 'righthand'):
                person[f'{part}_valid'] = True
        people.append(person)
    categories = [dict(id=1, name='person')]
    content = dict(images=images, annotations=people, categories=categories)
    (folder / 'a.json').write_text(json.dumps(content))


@pytest.mark.slow
@pytest.mark.parametrize('family', FAMILIES)
def test_browse_attack_and_benchmark(family, tmp_path, tool):  # noqa: F811
    from mmpose.registry import MODELS

    cfg = get_config(f'mmpose::{FAMILIES[family]}')
    init_default_scope('mmpose')
    dataset = cfg.test_dataloader.dataset
    names = metainfo_of(dataset)['keypoint_id2name']
    made_up_people(tmp_path, len(names))
    dataset.update(
        data_root=f'{tmp_path}/',
        ann_file='a.json',
        data_prefix=dict(img=''),
        bbox_file=None,
    )
    cfg.test_dataloader.update(num_workers=0, persistent_workers=False)
    metrics = cfg.test_evaluator
    for metric in metrics if isinstance(metrics, list) else [metrics]:
        if 'ann_file' in metric:
            metric['ann_file'] = str(tmp_path / 'a.json')
    cfg.model.backbone.pop('init_cfg', None)
    if family in SMALL:
        cfg.merge_from_dict({**narrowing(cfg.model), **SMALL[family]})
    cfg.dump(config := str(tmp_path / 'config.py'))
    weights = str(tmp_path / 'weights.pth')
    torch.save({'state_dict': MODELS.build(cfg.model).state_dict()}, weights)

    attack = ['--attack', f'keypoint:{names[0]}:black:10%']
    pair = [config, weights]
    sheet, out = str(tmp_path / 'sheet'), str(tmp_path / 'out')
    argv = [config, '--split', 'test', *attack, '--out', sheet]
    assert images.main(argv) == 0
    argv = [*pair, *attack, '--per-keypoint', '--work-dir', out]
    assert tool('test').main(argv) == 0
    assert benchmark.main([*pair, *attack, '--out', out]) == 0
    (run,) = load_benchmark(out).runs
    assert len(run.attacks) == 1
    assert np.isfinite(run.joints.sigmas).all()
    if len(names) in (21, 98):  # not scored by OKS in MMPose
        assert not run.people
