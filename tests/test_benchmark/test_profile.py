"""Where the time goes: counted rightly, and without changing a bit."""

import json

import pytest

from mmpose_occlusion.benchmark import clock as clocks
from mmpose_occlusion.benchmark.clock import NO_CLOCK, Clock, merge
from mmpose_occlusion.benchmark.probe import Probe
from mmpose_occlusion.benchmark.profile import LINES, Profile, table
from mmpose_occlusion.errors import UsageError

from .small import ATTACKS, assert_same, config, loop, network, run


class Ticks:
    """Stands in for ``time``: seconds pass when they are told to."""

    def __init__(self):
        self.wall = self.cpu = 0.0

    def perf_counter(self):
        return self.wall

    def thread_time(self):
        return self.cpu

    def work(self, cpu, waiting=0.0):
        self.cpu += cpu
        self.wall += cpu + waiting


@pytest.fixture
def ticks(monkeypatch):
    ticks = Ticks()
    monkeypatch.setattr(clocks, 'time', ticks)
    return ticks


def test_a_step_is_counted_without_those_inside_it(ticks):
    clock = Clock()
    with clock.step('outer'):
        ticks.work(1)
        for _ in range(2):
            with clock.step('inner'):
                ticks.work(2, waiting=3)
                with clock.step('innermost'):
                    ticks.work(10)
        ticks.work(4)
    ticks.work(100)
    found = {k: (s.wall, s.cpu, s.calls) for k, s in clock.steps.items()}
    assert found == dict(
        outer=(5, 5, 1), inner=(10, 4, 2), innermost=(20, 20, 2)
    )


def test_a_step_within_itself_is_counted_once(ticks):
    clock = Clock()
    with clock.step('warp'):
        ticks.work(1)
        with clock.step('warp'):
            ticks.work(2)
    assert clock.steps['warp'].wall == 3


def test_a_step_that_fails_is_counted(ticks):
    clock = Clock()

    def fail():
        with clock.step('a'):
            ticks.work(1)
            raise UsageError('no')

    with pytest.raises(UsageError):
        fail()
    with clock.step('b'):
        ticks.work(2)
    assert [clock.steps[k].wall for k in 'ab'] == [1, 2]


def test_a_device_is_waited_for_at_both_ends():
    settled = []
    with Clock(lambda: settled.append(0)).step('forward'):
        assert len(settled) == 1
    assert len(settled) == 2


def test_no_clock_counts_nothing():
    with NO_CLOCK.step('a'):
        NO_CLOCK.add('b', 1, 1)
    assert NO_CLOCK.steps == {}


def test_steps_of_others_are_counted_in(ticks):
    profile = Profile()
    for seconds in (1, 2):
        worker = Clock()
        with worker.step('decode'):
            ticks.work(seconds)
        profile.add(worker.steps)
    profile.gather()
    (row,) = profile.result()['steps']
    assert (row['step'], row['where'], row['wall'], row['calls']) == (
        'decode',
        'workers',
        3,
        2,
    )
    into = {}
    merge(into, worker.steps)
    merge(into, worker.steps)
    # what is merged stays as it was
    assert (into['decode'].wall, worker.steps['decode'].wall) == (4, 2)


@pytest.fixture(scope='module')
def model():
    return network()


@pytest.fixture(scope='module')
def cfg(synthetic_people):
    return config(synthetic_people)


@pytest.mark.usefixtures('scope')
@pytest.mark.parametrize('workers', [0, 1])
def test_profiled_predictions_are_the_same(cfg, model, tmp_path, workers):
    attacks = ATTACKS[:2]
    expected, passes = run(cfg, model, tmp_path / 'plain', attacks)
    made = loop(
        cfg, model, tmp_path / 'profiled', attacks, workers, profile=True
    )
    made.run()
    found, more = run(cfg, model, tmp_path / 'profiled', attacks)
    assert_same(found, expected)
    assert more == 0
    # no method of the model is left wrapped
    for part in (model, model.head, model.data_preprocessor):
        assert not {'forward', 'predict', 'decode'} & set(vars(part))

    with made.profile.analysing():
        pass
    result = made.profile.result()
    calls = {row['step']: row['calls'] for row in result['steps']}
    images = len(set(expected.boxes.image_ids))
    batches = sum(
        1 + sum(a.changed[b.start : b.stop].any() for a in expected.attacks)
        for b in made.blocks
    )
    assert result['passes'] == passes
    assert calls['decode'] == images
    assert calls['patches'] == calls['pack'] == len(expected.boxes)
    assert calls['preprocess'] == calls['heatmaps'] == batches
    # features and heat maps of crops, of mirrored ones, and joining them
    assert (calls['forward'], calls['flip']) == (2 * batches, 3 * batches)
    assert calls['store'] >= 3 * len(made.blocks)
    assert calls['analysis'] == 1
    assert ('hand over' in calls) == ('wait for crops' in calls) == workers
    text = table(result)
    assert all(f'\n{step:<17}' in text for step in calls)
    assert set(calls) <= set(LINES)


def test_file(tmp_path, ticks):
    profile = Profile()
    with profile.main.step('store'):
        ticks.work(1)
    path = profile.write(tmp_path)
    assert path == tmp_path / 'profile.json'
    assert json.loads(path.read_text()) == profile.result()


def test_a_model_of_another_make_is_one_step(ticks):
    class Model:
        def test_step(self):
            ticks.work(2)

    model, clock = Model(), Clock()
    with Probe(model) as probe, probe.watching(clock):
        model.test_step()
    assert {k: s.wall for k, s in clock.steps.items()} == dict(samples=2)


@pytest.mark.usefixtures('scope')
def test_without_mirrored_crops_nothing_is_flipped(cfg, tmp_path):
    plain = network()
    plain.test_cfg['flip_test'] = plain.head.test_cfg['flip_test'] = False
    made = loop(cfg, plain, tmp_path, ATTACKS[:1], profile=True)
    made.run()
    steps = [row['step'] for row in made.profile.result()['steps']]
    assert 'forward' in steps
    assert 'flip' not in steps
