"""The table of costs, against numbers worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from mmpose_occlusion.benchmark.analysis import analyse
from mmpose_occlusion.benchmark.table import (
    CAPTION,
    Row,
    cells,
    header,
    markdown,
    print_table,
    rows,
    show_tables,
)
from tests.test_benchmark import made_up


@pytest.fixture(scope='module')
def analysis():
    """Four people one joint of two of whom goes far astray when hidden, and
    an attack that changes nobody's crop."""
    boxes = made_up.people(images=4, each=1, spread=0)
    boxes.truth[np.isnan(boxes.truth)] = 50
    boxes.visible[:] = 2
    perfect = made_up.perfect(boxes)

    def lose(keypoints):
        keypoints[::2, 0] += 1000
        return keypoints

    nose = made_up.attack(perfect, boxes, 'nose', 'black', lose)
    nobody = made_up.attack(
        perfect, boxes, 'left_eye', changed=np.zeros(4, bool)
    )
    run = made_up.run(boxes, perfect, [nose, nobody])
    (found,), _ = analyse([run], draws=5)
    return found


def test_rows(analysis):
    clean, nose, nobody = rows(analysis)
    assert clean == Row('clean', 4, 1, None, 1, None, 1, None)
    assert (nose.attack, nose.people) == ('keypoint:nose:black', 4)
    # 16 of 17 joints right is an OKS of 0.94, above 9 of COCO's 10 thresholds;
    # at 0.95 poses are wrong and right in turns: precision 1/2, recall 1/2
    expected = 0.9 + 0.1 * 0.5 * 51 / 101
    assert nose.score == pytest.approx(expected)
    assert nose.drop == pytest.approx(nose.score - 1)
    assert (nose.pck_clean, nose.pck_attacked) == (1, 0.5)
    assert (nose.ks_clean, nose.ks_attacked) == (1, 0.5)
    # nothing was hidden, nothing was judged: null, not a number
    assert nobody == Row('keypoint:left_eye:black', 0, *[None] * 6)


def test_text(analysis, tmp_path, capsys):
    show_tables([analysis], tmp_path)
    written = (tmp_path / 'table.md').read_text()
    assert markdown(rows(analysis), 'AP') in written
    assert '| keypoint:nose:black | 4 | 0.925 | -0.075 | 1.00 → 0.50 | ' in (
        written
    )
    assert '| keypoint:left_eye:black | 0 | – | – | – | – |' in written
    assert CAPTION in written
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    assert '…' not in printed


def test_the_longest_row_fits_a_terminal(capsys):
    row = Row('keypoint:right_shoulder:black', 6352, 0.5, -0.5, 1, 1, 1, 1)
    print_table([row], 'AP', 'model')
    printed = capsys.readouterr().out
    assert all(text in printed for text in cells(row))
    # a longer name takes two lines, numbers stay whole
    name = f'keypoint:{"left_" * 12}ankle:black:24:off_person'
    print_table([replace(row, attack=name)], 'AP', 'model')
    printed = capsys.readouterr().out
    assert all(text in printed for text in cells(row)[1:])
    assert max(map(len, printed.splitlines())) <= 80
    assert len(header('AP')) == len(cells(row))
