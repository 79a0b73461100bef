"""The statements of docs/reference.md about the reference."""

import re
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / 'docs' / 'reference.md'


def test_links_lead_somewhere():
    links = re.findall(r'\]\((?!http)([^)#]+)\)', PAGE.read_text())
    assert links
    assert all((PAGE.parent / link).exists() for link in links)


def test_modes_name_what_there_is():
    from mmpose.registry import DATASETS, MODELS, TRANSFORMS

    import projects.tilting_at_windmills.contrastive_views  # noqa: F401

    text = PAGE.read_text().split('## Modes')[1].split('## Order')[0]
    named = set(re.findall(r'`([A-Z]\w{5,})', text))
    assert len(named) == 8
    for name in named:
        found = [r.get(name) for r in (DATASETS, MODELS, TRANSFORMS)]
        assert any(found), name


@pytest.fixture
def recipe(tmp_path):
    """The page's config."""
    (text,) = re.findall(r'```python\n(.*?)```', PAGE.read_text(), re.S)
    (tmp_path / 'recipe.py').write_text(text)
    return Config.fromfile(tmp_path / 'recipe.py')


def small(cfg, root):
    """The training set of a config, on synthetic people."""
    dataset = cfg.train_dataloader.dataset
    inner = dataset.get('dataset', dataset)
    inner.update(
        data_root=str(root),
        ann_file='annotations/person_keypoints_train.json',
        data_prefix=dict(img='train/'),
    )
    return dataset


ORDER = [
    'TopdownAffine',
    'PartMix',
    'ColorJitter',
    'PartOcclusion',
    'PartOcclusion',
    'MultiKeypointOcclusion',
    'GenerateTarget',
    'PackPoseInputs',
]


def test_the_recipe_runs_in_the_references_order(recipe, synthetic_people):
    from mmpose.registry import DATASETS

    dataset = small(recipe, synthetic_people)
    pack = dataset.dataset.pipeline[-1]
    pack.meta_keys = ('id', 'occlusions')
    with DefaultScope.overwrite_default_scope('mmpose'):
        built = DATASETS.build(dataset)
    steps = built.dataset.pipeline.transforms
    assert [type(step).__name__ for step in steps][-8:] == ORDER
    done = set()
    for index in range(12):
        item = built[index]
        assert item['inputs'].shape == (3, 256, 192)
        records = item['data_samples'].metainfo['occlusions']
        # ColorJitter leaves none
        assert {r['call'] for r in records} == {0, 1, 2, 3}
        done |= {r['transform'] for r in records if r['pixels']}
    assert done == {'PartMix', 'PartOcclusion', 'MultiKeypointOcclusion'}


def test_colours_change_before_the_occlusion(synthetic_people, tmp_path):
    """A child config of the base with the jitter paints from the image after
    the jitter."""
    from mmpose.registry import DATASETS

    base = ROOT / 'configs/_base_/occlusions/color-jitter-keypoint-blur.py'
    child = tmp_path / 'child.py'
    child.write_text(f"""
_base_ = [
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_hrnet-w32_8xb64-210e_coco-256x192.py',
    {str(base)!r},
]
train_pipeline = [
    *_base_.train_pipeline[:-2],
    *_base_.occlusions,
    *_base_.train_pipeline[-2:],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
""")
    dataset = small(Config.fromfile(child), synthetic_people)
    dataset.pipeline[-4]['magnitude'] = 0.4
    dataset.pipeline[-3].update(prob=1.0, target='nose', seed=0)
    with DefaultScope.overwrite_default_scope('mmpose'):
        built = DATASETS.build(dataset)
    *load, jitter, hide, target, pack = built.pipeline.transforms
    assert type(jitter).__name__ == 'ColorJitter'
    assert type(hide).__name__ == 'KeypointOcclusion'
    changed = 0
    for index in range(6):
        results = built.get_data_info(index)
        results['dataset'] = built
        for step in load:
            results = step(results)
        crop = results['img'].copy()
        results = jitter(results)
        colored = results['img'].copy()
        changed += (colored != crop).mean() > 0.5
        results = hide(results)
        outside = results['img'].copy()
        for record in results['occlusions']:
            if record['box']:
                x1, y1, x2, y2 = record['box']
                outside[y1:y2, x1:x2] = colored[y1:y2, x1:x2]
        assert (outside == colored).all()
        assert pack(target(results))['inputs'].shape == (3, 256, 192)
    assert changed >= 4


def test_no_config_has_the_jitter_on():
    for path in (ROOT / 'configs').rglob('*.py'):
        own = path.stem == 'color-jitter-keypoint-blur'
        assert ('ColorJitter' in path.read_text()) == own, path
        assert own or 'color-jitter' not in path.read_text(), path
