"""The study of trainings: configs, resuming, and its summary."""

import csv
import sys
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmpose_occlusion.engine.config import load_config

PROJECT = Path(__file__).parents[2] / 'projects/does_training_help'
for _folder in (PROJECT, PROJECT.parent / 'synthetic_people'):
    if str(_folder) not in sys.path:
        sys.path.append(str(_folder))

import recipes  # noqa: E402
import study  # noqa: E402
import summary  # noqa: E402

DRAWS, PEOPLE = 200, 50


def build(cfg: Config) -> list[str]:
    """Build all training pipelines; the types of the first's steps."""
    import mmpose.datasets  # noqa: F401
    from mmpose.registry import TRANSFORMS

    init_default_scope('mmpose')
    pipelines = [cfg.train_dataloader.dataset.pipeline]
    pipelines += [
        hook['switch_pipeline']
        for hook in cfg.get('custom_hooks') or []
        if 'switch_pipeline' in hook
    ]
    for step in (s for pipeline in pipelines for s in pipeline):
        assert TRANSFORMS.build(dict(step)) is not None
    return [str(step['type']) for step in pipelines[0]]


@pytest.mark.parametrize('recipe', recipes.RECIPES)
def test_recipes_are_built(recipe, tmp_path):
    cfg = recipes.study_config(recipe, 'w16', 0, 'people/', epochs=6)
    cfg.dump(tmp_path / 'config.py')
    types = build(Config.fromfile(tmp_path / 'config.py'))
    steps = [s['type'] for s in recipes.RECIPES[recipe].get('steps', [])]
    late = 'last' in recipes.RECIPES[recipe]
    assert all((step in types) != late for step in steps)
    assert cfg.train_cfg.max_epochs == (12 if recipe.endswith('-twice') else 6)


@pytest.mark.parametrize(
    ('recipe', 'switch'), [('object-last-third', 4), ('object-first-third', 2)]
)
def test_stages_switch_at_a_third(recipe, switch):
    cfg = recipes.study_config(recipe, 'w16', 0, 'people/', epochs=6)
    (hook,) = cfg.custom_hooks
    assert hook.switch_epoch == switch


def test_unknown_recipe(capsys):
    with pytest.raises(SystemExit):
        study.main(['--only', 'none,x'])
    assert 'there is no recipe x: give none, ' in capsys.readouterr().err


def test_coco_configs_are_written_and_built(tmp_path, monkeypatch):
    names = ('none', 'none-twice', 'object-last-third')
    few = {name: recipes.RECIPES[name] for name in names}
    monkeypatch.setattr(recipes, 'RECIPES', few)
    assert study.main(['--scale', 'coco', '--out', str(tmp_path)]) == 0
    paths = sorted((tmp_path / 'coco').glob('*.py'))
    assert len(paths) == len(recipes.COCO_NETS) * len(few)
    build(load_config(str(tmp_path / 'coco/hrnet-w32_object-last-third.py')))
    twice = Config.fromfile(tmp_path / 'coco/res50_none-twice.py')
    assert twice.train_cfg.max_epochs == 420
    assert twice.param_scheduler[1].milestones == [340, 400]


def made_results(gains, seeds=(0, 1, 2), noise=0.004, seed=0, sampling=0.01):
    """Jobs of recipes with known differences: a share of the images' noise is
    common to all, and each training has noise of its seed."""
    generator = np.random.default_rng(seed)
    common = generator.normal(0, sampling, 1 + DRAWS)
    own_images = {r: generator.normal(0, 0.001, DRAWS) for r in gains}
    jobs = {}
    for recipe, gain in gains.items():
        jobs[recipe] = {}
        for number in seeds:
            ap = 0.5 + gain + generator.normal(0, noise) + common
            ap[1:] += own_images[recipe]
            jobs[recipe][number] = dict(AP=ap)
    return jobs


def write_results(jobs, folder, people=PEOPLE):
    folder.mkdir(parents=True)
    for recipe, runs in jobs.items():
        for number, draws in runs.items():
            np.savez(
                folder / f'w16.{recipe}.{number}.npz',
                **draws,
                instance_ids=np.arange(people),
            )


def test_planted_difference_is_found_and_no_difference_is_equal(tmp_path):
    gains = {'none': 0, 'none-twice': 0.1, 'good': 0.05, 'same': 0}
    jobs = made_results(gains, noise=0.0005)
    del jobs['good'][2]
    write_results(jobs, tmp_path / 'results')
    rows = {
        (r['recipe'], r['reference']): r for r in summary.summarise(tmp_path)
    }
    good, same = rows['good', 'none'], rows['same', 'none']
    assert good['low'] < 0.05 < good['high']
    assert good['low'] > 0
    assert not good['equal']
    assert same['low'] < 0 < same['high']
    assert same['equal']
    assert (good['seeds'], same['seeds']) == (2, 3)
    assert rows['good', 'none-twice']['high'] < 0
    with open(tmp_path / 'table.csv') as file:
        assert len(list(csv.DictReader(file))) == 6
    assert '| `good` | 2 | **+0.0' in (tmp_path / 'table.md').read_text()
    assert (tmp_path / 'figure.png').stat().st_size > 1000


def test_intervals_hold_together():
    """All of three differences, in at least 95 % of made-up studies less four
    standard errors of 200."""
    gains = {'none': 0, 'a': 0, 'b': 0.02, 'c': -0.01}
    held = 0
    for seed in range(200):
        jobs = made_results(gains, seed=seed)
        rows = summary.compare('w16', jobs)
        held += all(r['low'] <= gains[r['recipe']] <= r['high'] for r in rows)
    assert held >= 200 * 0.95 - 4 * np.sqrt(200 * 0.95 * 0.05)


def test_pooled_variance_of_seeds():
    """Two runs that differ by 2d: the residuals are d and -d, scaled by the
    square root of 2 and by t / z of the degrees of freedom."""
    values = np.full(1 + DRAWS, 0.5)
    jobs = {
        r: {0: dict(AP=values + 0.01), 1: dict(AP=values - 0.01)}
        for r in ('none', 'a')
    }
    draws, freedom = summary.resample(jobs)
    assert freedom == 2
    widened = 0.01 * np.sqrt(2) * 4.302653 / 1.959964
    found = draws['none']['AP'][1:] - 0.5
    assert np.unique(found.round(6)) == pytest.approx(
        [-widened, 0, widened], abs=1e-5
    )
    assert found.std() == pytest.approx(widened / np.sqrt(2), rel=0.05)


def test_one_seed_has_intervals_over_images(tmp_path, capsys):
    jobs = made_results({'none': 0, 'a': 0.05}, seeds=[0])
    write_results(jobs, tmp_path / 'results')
    (row,) = summary.compare('w16', jobs)
    assert row['low'] < row['difference'] < row['high']
    assert summary.main([str(tmp_path)]) == 0
    assert 'intervals are over images only' in capsys.readouterr().out


def test_results_that_cannot_be_compared(tmp_path, capsys):
    write_results(made_results({'none': 0}), tmp_path / 'results')
    assert summary.main([str(tmp_path)]) == 2
    assert 'nothing to compare' in capsys.readouterr().err
    write_results(made_results({'a': 0}), tmp_path / 'more', people=3)
    for path in (tmp_path / 'more').iterdir():
        path.rename(tmp_path / 'results' / path.name)
    assert summary.main([str(tmp_path)]) == 2
    assert 'different people' in capsys.readouterr().err


def test_finished_results_are_kept(tmp_path, capsys):
    """A study whose results are all there trains nothing, and is summed up."""
    write_results(
        {
            recipe: {0: draws[0]}
            for recipe, draws in made_results({'none': 0, 'a': 0}).items()
        },
        tmp_path / 'results',
    )
    (tmp_path / 'results/w16.a.0.npz').rename(
        tmp_path / 'results/w16.keypoint-blur.0.npz'
    )
    argv = '--only none,keypoint-blur --nets w16 --seeds 0 --jobs 1'
    argv += f' --train 2 --val 1 --out {tmp_path}'
    assert study.main(argv.split()) == 0
    assert '2 jobs, 0 of them to do' in capsys.readouterr().out
    assert not (tmp_path / 'jobs').exists()
    assert (tmp_path / 'figure.png').exists()


@pytest.mark.slow
def test_a_whole_study(tmp_path, monkeypatch, capsys):
    """A recipe is trained and judged; a lost result is judged again, without
    a training, and summed up with another one."""
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '-1')
    # a fork has MMPose imported already
    monkeypatch.setattr(study, 'get_context', lambda _: get_context('fork'))
    argv = '--nets w16 --seeds 0 --jobs 1 --train 4 --val 2 --epochs 1'
    argv += f' --draws 20 --out {tmp_path} --only none'
    assert study.main(argv.split()) == 0
    assert '[1/1] w16.none.0: AP 0.' in capsys.readouterr().out
    path = tmp_path / 'results/w16.none.0.npz'
    with np.load(path) as first:
        assert first['AP'].shape == first['decoy'].shape == (21,)
        assert np.isfinite(first['OKS v=2']).all()
    trained = tmp_path / 'jobs/w16/none/0/epoch_1.pth'
    before = trained.stat().st_mtime_ns
    kept = path.rename(path.with_name('w16.keypoint-object.0.npz'))
    argv += ',keypoint-object'
    assert study.main(argv.split()) == 0
    assert '2 jobs, 1 of them to do' in capsys.readouterr().out
    assert trained.stat().st_mtime_ns == before
    with np.load(path) as again, np.load(kept) as first:
        np.testing.assert_array_equal(again['AP'], first['AP'])
    with open(tmp_path / 'table.csv') as file:
        measures = {row['measure'] for row in csv.DictReader(file)}
    assert {'AP', 'OKS v=1', 'rPC', 'decoy', 'swaps'} <= measures
