"""The table of costs, against numbers worked out by hand."""

import numpy as np
import pytest

from mmpose_occlusion.benchmark.analysis import Record, analyse
from mmpose_occlusion.benchmark.table import (
    CAPTION,
    broken,
    markdown_tables,
    print_tables,
    rows,
)
from tests.test_benchmark import made_up


@pytest.fixture(scope='module')
def analysis():
    """Four people one joint of two of whom goes far astray when hidden, and
    an attack that changes no crop."""
    boxes = made_up.people(images=4, each=1, spread=0)
    boxes.truth[np.isnan(boxes.truth)] = 50
    boxes.visible[:] = 2
    perfect = made_up.perfect(boxes)

    def lose(keypoints):
        keypoints[::2, 0] += 1000
        return keypoints

    nose = made_up.attack(perfect, boxes, 'nose', 'black', lose)
    no_crop = made_up.attack(
        perfect, boxes, 'left_eye', changed=np.zeros(4, bool)
    )
    run = made_up.run(boxes, perfect, [nose, no_crop])
    (found,), _ = analyse([run], draws=5)
    return found


def test_rows(analysis):
    _, clean, nose, no_crop = rows(analysis)
    assert clean == ['clean', '4', '1.000', '–', '1.00', '1.00']
    # 16 of 17 joints right is an OKS of 0.94, above 9 of COCO's 10 thresholds;
    # at 0.95 poses are wrong and right in turns: precision 1/2, recall 1/2
    score = 0.9 + 0.1 * 0.5 * 51 / 101
    assert nose == [
        *('keypoint:nose:black', '4', f'{score:.3f}', f'{score - 1:+.3f}'),
        *('1.00 → 0.50', '1.00 → 0.50'),
    ]
    # no person was attacked: all measures are undefined
    assert no_crop == ['keypoint:left_eye:black', '0', *'––––']


def test_markdown_and_terminal(analysis, capsys):
    written = markdown_tables([analysis])
    assert '| keypoint:nose:black | 4 | 0.925 | -0.075 | 1.00 → 0.50 | ' in (
        written
    )
    assert '| keypoint:left_eye:black | 0 | – | – | – | – |' in written
    assert CAPTION in written
    print_tables([analysis])
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    assert '…' not in printed


@pytest.mark.parametrize(
    ('name', 'lines'),
    [
        ('keypoint:right_shoulder:black', ['keypoint:right_shoulder:black']),
        (
            'keypoint:right_shoulder:black:10%:on_person',
            ['keypoint:right_shoulder:black:', '10%:on_person'],
        ),
        ('keypoint:a,b:mean', ['keypoint:a,b:mean']),
        (f'part:{"x" * 40}:blur', ['part:', f'{"x" * 40}:', 'blur']),
    ],
)
def test_names_break_between_words(name, lines):
    assert [line.strip() for line in broken(name, 31).split('\n')] == lines


def test_long_names_leave_the_numbers_whole(analysis, capsys):
    name = 'keypoint:right_shoulder:black:10%:off_person'
    nose = Record(analysis.costs[0], name=name)
    print_tables([Record(analysis, costs=[nose])])
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    for word in (*name.replace(':', ': ').split(), *rows(analysis)[2][1:]):
        assert word in printed
