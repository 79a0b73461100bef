"""Every config of the checkout is read, and its objects are built."""

import functools
import json
import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmpose_occlusion.engine.config import load_config, walk_datasets
from mmpose_occlusion.engine.pipelines import find_place, is_occlusion

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = sorted(
    path.relative_to(ROOT)
    for folder in ('configs', 'projects')
    for path in (ROOT / folder).rglob('*.py')
    if 'configs' in path.relative_to(ROOT).parts[:-1]
    and not {'_base_', 'occlusion_suites'}.intersection(path.parts)
)
MOST_LINES = 25
SPLITS = ('train', 'val', 'test')


@pytest.fixture(scope='module', params=CONFIGS, ids=lambda path: path.stem)
def path(request) -> Path:
    return request.param


@pytest.fixture(scope='module')
def cfg(path: Path) -> Config:
    import mmpose.datasets
    import mmpose.evaluation
    import mmpose.models  # noqa: F401

    cfg = load_config(str(ROOT / path))
    init_default_scope(cfg.default_scope)
    return cfg


def pipelines(cfg, split):
    for _, dataset in walk_datasets(cfg[f'{split}_dataloader']['dataset']):
        if dataset.get('pipeline'):
            yield dataset['pipeline']


def test_there_are_configs():
    names = {path.name for path in CONFIGS}
    assert names >= {
        'td-hm_hrnet-w32_keypoint-blur-8xb64-210e_coco-256x192.py',
        'td-hm_hrnet-w32_part-blur-8xb64-210e_coco-256x192.py',
    }


def test_children_are_short(path):
    """Settings that configs share belong into their bases."""
    lines = (ROOT / path).read_text().splitlines()
    code = [line for line in lines if line.strip() and line[0] != '#']
    assert len(code) <= MOST_LINES


@pytest.mark.parametrize(
    'stem',
    [
        'td-hm_hrnet-w32_part-blur-8xb64-210e_coco-256x192',
        'td-hm_hrnet-w32_partmix-8xb64-210e_coco-256x192',
        'td-hm_hrnet-w32_contrastive-8xb64-210e_coco-256x192',
    ],
)
def test_survives_being_written(stem):
    """MMEngine writes each run's config to disk, to be read again."""
    (path,) = (path for path in CONFIGS if path.stem == stem)
    cfg = load_config(str(ROOT / path))
    again = Config.fromstring(cfg.pretty_text, '.py')
    assert again.to_dict() == cfg.to_dict()


def test_model_is_built(cfg):
    assert number_of_parameters(json.dumps(cfg.model.to_dict())) > 1e5


@functools.cache
def number_of_parameters(model: str) -> int:
    """Size of a model, given by its config as JSON: equal ones run once."""
    from mmpose.registry import MODELS

    if 'mmpretrain.' in model:
        pytest.importorskip('mmpretrain', reason='is not in the lock')
    with torch.device('meta'):  # without memory and values
        built = MODELS.build(json.loads(model))
    return sum(parameter.numel() for parameter in built.parameters())


def test_pipelines_are_built(cfg):
    from mmpose.registry import TRANSFORMS

    for split in SPLITS:
        steps = [s for pipeline in pipelines(cfg, split) for s in pipeline]
        assert steps
        for step in steps:
            assert TRANSFORMS.build(dict(step)) is not None


def test_metrics_are_built(cfg):
    from mmpose.registry import METRICS

    for split in ('val', 'test'):
        evaluators = cfg[f'{split}_evaluator']
        for evaluator in (
            evaluators if isinstance(evaluators, list) else [evaluators]
        ):
            # the annotations are not there
            METRICS.build(
                dict(evaluator, ann_file=None)
                if 'ann_file' in evaluator
                else dict(evaluator)
            )


def test_occlusions_come_between_crop_and_targets(cfg):
    for pipeline in pipelines(cfg, 'train'):
        places = [i for i, step in enumerate(pipeline) if is_occlusion(step)]
        crop = find_place(pipeline)
        types = [step['type'] for step in pipeline]
        targets = types.index('GenerateTarget')
        assert all(crop < place < targets for place in places)


def test_discs_state_their_size(cfg, path):
    """The experiments' is the reference's, not the default."""
    found = list(discs(cfg.to_dict()))
    assert all(step.get('size') in (6, '20%') for step in found)
    assert 'keypoint' not in path.stem or found
    if path.parts[0] == 'configs' and 'synthetic_people' not in path.parts:
        assert all(step['size'] == 6 for step in found)


def discs(value):
    """Transforms with discs, wherever a config has them."""
    if isinstance(value, dict):
        if re.search('(Keypoint|Random)Occlusion$', str(value.get('type'))):
            yield value
        value = list(value.values())
    for entry in value if isinstance(value, list) else ():
        yield from discs(entry)


def test_validation_and_test_have_no_occlusions(cfg):
    for split in ('val', 'test'):
        for pipeline in pipelines(cfg, split):
            assert not any(is_occlusion(step) for step in pipeline)


def test_differences_from_mmpose():
    """A child config with an occlusion differs from its base in that alone."""
    name = 'td-hm_hrnet-w32_{}8xb64-210e_coco-256x192.py'
    folder = 'body_2d_keypoint/topdown_heatmap/coco/'
    base = load_config(f'mmpose::{folder}{name.format("")}').to_dict()
    base = plain(base)
    for infix, type_ in (
        ('keypoint-blur-', 'KeypointOcclusion'),
        ('part-blur-', 'PartOcclusion'),
    ):
        path = ROOT / 'configs' / folder / name.format(infix)
        child = plain(load_config(str(path)).to_dict())
        assert child.pop('custom_imports') == {'imports': ['mmpose_occlusion']}
        (occlusion,) = child.pop('occlusions')
        assert occlusion['type'] == type_
        assert (occlusion['fill'], occlusion['prob']) == ('blur', 0.5)
        for pipeline in (
            child['train_pipeline'],
            child['train_dataloader']['dataset']['pipeline'],
        ):
            assert pipeline.pop(6) == occlusion
        assert child == base


def plain(value):
    """A config without the scopes that MMEngine adds."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k != '_scope_'}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    return value
