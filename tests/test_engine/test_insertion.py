"""Occlusions in all stages of MMPose's own training configs."""

import pytest
from mmengine.config import Config

from mmpose_occlusion import insert_occlusion
from mmpose_occlusion.engine.config import load_config
from mmpose_occlusion.engine.insertion import lost_occlusions
from mmpose_occlusion.errors import UsageError

HIDE = dict(type='KeypointOcclusion', fill='object', prob=0.5)
BODY = 'mmpose::body_2d_keypoint'
CONFIGS = {
    f'{BODY}/topdown_heatmap/coco/'
    'td-hm_res50_8xb64-210e_coco-256x192.py': (1, 'TopdownAffine'),
    f'{BODY}/rtmpose/coco/'
    'rtmpose-s_8xb256-420e_coco-256x192.py': (2, 'TopdownAffine'),
    f'{BODY}/dekr/coco/'
    'dekr_hrnet-w32_8xb10-140e_coco-512x512.py': (1, 'LoadImage'),
    f'{BODY}/rtmo/coco/rtmo-s_8xb32-600e_coco-640x640.py': (2, 'LoadImage'),
    f'{BODY}/yoloxpose/coco/'
    'yoloxpose_s_8xb32-300e_coco-640.py': (2, 'LoadImage'),
}  # fmt: skip


def pipeline_at(cfg, key):
    value = cfg
    for part in key.split('.'):
        value = value[int(part) if part.isdigit() else part]
    return [step['type'].rpartition('.')[2] for step in value]


@pytest.mark.parametrize('path', CONFIGS)
def test_every_stage_gets_it(path):
    cfg = load_config(path)
    number, before = CONFIGS[path]
    keys = insert_occlusion(cfg, HIDE)
    assert len(keys) == number
    for key in keys:
        types = pipeline_at(cfg, key)
        index = types.index('KeypointOcclusion')
        assert types[index - 1] == before
        assert types.count('KeypointOcclusion') == 1
    assert lost_occlusions(cfg) == []


def test_a_stage_that_lacks_it_is_named():
    cfg = load_config(list(CONFIGS)[1])
    assert lost_occlusions(cfg) == []
    cfg.train_dataloader.dataset.pipeline.insert(-2, HIDE)
    (sentence,) = lost_occlusions(cfg)
    assert sentence.startswith('custom_hooks.1.switch_pipeline replaces')


def test_no_seed_is_set_for_training():
    cfg = load_config(next(iter(CONFIGS)))
    insert_occlusion(cfg, ['part:random:black', HIDE])
    steps = cfg.train_dataloader.dataset.pipeline
    hidden = [s for s in steps if 'Occlusion' in s['type']]
    assert [s['type'] for s in hidden] == ['PartOcclusion', HIDE['type']]
    assert all(s.get('seed') is None for s in hidden)


@pytest.mark.parametrize(('change', 'words'), [
    (dict(train_dataloader=None), 'has no training pipeline'),
    ({}, "There is no joint 'tail'"),
])  # fmt: skip
def test_wrong_use(change, words):
    cfg = load_config(next(iter(CONFIGS)))
    cfg.update(change)
    with pytest.raises(UsageError, match=words):
        insert_occlusion(cfg, 'keypoint:tail:black')


def test_parts_of_the_config_reach_the_pipelines(tmp_path):
    own = dict(feet=['left_ankle', 'right_ankle'])
    hide = dict(type='PartOcclusion', target='feet')
    kept = dict(hide, parts=dict(feet=['nose']))
    dataset = dict(type='CocoDataset', pipeline=[hide, kept])
    cfg = Config(
        dict(occlusion_parts=own, train_dataloader=dict(dataset=dataset))
    )
    path = tmp_path / 'config.py'
    cfg.dump(str(path))
    first, second = load_config(str(path)).train_dataloader.dataset.pipeline
    assert first['parts'] == own
    assert second['parts'] == kept['parts']
