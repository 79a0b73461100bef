"""The script of the pages' figures draws every transform and every paint."""

import importlib.util
from pathlib import Path

import cv2
import pytest

from mmpose_occlusion import transforms
from mmpose_occlusion.occlusion import FILLS

SCRIPT = Path(__file__).resolve().parents[1] / 'docs/draw_attacks.py'


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPT.parents[1] / 'tools'))
    spec = importlib.util.spec_from_file_location('draw_attacks', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_is_one_of_each(script):
    paints = [name.split(':')[2] for name in script.FIGURES['paints.png']]
    assert sorted(paints) == sorted(FILLS)
    occlusions = {n for n in vars(transforms) if n.endswith(('sion', 'Mix'))}
    assert set(script.FIGURES['transforms.png']) == occlusions


def test_it_draws(script, synthetic_people, tmp_path, monkeypatch):
    monkeypatch.setattr(script, 'is_all_seen', lambda crop: True)
    script.draw(None, tmp_path, synthetic_people)
    for name in script.FIGURES:
        assert cv2.imread(str(tmp_path / name)).std() > 20
