"""The benchmark in Python: its table, and what may be missing."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from mmpose_occlusion.benchmark.api import (
    Benchmark,
    load_benchmark,
    run_benchmark,
)
from mmpose_occlusion.errors import UsageError

from .made_up import COCO, attack, people, perfect, run


@pytest.fixture
def benchmark(tmp_path):
    """A nose attack that moves the nose and an eye of everybody by half the
    bbox's longer side, of whom the eye is a bystander."""
    boxes = people(images=4, each=1)
    boxes.visible[:] = 2
    boxes.truth[:] = perfect(boxes).keypoints
    clean = perfect(boxes)
    sizes = (boxes.person_boxes[:, 2:] - boxes.person_boxes[:, :2]).max(1)

    def shift(keypoints):
        keypoints[:, :2, 0] += sizes[:, None] / 2
        return keypoints

    bystanders = np.zeros(boxes.visible.shape, bool)
    bystanders[:, 1] = True
    made = attack(clean, boxes, fault=shift, bystanders=bystanders)
    return Benchmark(tmp_path, [run(boxes, clean, [made])])


def test_rows(benchmark):
    rows = {(r['role'], r['joint']): r for r in benchmark.rows()}
    nose = rows['target', 'nose']
    assert {k: nose[k] for k in ('model', 'attack', 'suite', 'target')} == {
        'model': 'made-up',
        'attack': 'keypoint:nose:black',
        'suite': 'paper',
        'target': 'nose',
    }
    assert (nose['n'], nose['pck_clean'], nose['pck_attacked']) == (4, 1, 0)
    assert nose['epe_clean'] == pytest.approx(0, abs=1e-6)
    assert nose['epe_attacked'] == pytest.approx(0.5, rel=1e-5)
    assert rows['target', 'all']['n'] == 4
    assert rows['bystander', 'left_eye']['pck_attacked'] == 0
    assert rows['visible', 'all']['n'] == 4 * 15
    assert rows['visible', 'all']['pck_attacked'] == 1
    visible = {joint for role, joint in rows if role == 'visible'}
    assert visible == {'all', *COCO[2:]}


def test_to_pandas(benchmark, monkeypatch):
    pandas = SimpleNamespace(DataFrame=lambda rows: ('frame', rows))
    monkeypatch.setitem(sys.modules, 'pandas', pandas)
    assert benchmark.to_pandas() == ('frame', list(benchmark.rows()))
    monkeypatch.setitem(sys.modules, 'pandas', None)
    with pytest.raises(UsageError, match='pip install pandas'):
        benchmark.to_pandas()


def test_refused(tmp_path):
    with pytest.raises(UsageError, match='holds no benchmark'):
        load_benchmark(tmp_path)
    with pytest.raises(UsageError, match='give its checkpoint'):
        run_benchmark('config.py', out=tmp_path)
    with pytest.raises(UsageError, match=r'"no\.py" does not exist'):
        run_benchmark('no.py', 'x.pth', out=tmp_path)
