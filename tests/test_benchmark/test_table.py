"""Rows and tables, against numbers worked out by hand."""

import csv
import json

import numpy as np
import pytest

from mmpose_occlusion.benchmark.page import page
from mmpose_occlusion.benchmark.plots import place, plot_cost
from mmpose_occlusion.benchmark.sweep import Sweep
from mmpose_occlusion.benchmark.table import (
    markdown,
    print_table,
    rows,
    write_table,
)


@pytest.fixture
def sweep():
    """Two people with boxes of 100 and 50 px, one attack on each joint.

    PCK@0.2 allows errors under 20 and 10 px.
    """
    truth = np.zeros((2, 2, 2))
    clean = truth + [[[3, 4], [0, 25]], [[0, 9], [6, 8]]]  # 5, 25; 9, 10
    nose = clean.copy()
    nose[0, 0] = (0, 20)  # no longer under 20
    return Sweep(
        attacks=['keypoint:nose:black', 'keypoint:left_eye:blur'],
        joints=['nose', 'left_eye'],
        clean=clean,
        attacked=np.stack([nose, clean]),
        truth=truth,
        labelled=np.array([[True, True], [True, False]]),
        sizes=np.array([100.0, 50.0]),
        changed=np.array([[True, True], [False, False]]),
        hidden=np.array(
            [[[True, False], [True, False]], [[False] * 2, [False] * 2]]
        ),
        clean_metrics={'coco/AP': 0.75, 'coco/AR': 0.5},
        attacked_metrics=[
            {'coco/AP': 0.25, 'coco/AR': 0.5},
            {'coco/AP': -1, 'coco/AR': -1},
        ],
    )


def test_rows(sweep):
    clean, nose, eye = rows(sweep)
    # labelled: 5 < 20, 25 > 20, 9 < 10
    assert clean.pck_clean == pytest.approx(2 / 3)
    assert (clean.score, clean.drop) == (0.75, None)
    assert (nose.people, nose.score, nose.drop) == (2, 0.25, -0.5)
    assert (nose.pck_clean, nose.pck_attacked) == (1, 0.5)
    # nothing was hidden, nothing was judged: null, not a number
    assert eye.people == 0
    assert (eye.score, eye.drop, eye.pck_clean) == (None, None, None)


def test_files(sweep, tmp_path, capsys):
    table = rows(sweep)
    write_table(table, sweep, tmp_path)
    lines = (tmp_path / 'table.md').read_text().splitlines()
    assert lines[
        3
    ] == '| keypoint:nose:black | 2 | 0.250 | -0.500 | 1.000 ' + ('| 0.500 |')
    assert lines[4].split(' | ')[2:] == ['–', '–', '–', '– |']
    assert markdown(table) == (tmp_path / 'table.md').read_text()
    with open(tmp_path / 'table.csv') as file:
        found = list(csv.DictReader(file))
    assert float(found[1]['drop']) == -0.5
    results = json.loads((tmp_path / 'results.json').read_text())
    assert results['metric'] == 'coco/AP'
    assert results['rows'][2]['score'] is None
    print_table(table, 'costs')
    assert 'keypoint:nose:black' in capsys.readouterr().out


def test_figure_and_page(sweep, tmp_path):
    table = rows(sweep)
    path = tmp_path / 'cost.png'
    plot_cost(table, [('nose', 'left_eye')], 'coco/AP', path)
    assert path.read_bytes().startswith(b'\x89PNG')
    text = page('<costs>', ['a fact'], [('cost', path)], table, 'type & go')
    assert '&lt;costs&gt;' in text
    assert 'type &amp; go' in text
    assert 'data:image/png;base64,' in text
    assert text.count('<tr') == 4


def test_the_left_is_on_the_readers_right():
    assert place('left_wrist')[0] > 0 > place('right_wrist')[0]
    assert place('left_wrist')[1] == place('right_wrist')[1]
    assert place('tail') is None
