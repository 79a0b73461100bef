"""MMPose's own configs on photographs, attacked by the ordinary commands."""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch

from .conftest import log_of

FOLDER = 'mmpose::body_2d_keypoint/topdown_heatmap'
COCO = f'{FOLDER}/coco/td-hm_res50_8xb64-210e_coco-256x192.py'
NARROW = [
    'model.backbone.depth=18',
    'model.backbone.base_channels=8',
    'model.backbone.init_cfg=None',
    'model.head.in_channels=64',
]


@dataclass
class Photographs:
    """How a user would say where photographs are."""

    name: str
    config: str
    joint: str
    metric: str
    people: int
    options: list[str] = field(default_factory=list)

    def arguments(self, root: Path) -> list[str]:
        folder = root / self.name
        return [
            '--gt-boxes',
            '--cfg-options',
            *NARROW,
            f'test_dataloader.dataset.data_root={folder}/',
            f'test_dataloader.dataset.ann_file=test_{self.name}.json',
            'test_dataloader.dataset.data_prefix.img=',
            'test_dataloader.num_workers=0',
            'test_dataloader.persistent_workers=False',
            *self.options,
        ]


OWN_ANNOTATIONS = 'test_evaluator.ann_file=None'
PHOTOGRAPHS = [
    Photographs('coco', COCO, 'nose', 'coco/AP', 12, [OWN_ANNOTATIONS]),
    Photographs(
        'mpii',
        f'{FOLDER}/mpii/td-hm_res50_8xb64-210e_mpii-256x256.py',
        'head_top',
        'PCK',
        5,
        # they have no head boxes
        [
            'test_evaluator.type=PCKAccuracy',
            'test_dataloader.dataset.headbox_file=None',
        ],
    ),
    Photographs(
        'crowdpose',
        f'{FOLDER}/crowdpose/td-hm_res50_8xb64-210e_crowdpose-256x192.py',
        'top_head',
        'crowdpose/AP',
        0,
        [OWN_ANNOTATIONS],
    ),
    Photographs(
        'aic',
        f'{FOLDER}/aic/td-hm_res101_8xb64-210e_aic-256x192.py',
        'head_top',
        'coco/AP',
        0,
        [OWN_ANNOTATIONS],
    ),
    Photographs(
        'ochuman',
        COCO,
        'left_wrist',
        'coco/AP',
        0,
        [OWN_ANNOTATIONS, 'test_dataloader.dataset.type=OCHumanDataset'],
    ),
]


@pytest.fixture(params=PHOTOGRAPHS, ids=lambda photographs: photographs.name)
def photographs(request) -> Photographs:
    return request.param


@pytest.fixture
def untrained(photographs, tmp_path) -> str:
    """A checkpoint of the config's model as it is made."""
    from mmengine.registry import init_default_scope
    from mmpose.registry import MODELS

    from mmpose_occlusion.engine.config import load_config

    init_default_scope('mmpose')
    options = dict(option.split('=') for option in NARROW)
    options = {
        key: None if value == 'None' else int(value)
        for key, value in options.items()
    }
    torch.manual_seed(0)
    model = MODELS.build(load_config(photographs.config, options).model)
    path = tmp_path / 'untrained.pth'
    torch.save({'state_dict': model.state_dict()}, path)
    return str(path)


def test_attacked(photographs, untrained, real_data, tool, tmp_path):
    out = tmp_path / 'metrics.json'
    shown = tmp_path / 'shown'
    argv = [photographs.config, untrained, '--work-dir', str(tmp_path)]
    argv += ['--attack', f'keypoint:{photographs.joint}:black']
    argv += ['--attack', 'part:left_leg:blur', '--attack', 'part:head:mean']
    argv += ['--out', str(out), '--show-dir', str(shown)]
    coco = photographs.name != 'mpii'
    argv += ['--per-keypoint'] if coco else []
    argv += photographs.arguments(real_data)
    assert tool('test').main(argv) == 0

    metrics = json.loads(out.read_text())
    assert 0 <= metrics[photographs.metric] <= 1
    assert all(math.isfinite(value) for value in metrics.values())
    if coco:
        assert 0 <= metrics[f'{photographs.joint}/PCK'] <= 1
    lines = [
        line for line in log_of(tmp_path).splitlines() if ' Attack ' in line
    ]
    assert len(lines) == 3
    crops = len(list(shown.iterdir()))
    assert crops >= max(photographs.people, 2)
    for line in lines:
        words = line.partition(' changed ')[2].split()
        assert words[1:4] == ['of', str(crops), 'crops']
        assert 0 < int(words[0]) <= crops
        assert ' px on average' in line


@pytest.mark.parametrize('photographs', PHOTOGRAPHS[:2], indirect=True)
def test_browsed(photographs, real_data, tool, tmp_path):
    argv = [photographs.config, '--out', str(tmp_path), '--split', 'test']
    argv += ['--attack', 'keypoint:random:black', '--num', '4']
    argv += ['--attack', 'part:random_all:blur']
    argv += photographs.arguments(real_data)
    assert tool('browse').main(argv) == 0
    page = (tmp_path / 'gallery.html').read_text()
    assert 2 <= page.count('<article') <= 4


@pytest.mark.parametrize('photographs', PHOTOGRAPHS[:1], indirect=True)
def test_detector_boxes(photographs, untrained, real_data, tool, tmp_path):
    """The people in them are attacked."""
    boxes = real_data / 'coco' / 'test_coco_det_AP_H_56.json'
    argv = [photographs.config, untrained, '--work-dir', str(tmp_path)]
    argv += ['--attack', 'part:head:blur']
    argv += photographs.arguments(real_data)[1:]
    argv.append(f'test_dataloader.dataset.bbox_file={boxes}')
    argv.append('test_dataloader.dataset.filter_cfg.bbox_score_thr=0.2')
    assert tool('test').main(argv) == 0
    log = log_of(tmp_path)
    (line,) = [x for x in log.splitlines() if ' Attack ' in x]
    changed, _, boxes_ = line.partition(' changed ')[2].split()[:3]
    assert 0 < int(changed) <= 12 < int(boxes_)  # of twelve people
    assert 'no annotated person overlaps this box' in line
