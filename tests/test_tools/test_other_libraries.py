"""The benchmark's rows of other libraries, without these libraries."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / 'tools/benchmarks'

STAND_IN = f"""#!{sys.executable}
import json, sys
import numpy as np
from pathlib import Path
data = dict(np.load(sys.argv[2]))
shapes = {{name: list(array.shape) for name, array in data.items()}}
Path(__file__).with_name('seen.json').write_text(json.dumps(shapes))
print(json.dumps(dict(library='1.2')), flush=True)
for round, _ in enumerate(sys.stdin):
    first = 1000 if not round else 1
    print(json.dumps({{
        'yardstick': [2 * first], 'ConstrainedCoarseDropout joint black':
        [5 * first, 7 * first, 9 * first]}}), flush=True)
"""


@pytest.fixture
def beside_others(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import beside_others

    return beside_others


def program(folder, text):
    path = folder / 'python'
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_rows_take_turns_and_leave_the_first_round_out(
    beside_others, monkeypatch, tmp_path
):
    """Theirs: 7 µs, 3.5 yardsticks; ours: 4 µs, 0.5 yardsticks."""

    class Crop:
        results = dict(
            img=np.zeros((8, 6, 3), np.uint8),
            transformed_keypoints=np.array([[[1.0, 2.0], [6.0, 2.0]]]),
            keypoints_visible=np.ones((1, 2)),
        )

    boxes = dict(
        joint_boxes=np.array([[0, 1, 1, 4, 4]]), part_boxes=np.zeros((0, 5))
    )
    calls = {'keypoint black': [lambda: lambda: None]}
    monkeypatch.setattr(beside_others, '_ours', lambda *_: (calls, boxes))
    monkeypatch.setattr(beside_others, 'once', lambda call: 4.0)
    monkeypatch.setattr(beside_others, 'timed', lambda call: 8.0)
    python = program(tmp_path, STAND_IN)
    lines = list(beside_others.rows(python, [Crop], 3, None))
    assert lines == [
        '| ConstrainedCoarseDropout joint black | 7 | – | – | – '
        '| 7.0 of our keypoint black |',
        '',
        'Ours in turn with them, µs: keypoint black 4.',
        'The yardstick took 8 µs here, 2 µs there, in library 1.2.',
    ]
    assert json.loads((tmp_path / 'seen.json').read_text()) == dict(
        images=[1, 8, 6, 3],
        joints=[1, 2, 2],
        visible=[1, 2],
        joint_boxes=[1, 5],
        part_boxes=[0, 5],
    )


@pytest.mark.parametrize(
    ('text', 'sentence'),
    [
        (None, 'No such file'),
        (f'#!{sys.executable}\nraise SystemExit(1)', 'pip install -r'),
    ],
)
def test_an_interpreter_that_cannot(
    beside_others, monkeypatch, tmp_path, text, sentence
):
    from mmpose_occlusion.errors import UsageError

    monkeypatch.setattr(beside_others, '_ours', lambda *_: ({}, {}))
    monkeypatch.setattr(beside_others, '_arrays', lambda _: {})
    python = program(tmp_path, text) if text else str(tmp_path / 'none')
    with pytest.raises(UsageError, match=f'--others .*{sentence}'):
        list(beside_others.rows(python, [], 1, None))


def test_their_side_needs_nothing_of_this_project():
    """It is started by a Python that has neither it nor MMPose."""
    code = (
        'import sys, others\n'
        'bad = [m for m in sys.modules if m.startswith("mm")]\n'
        'assert not bad, bad'
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        env=dict(os.environ, PYTHONPATH=str(BENCHMARKS)),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
