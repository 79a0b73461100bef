"""The measuring of MMPose's training pipeline with occlusions."""

import gc
import re

import cv2
import numpy as np
import pytest

from tests.conftest import REAL_DATA


@pytest.fixture(scope='module')
def benchmark(tool):
    with pytest.MonkeyPatch.context() as patch:
        for name in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS'):
            patch.setenv(name, '1')  # as the script does, for good
        yield tool('benchmarks/pipeline')


def test_cost_is_the_mean_of_what_is_drawn_and_what_is_not(benchmark):
    """Three of ten cells were drawn where half were to be: 110 µs there and
    10 elsewhere are 60 on average, 6 % of 1000, whatever else the machine
    did in one of three rounds."""
    drawn = np.arange(10) < 3
    plain = np.full((10, 3), 1000.0)
    taken = plain + np.where(drawn, 110.0, 10.0)[:, None]
    taken[4, 1] += 5000
    plain[7, 2] += 5000
    cost = benchmark.cost(taken, plain, drawn)
    assert cost.micro == pytest.approx(60)
    assert cost.percent == pytest.approx(6)
    assert (cost.low, cost.high) == pytest.approx((6, 6))


def test_cost_of_what_is_always_there(benchmark):
    """An option is not drawn: the mean over cells, and an interval."""
    plain = np.full((200, 1), 500.0)
    taken = plain - np.where(np.arange(200) % 2, 100.0, 0.0)[:, None]
    cost = benchmark.cost(taken, plain, np.zeros(200, bool))
    assert cost.micro == pytest.approx(-50)
    assert cost.percent == pytest.approx(-10)
    # the mean's standard error is 50 / sqrt(200) µs, 0.7 %
    assert cost.low == pytest.approx(-11.4, abs=0.4)
    assert cost.high == pytest.approx(-8.6, abs=0.4)


def test_it_measures_every_occlusion_and_option(
    benchmark, monkeypatch, capsys
):
    monkeypatch.delenv(REAL_DATA, raising=False)
    threads = cv2.getNumThreads()
    argv = ['--people', '1', '--seeds', '2', '--rounds', '1']
    assert benchmark.main(argv) == 0
    assert gc.isenabled()
    assert cv2.getNumThreads() == threads
    out = capsys.readouterr().out
    assert out.startswith('1 synthetic people in 1 JPEGs of 640×480; ')
    tables = out.split('\n\n')
    occlusions, options, steps = (
        {line.split('|')[1].strip(): line for line in table.splitlines()[2:]}
        for table in tables[1:4]
    )
    assert {
        'keypoint blur',
        'part black',
        'keypoint or part mean',
        'MultiKeypoint',
        'PartMix',
        'PartMix, donors decoded before',
        'PartMix, donors in memory',
    } <= set(occlusions)
    for line in occlusions.values():
        assert re.search(r'[+-]\d+\.\d % \((met|missed)\)', line)
    for name in (
        'fast RandomFlip',
        'fast RandomBBoxTransform',
        'fast MSRAHeatmap',
        'all fast steps',
        'decoded before',
        'decoded before and all fast steps',
        'raw_ann_info not packed',
    ):
        assert 'same bits (2 samples)' in options[name]
    assert 'pixels differ by' in options['decoded at half the size']
    assert list(steps)[-4:] == [
        '`KeypointOcclusion`',
        '`GenerateTarget`',
        '`PackPoseInputs`',
        'all',
    ]
    assert 'TopdownAffine by' in tables[4]


def test_rows_can_be_chosen(benchmark):
    pipeline = benchmark.train_pipeline()
    cases = benchmark.occlusions(pipeline, 'folder', 'part b')
    assert [case.name for case in cases] == [
        'part blur',
        'part black',
        'keypoint or part blur',
        'keypoint or part black',
    ]
    assert benchmark.options(pipeline, 'folder', 'nothing') == []


@pytest.mark.parametrize('option', ['--people', '--seeds', '--rounds'])
def test_nothing_to_measure(benchmark, option, capsys):
    with pytest.raises(SystemExit):
        benchmark.main([option, '0'])
    assert 'must be at least 1' in capsys.readouterr().err


def test_a_folder_without_photographs(
    benchmark, monkeypatch, capsys, tmp_path
):
    monkeypatch.setenv(REAL_DATA, str(tmp_path))
    assert benchmark.main([]) == 2
    assert capsys.readouterr().err == (
        f'error: {REAL_DATA}={tmp_path} has no coco/test_coco.json: '
        'name the folder of photographs, or unset it for synthetic people\n'
    )
