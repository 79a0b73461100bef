"""What occlusion-doctor says, with and without libraries."""

import numpy as np
import pytest

from mmpose_occlusion import registration
from mmpose_occlusion.cli import check


def test_what_is_here(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / 'data/mpii/annotations'
    folder.mkdir(parents=True)
    (folder / 'mpii_val.json').write_text('[]')
    assert check.main_doctor([]) == 0
    lines = capsys.readouterr().out.splitlines()
    (core,) = [line for line in lines if line.startswith('core: ')]
    assert f'numpy {np.__version__}, cv2 ' in core
    assert 'unknown' not in core
    assert '  compiled operators load' in lines
    assert lines[-2].startswith('data of COCO')
    assert 'and no' in lines[-2]
    assert lines[-1].endswith(': no data/mpii/images')


def test_what_is_missing(monkeypatch, capsys):
    real = check.find_spec
    lacking = {'scipy', 'jinja2', 'onnxruntime'}
    monkeypatch.setattr(
        check, 'find_spec', lambda m: None if m in lacking else real(m)
    )
    with pytest.raises(SystemExit, match='1'):
        check.main_doctor([])
    lines = capsys.readouterr().out.splitlines()
    assert '  scipy is missing: pip install scipy' in lines
    assert '  jinja2 is missing: pip install jinja2' in lines
    lacking.remove('scipy')
    assert check.main_doctor([]) == 0


def test_a_wrong_version_of_mmpose_is_said_and_not_raised(monkeypatch, capsys):
    cure = ('>=9', 'CURE')
    monkeypatch.setitem(registration.REQUIREMENTS, 'mmpose', cure)
    assert check.main_doctor([]) == 0
    printed = capsys.readouterr().out
    assert '  mmpose >=9 is needed and mmpose is of version' in printed
    assert 'install it with CURE' in printed
