"""The benchmarks of scale and of start-up, on little data."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / 'tools' / 'benchmarks'


@pytest.fixture(scope='module')
def tools():
    """Gives the scripts as modules; they set variables of the system's."""
    with pytest.MonkeyPatch.context() as patch:
        for name in (
            'OMP_NUM_THREADS',
            'OPENBLAS_NUM_THREADS',
            'NO_ALBUMENTATIONS_UPDATE',
        ):
            patch.setenv(name, '1')
        patch.setattr(sys, 'path', [str(FOLDER), *sys.path])
        yield importlib.import_module


@pytest.mark.parametrize('power', [0.5, 1, 2])
def test_planted_growth_is_found(tools, power):
    growth = tools('_growth')
    sizes = [1, 2, 4, 8, 16]
    times = [3 * size**power for size in sizes]
    assert growth.exponent(sizes, times) == pytest.approx(power)
    assert growth.steepest(sizes, times) == pytest.approx(power)
    said = growth.verdict(sizes, times)
    assert said.endswith(
        'WORSE THAN LINEAR' if power == 2 else 'linear or better'
    )


def test_a_fixed_cost_does_not_hide_growth(tools):
    growth = tools('_growth')
    sizes = [1, 2, 4, 8, 16, 32, 64]
    quadratic = [100 + size**2 for size in sizes]
    assert growth.exponent(sizes, quadratic) < 1
    assert 'WORSE' in growth.verdict(sizes, quadratic)
    linear = [100 + 10 * size for size in sizes]
    assert 'WORSE' not in growth.verdict(sizes, linear)


def test_calls_take_turns(tools):
    growth = tools('_growth')
    order = []
    calls = {name: lambda n=name: order.append(n) for name in 'ab'}
    times = growth.in_turn(calls, rounds=2, repeats=2)
    assert order == list('aabb' * 3)
    assert set(times) == {'a', 'b'}


def test_objects_are_counted(tools):
    count = tools('_growth').objects_of
    plain, objects = np.arange(9), np.array([1.5, 2.5], object)
    assert count([1000, 1001]) == 3
    assert count(objects) - count(plain) == 2


def test_the_index_of_donors_has_no_object_per_person(tools):
    """Workers share its pages: only arrays grow with the people."""
    growth = tools('_growth')
    few, many = (
        growth.make_index(*growth.people_list(count)) for count in (70, 700)
    )
    assert (len(few), len(many)) == (70, 700)
    assert growth.objects_of(many) == growth.objects_of(few)
    assert 9 < many.nbytes / few.nbytes < 11
    assert growth.objects_of(growth.people_list(70)) > 70 * 5


def test_made_up_annotations_are_as_many_as_asked(tools, tmp_path):
    from mmpose.datasets import CocoDataset

    made = tools('_annotations')
    size = made.Size(images=12, with_people=7, people=20, labelled=11)
    made.write_annotations(tmp_path / 'ann.json', size)
    content = json.loads((tmp_path / 'ann.json').read_text())
    assert len(content['images']) == 12
    people = content['annotations']
    assert len(people) == 20
    assert len({person['image_id'] for person in people}) == 7
    assert len(CocoDataset(ann_file=str(tmp_path / 'ann.json'))) == 11
    made.write_boxes(tmp_path / 'boxes.json', tmp_path / 'ann.json', 30)
    assert len(json.loads((tmp_path / 'boxes.json').read_text())) == 30


def test_the_table_compares_with_the_first(tools):
    run = dict(load_s=2.0, load_cpu_s=1.0, peak=5e6, resident=None)
    table = tools('scale').loading_table(
        {
            'plain': [dict(run, workers=[10e6, 30e6])],
            'donors': [
                dict(run, workers=[40e6], load_cpu_s=3.0),
                dict(run, workers=[50e6], load_cpu_s=1.5),
            ],
            'views': [dict(run, workers=[])],
        }
    )
    plain, donors, views = table.splitlines()[2:]
    assert plain.endswith('| 2.0 | 1.0 | 1.00 | – | 5 | 20 | 1.00 |')
    assert donors.endswith('| 2.0 | 1.5 | 1.50 | – | 5 | 45 | 2.25 |')
    assert views.endswith('| 5 | – | – |')


def test_the_table_of_donors(tools, capsys):
    tools('_growth').print_donors(rounds=1, scale=0.01)
    out = capsys.readouterr().out
    assert out.count('\n| ') == 5
    assert '| 1,500 |' in out
    assert 'memory: exponent 1.0' in out


def test_the_tables_of_calls(tools, capsys):
    tools('_growth').print_calls(rounds=1, scale=0.01)
    out = capsys.readouterr().out
    assert out.count('| KeypointOcclusion black |') == 2
    assert '| 17 | 133 |' in out
    assert 'all views of a crop' in out


def test_loading_in_processes_of_its_own():
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', FOLDER / 'scale.py', 'loading']
        + ['--variants', 'donors', '--scale', '0.0005', '--samples', '8'],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    row = done.stdout.splitlines()[-1].split('|')
    assert row[1] == ' PartMix, inside DonorDataset '
    assert '75 samples in the data set' in done.stdout
    if Path('/proc/self/smaps_rollup').is_file():
        assert 10 < float(row[7]) < 1000


def test_what_each_package_took_to_import(tools):
    text = (
        'import time: self [us] | cumulative | imported package\n'
        'import time:       500 |        500 |   torch._C\n'
        'import time:    250000 |     250500 | torch\n'
        'a line of something else\n'
        'import time:      1000 |       1000 |     numpy.core\n'
    )
    times = tools('startup').import_times(text)
    assert times == pytest.approx({'torch': 0.2505, 'numpy': 0.001})


def test_steps_are_taken_in_turn(tools, capsys, monkeypatch):
    startup = tools('startup')
    taken = []

    def take(step):
        taken.append(step)
        return 2.0 + len(taken), 1.0

    monkeypatch.setattr(startup, 'take', take)
    names = ['import torch', 'import mmpose']
    startup.print_steps(names, rounds=2)
    assert taken == ['import torch', 'import mmpose'] * 2
    assert '| import torch | 4.00 | 1.00 |' in capsys.readouterr().out


def test_a_step_is_a_fresh_interpreter(tools):
    wall, used = tools('startup').take(
        f'import os, sys; sys.exit(os.getpid() == {os.getpid()})'
    )
    assert wall > 0
    assert used >= 0
