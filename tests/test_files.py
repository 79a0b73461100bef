"""Atomic files and plain JSON."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from mmpose_occlusion import files
from mmpose_occlusion.errors import UsageError


@dataclass
class _Point:
    x: float
    tags: tuple


def test_json_of_arrays_dataclasses_and_undefined_numbers(tmp_path):
    value = dict(
        score=np.float32(0.5),
        undefined=float('nan'),
        table={'nose': np.array([1.0, np.inf])},
        point=_Point(-0.0, ('é', True)),
        path=Path('a/b'),
        kind=_Point,
    )
    path = files.write_json(tmp_path / 'a.json', files.plain(value, 3))
    found = json.loads(path.read_text(encoding='utf-8'))
    assert found.pop('kind') == 'tests.test_files._Point'
    assert found == dict(
        score=0.5,
        undefined=None,
        table={'nose': [1.0, None]},
        point=dict(x=0.0, tags=['é', True]),
        path='a/b',
    )


def test_a_write_that_fails_leaves_the_old_file_alone(tmp_path, monkeypatch):
    path = files.write_text(tmp_path / 'a.txt', 'old')

    def fail(*_):
        raise OSError('disk full')

    monkeypatch.setattr(files.os, 'fsync', fail)
    with pytest.raises(OSError, match='disk full'):
        files.write_text(path, 'new')
    assert path.read_text() == 'old'
    assert [p.name for p in tmp_path.iterdir()] == ['a.txt']


def test_a_file_is_replaced(tmp_path):
    path = files.write_bytes(tmp_path / 'a', b'old and long')
    assert files.write_bytes(path, b'new').read_bytes() == b'new'


@pytest.mark.parametrize(
    ('name', 'text', 'replaced'),
    [
        ('index.html', 'my page', False),
        ('index.html', f'<head>{files.MARK}', True),
        ('other.html', 'my page', True),
        ('report.json', '{"a": 1}', False),
        ('report.json', '{"versions": {"mmpose_occlusion": "1"}}', True),
        ('table.md', 'my table', False),
    ],
)
def test_files_of_the_user_are_not_replaced(tmp_path, name, text, replaced):
    names = ['index.html', 'report.json', 'table.md']
    files.check_replaceable(tmp_path / 'none', names)
    (tmp_path / name).write_text(text)
    if replaced:
        files.check_replaceable(tmp_path, names)
    else:
        with pytest.raises(UsageError, match=f'{name}" exists'):
            files.check_replaceable(tmp_path, names)


def test_output_replaces_only_its_kind(tmp_path):
    path = tmp_path / 'x.tex'
    files.check_output(path, b'mark', '--latex')
    path.write_text('with a mark')
    files.check_output(path, b'mark', '--latex')
    path.write_text('my own')
    with pytest.raises(UsageError, match=r'--latex ".*" exists and is not'):
        files.check_output(path, b'mark', '--latex')
    with pytest.raises(UsageError, match='exists and is not'):
        files.check_output(tmp_path, b'mark', '--latex')
