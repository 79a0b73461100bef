"""The study: recipes, configs for COCO, and the statistics of its summary."""

from pathlib import Path

import numpy as np
import pytest

from mmpose_occlusion.engine.config import load_config

ROOT = Path(__file__).resolve().parents[2]
STUDY = ROOT / 'projects/does_training_help'


@pytest.fixture(autouse=True)
def modules(monkeypatch):
    monkeypatch.syspath_prepend(str(STUDY))


def made_up(effects, images=200, seeds=3, draws=400):
    """Results of recipes with an effect on every measure; a hard image is
    hard for all trainings, and seeds differ by a deviation of .003."""
    import summary

    rng = np.random.default_rng(0)
    hard = rng.normal(0, 0.2, images)
    weights = rng.multinomial(images, [1 / images] * images, draws) / images
    weights = np.concatenate([[[1 / images] * images], weights])
    results = {}
    for recipe, effect in effects.items():
        for seed in range(seeds):
            own = effect + rng.normal(0, 0.003) + rng.normal(0, 0.02, images)
            values = weights @ (0.5 + hard + own)
            mine = dict.fromkeys(summary.MEASURES, values)
            results.setdefault(('w16', recipe), {})[seed] = mine
    return results


def test_a_planted_difference_is_found():
    import summary

    results = made_up(
        {'none': 0, 'none-twice': 0.001, 'good': 0.05, 'bad': -0.03, 'same': 0}
    )
    found = {
        d.recipe: d for d in summary.differences(results, 'w16', 'none', 'AP')
    }
    assert next(iter(found)) == 'good'
    assert [*found][-1] == 'bad'
    assert found['good'].low > 0 > found['bad'].high
    assert found['good'].low < 0.05 < found['good'].high
    assert found['same'].low < 0 < found['same'].high
    assert not found['good'].equal
    assert all(d.seeds == 3 for d in found.values())


def test_missing_seeds_are_left_out():
    import summary

    results = made_up({'none': 0, 'none-twice': 0, 'part': 0.01})
    del results['w16', 'part'][2]
    (found,) = (
        d
        for d in summary.all_differences(results)
        if (d.recipe, d.reference, d.measure) == ('part', 'none', 'AP')
    )
    assert found.seeds == 2
    pairs = [
        results['w16', 'part'][s]['AP'][0] - results['w16', 'none'][s]['AP'][0]
        for s in (0, 1)
    ]
    assert found.value == pytest.approx(np.mean(pairs))


def test_files(tmp_path):
    import summary

    results = made_up({'none': 0, 'none-twice': 0, 'good': 0.05})
    for (net, recipe), seeds in results.items():
        for seed, measures in seeds.items():
            np.savez(tmp_path / f'{net}.{recipe}.{seed}.npz', **measures)
    assert summary.main([str(tmp_path)]) == 0
    assert '| good | 3 | **+0.05' in (tmp_path / 'table.md').read_text()
    assert (tmp_path / 'differences_w16.png').stat().st_size > 5000
    rows = (tmp_path / 'differences.csv').read_text().splitlines()
    assert len(rows) == 1 + 2 * 2 * len(summary.MEASURES)


def test_recipes_are_built():
    import mmpose.datasets  # noqa: F401
    import recipes
    from mmengine.registry import init_default_scope
    from mmpose.registry import MODELS, TRANSFORMS

    init_default_scope('mmpose')
    for recipe in recipes.RECIPES:
        cfg = recipes.study_config(recipe, 'w16', 0, 'data/', 2)
        for step in cfg.train_dataloader.dataset.pipeline:
            TRANSFORMS.build(dict(step))
        MODELS.build(cfg.model)


def test_coco_configs_are_read(tmp_path):
    import recipes

    paths = list(recipes.write_coco(tmp_path))
    assert len(paths) == len(recipes.RECIPES) * len(recipes.COCO)
    names = set()
    for path in paths:
        cfg = load_config(str(path))
        names.add(path.stem)
        assert cfg.train_dataloader.dataset.pipeline
    assert len(names) == len(paths)
