"""The benchmarks run, on synthetic people."""

import importlib
import json
import re
import sys

import numpy as np
import pytest

from tests.conftest import REAL_DATA

from .conftest import ROOT

NAMES = ('_data', 'transforms', 'pipeline', 'throughput')


@pytest.fixture
def script(monkeypatch):
    """Name of a benchmark -> its module, without photographs."""
    monkeypatch.delenv(REAL_DATA, raising=False)
    for name in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS'):
        monkeypatch.setenv(name, '1')  # as the scripts do
    monkeypatch.syspath_prepend(str(ROOT / 'tools/benchmarks'))
    yield importlib.import_module
    for name in NAMES:
        sys.modules.pop(name, None)


def test_transforms(script, capsys):
    script('transforms').main(['--turns', '1', '--people', '2', '--others'])
    out = capsys.readouterr().out
    rows = re.findall(r'^\| (\w+ \w+) \| \d+ \| \d+ \| [\d.]+ \|$', out, re.M)
    fills = ('blur', 'mean', 'black')
    assert rows == [f'{k} {f}' for k in ('keypoint', 'part') for f in fills]
    assert re.search(r'^\| PartMix \| \d+ \|', out, re.M)
    assert re.search(r'^\| CoarseDropout, part \| \d+ \|', out, re.M)


def test_pipeline(script, capsys):
    argv = ['--people', '1', '--seeds', '2', '--rounds', '1']
    assert script('pipeline').main(argv) in (0, 1)
    out = capsys.readouterr().out
    assert re.search(
        r'^\| keypoint blur \| [+-][\d.]+ % \| .*^keypoint blur, limit 5 %: m',
        out,
        re.M | re.S,
    )
    assert '| PartMix |' in out


def test_cost_is_the_mean_over_cells_of_the_paired_median(script):
    """60 µs of 1000 in each cell, whatever one of three rounds had."""
    plain = np.full((10, 3), 1000.0)
    taken = plain + 60
    taken[4, 1] += 5000
    plain[7, 2] += 5000
    found = script('pipeline').cost(taken, plain)
    assert found == pytest.approx((60, 6, 6, 6))


def test_throughput(script, tmp_path, capsys):
    argv = ['--stub', '--attack', 'keypoint:nose:black']
    script('throughput').main([*argv, '--max-images', '2'])
    out = capsys.readouterr().out
    file, _ = script('_data').coco(str(tmp_path), drawn=40)
    people = json.loads(file.read_text())['annotations']
    images = sorted({p['image_id'] for p in people})[:2]
    # clean, and with the nose hidden where there is one
    count = sum(
        1 + (p['keypoints'][2] > 0) for p in people if p['image_id'] in images
    )
    assert f'{count} crops (clean and attacked)' in out
    assert re.search(r'the network takes \d+% of the time', out)
