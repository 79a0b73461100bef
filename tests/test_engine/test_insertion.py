"""Occlusions in the pipelines of all kinds of configs."""

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmpose_occlusion import insert_occlusion
from mmpose_occlusion.engine.config import load_config
from mmpose_occlusion.engine.insertion import (
    AFTER,
    BEFORE,
    attack_config,
    lost_occlusions,
    match_boxes,
    read_attacks,
    use_gt_boxes,
)
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.transforms.results_reader import MATCHED_KEY

NOSE = {'type': 'KeypointOcclusion', 'target': 'nose', 'fill': 'black'}
LOAD = {'type': 'LoadImage'}
CROP = {'type': 'TopdownAffine', 'input_size': (192, 256)}
PACK = {'type': 'PackPoseInputs'}


@pytest.fixture(autouse=True)
def _registered():
    import mmpose.datasets  # noqa: F401

    init_default_scope('mmpose')


def config(dataset):
    return Config({'test_dataloader': {'dataset': dataset}})


def types(pipeline):
    return [step['type'] for step in pipeline]


def test_every_topdown_heatmap_config_of_mmpose_has_a_place():
    """Attacks fit into MMPose's own configs, whatever their model."""
    from mmengine.utils import get_installed_path

    folder = f'{get_installed_path("mmpose")}/.mim/configs'
    for name in (
        'body_2d_keypoint/rtmpose/coco/rtmpose-s_8xb256-420e_coco-256x192.py',
        'body_2d_keypoint/simcc/coco/simcc_res50_8xb64-210e_coco-256x192.py',
        'body_2d_keypoint/topdown_heatmap/mpii/'
        'td-hm_hrnet-w32_8xb64-210e_mpii-256x256.py',
        'body_2d_keypoint/topdown_heatmap/coco/'
        'td-hm_hrnet-w32_8xb64-210e_coco-aic-256x192-combine.py',
    ):
        cfg = load_config(f'{folder}/{name}')
        use_gt_boxes(cfg)
        before = cfg.val_dataloader.to_dict()
        target = 'keypoint:left_wrist:black'
        names = attack_config(cfg, read_attacks(cfg, [target]))
        assert names == [target]
        steps = cfg.test_dataloader.dataset.pipeline
        place = types(steps).index('TopdownAffine') + 1
        assert steps[place] == {
            'type': 'KeypointOcclusion',
            'target': 'left_wrist',
            'fill': 'black',
            'size': '20%',
            'seed': 0,
        }
        assert steps[-1]['meta_keys'][-1] == 'occlusions'
        assert cfg.val_dataloader.to_dict() == before


def test_bottomup_config():
    cfg = load_config(
        'mmpose::body_2d_keypoint/rtmo/coco/rtmo-s_8xb32-600e_coco-640x640.py'
    )
    attack_config(cfg, [NOSE], seed=4)
    steps = cfg.test_dataloader.dataset.pipeline
    assert types(steps)[:3] == [
        'LoadImage',
        'KeypointOcclusion',
        'BottomupResize',
    ]
    assert steps[1]['seed'] == 4


def test_combined_data_set():
    """Crops are made below, packed above: each half gets its own."""
    inner = {'type': 'CocoDataset', 'pipeline': [LOAD, CROP]}
    cfg = config(
        {'type': 'CombinedDataset', 'datasets': [inner], 'pipeline': [PACK]}
        | {'metainfo': {'from_file': 'configs/_base_/datasets/coco.py'}}
    )
    attack_config(cfg, [NOSE], keep_images=True)
    outer = cfg.test_dataloader.dataset
    assert types(outer.datasets[0].pipeline) == [
        'LoadImage',
        'TopdownAffine',
        'KeepImage',
        'KeypointOcclusion',
        'KeepImage',
    ]
    kept = ('occlusions', BEFORE, AFTER, MATCHED_KEY)
    assert outer.pipeline[0]['meta_keys'][-4:] == kept
    assert outer.pipeline[0]['pack_transformed'] is True
    assert 'seed' not in outer.datasets[0].pipeline[2]


BOXED = {'type': 'CocoDataset', 'bbox_file': 'x'}


@pytest.mark.parametrize('shown', [False, True])
def test_detector_boxes_are_matched(shown):
    cfg = config({**BOXED, 'pipeline': [LOAD, CROP, PACK]})
    attack_config(cfg, [], keep_images=shown)
    dataset = cfg.test_dataloader.dataset
    # images show the ground truth, which the boxes lack
    assert shown == (dataset.type == 'DetectionMatchedDataset')
    cfg = config({**BOXED, 'pipeline': [LOAD, CROP, PACK]})
    attack_config(cfg, [NOSE], keep_images=shown)
    dataset = cfg.test_dataloader.dataset
    assert dataset.type == 'DetectionMatchedDataset'
    assert 'KeypointOcclusion' in types(dataset.dataset.pipeline)
    keys = dataset.dataset.pipeline[-1]['meta_keys']
    assert shown == (MATCHED_KEY in keys)  # the hook takes it out again


def test_detector_boxes_under_the_occlusions_of_a_config():
    own = {'type': 'PartOcclusion'}
    cfg = config({**BOXED, 'pipeline': [LOAD, CROP, own, PACK]})
    attack_config(cfg, [])
    assert cfg.test_dataloader.dataset.type == 'DetectionMatchedDataset'


def test_gt_boxes():
    cfg = config({**BOXED, 'pipeline': [LOAD, CROP, PACK]})
    use_gt_boxes(cfg)
    attack_config(cfg, [NOSE])
    assert cfg.test_dataloader.dataset.type == 'CocoDataset'
    assert cfg.test_dataloader.dataset.bbox_file is None


def test_box_nms():
    cfg = config({**BOXED, 'pipeline': [LOAD, CROP, PACK]})
    match_boxes(cfg, nms_thr=0.5)
    attack_config(cfg, [NOSE])
    assert cfg.test_dataloader.dataset.nms_thr == 0.5
    use_gt_boxes(cfg)
    assert cfg.test_dataloader.dataset.type == 'CocoDataset'
    assert cfg.test_dataloader.dataset.bbox_file is None
    cfg = config({'type': 'CocoDataset', 'pipeline': [LOAD, CROP, PACK]})
    with pytest.raises(UsageError, match='no boxes of a detector'):
        match_boxes(cfg, nms_thr=0.5)


def test_images_around_the_occlusions_of_a_config():
    """Of each of several data sets, whatever comes between them."""
    own = {'type': 'PartOcclusion'}
    heads = {'type': 'EmptyRemovedHeatmaps'}
    pipeline = [LOAD, CROP, own, {'type': 'PhotometricDistortion'}, heads]
    inner = {'type': 'CocoDataset', 'pipeline': pipeline}
    cfg = config(
        {'type': 'CombinedDataset', 'datasets': [inner] * 2}
        | {'pipeline': [PACK]}
        | {'metainfo': {'from_file': 'configs/_base_/datasets/coco.py'}}
    )
    assert attack_config(cfg, [], keep_images=True) == []
    kept = [{'type': 'KeepImage', 'key': key} for key in (BEFORE, AFTER)]
    for dataset in cfg.test_dataloader.dataset.datasets:
        steps = dataset.pipeline
        assert steps == [LOAD, CROP, kept[0], *pipeline[2:], kept[1]]


def test_no_place():
    cfg = config({'type': 'CocoDataset', 'pipeline': [PACK]})
    with pytest.raises(UsageError, match='has no pipeline with TopdownAffine'):
        attack_config(cfg, [NOSE])


@pytest.mark.parametrize(
    ('attack', 'words'),
    [
        ({**NOSE, 'target': 'tail'}, "no joint 'tail' .*: nose, left_eye"),
        ({**NOSE, 'fill': 'pink'}, "fill='pink' is unknown"),
        ({**NOSE, 'size': -1}, 'size=-1 must be'),
        ({**NOSE, 'radius': 1}, "unexpected keyword argument 'radius'"),
        ({**NOSE, 'type': 'Occluder'}, 'no transform "Occluder"; occlusions'),
    ],
)
def test_attacks_refused(attack, words):
    cfg = config({'type': 'CocoDataset', 'pipeline': [LOAD, CROP, PACK]})
    before = cfg.to_dict()
    with pytest.raises(UsageError, match=words) as caught:
        attack_config(cfg, [attack])
    assert '\n' not in str(caught.value)
    assert cfg.to_dict() == before


def test_attack_key_is_taken_out():
    cfg = Config({'attack': {'type': 'PartOcclusion', 'target': 'hip'}})
    attacks = read_attacks(cfg, ['keypoint:nose:black'])
    hidden = dict(NOSE, size='20%')
    assert attacks == [{'type': 'PartOcclusion', 'target': 'hip'}, hidden]
    assert 'attack' not in cfg
    with pytest.raises(UsageError, match='must look like'):
        read_attacks(cfg, ['nose'])


def test_donors_are_people_not_boxes():
    cfg = config(
        dict(
            type='CocoDataset',
            ann_file='a.json',
            bbox_file='b.json',
            test_mode=True,
            pipeline=[LOAD, CROP, PACK],
        )
    )
    donor = dict(type='PartOcclusion', target='random', fill='donor')
    attack_config(cfg, [donor])
    dataset = cfg.test_dataloader.dataset
    assert dataset.type == 'DetectionMatchedDataset'
    assert dataset.donors
    assert dataset.dataset.type == 'CocoDataset'


HIDE = dict(type='KeypointOcclusion', fill='object', prob=0.5)
BODY = 'mmpose::body_2d_keypoint'
CONFIGS = {
    f'{BODY}/topdown_heatmap/coco/'
    'td-hm_res50_8xb64-210e_coco-256x192.py': (1, 'TopdownAffine'),
    f'{BODY}/topdown_heatmap/coco/'
    'td-hm_hrnet-w32_8xb64-210e_coco-aic-256x192-combine.py':
        (1, 'TopdownAffine'),
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
    cfg = load_config(list(CONFIGS)[2])
    assert lost_occlusions(cfg) == []
    cfg.train_dataloader.dataset.pipeline.insert(-2, HIDE)
    (sentence,) = lost_occlusions(cfg)
    assert sentence.startswith('custom_hooks.1.switch_pipeline replaces')


def test_parts_of_the_config_are_known():
    cfg = load_config(next(iter(CONFIGS)))
    cfg.occlusion_parts = {'feet': ['left_ankle', 'right_ankle']}
    insert_occlusion(cfg, 'part:feet:black')
    (step,) = [
        step
        for step in cfg.train_dataloader.dataset.pipeline
        if step['type'] == 'PartOcclusion'
    ]
    assert step['parts'] == cfg.occlusion_parts


def test_no_seed_is_set_for_training():
    cfg = load_config(next(iter(CONFIGS)))
    insert_occlusion(cfg, ['part:random:black', HIDE])
    steps = cfg.train_dataloader.dataset.pipeline
    hidden = [s for s in steps if 'Occlusion' in s['type']]
    assert [s['type'] for s in hidden] == ['PartOcclusion', HIDE['type']]
    assert all(s.get('seed') is None for s in hidden)


@pytest.mark.parametrize(('change', 'words'), [
    (dict(train_dataloader=None), 'has no pipeline with Top'),
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
