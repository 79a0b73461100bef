"""The benchmark's layer where MMPose and PyTorch are not installed."""

import json
import subprocess
import sys

import pytest

from mmpose_occlusion.benchmark.api import load_benchmark

from .small import config, network, run

MISSING = ('mmpose', 'mmengine', 'mmcv', 'mmdet', 'torch', 'torchvision')

WITHOUT = f"""
import sys
from importlib.machinery import PathFinder

class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition('.')[0] in {MISSING!r}:
            return None
        return PathFinder.find_spec(name, path, target)

sys.meta_path = [
    Finder if finder is PathFinder else finder for finder in sys.meta_path
]
"""


def python(code, *arguments):
    """Run code in a process without MMPose; returns what it prints."""
    code += f"""
found = [name for name in {MISSING!r} if name in sys.modules]
assert not found, found
"""
    done = subprocess.run(
        [sys.executable, '-c', WITHOUT + code, *map(str, arguments)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_process_has_none_of_them():
    code = f"""
import importlib
for name in {MISSING!r}:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        continue
    raise SystemExit(name)
"""
    python(code)


def test_suites():
    code = """
from mmpose_occlusion.benchmark.suite import load_suites, shipped
from mmpose_occlusion.skeleton import Skeleton

skeleton = Skeleton.from_names(('nose', 'left_wrist'))
print(len(load_suites(shipped(), ['keypoint:nose:black:40'], skeleton)))
"""
    assert int(python(code)) > 20


@pytest.fixture(scope='module')
def folder(scope, synthetic_people, tmp_path_factory):
    """A benchmark's folder."""
    out = tmp_path_factory.mktemp('stored')
    attacks = ('keypoint:nose:black', 'part:head:mean')
    run(config(synthetic_people), network(), out, attacks)
    return out


def test_a_stored_benchmark_is_read(folder):
    code = """
import json
from mmpose_occlusion.benchmark.api import load_benchmark

print(json.dumps(list(load_benchmark(sys.argv[1]).rows())))
"""
    rows = json.loads(python(code, folder))
    assert rows == list(load_benchmark(folder).rows())
    assert {row['role'] for row in rows} >= {'target', 'visible'}


def test_its_report_is_written(folder, tmp_path):
    code = """
from mmpose_occlusion.cli.report import main

assert main([sys.argv[1], '--out', sys.argv[2], '--draws', '20']) == 0
"""
    assert 'Wrote' in python(code, folder, tmp_path)
    assert (tmp_path / 'index.html').is_file()


def test_a_command_that_needs_mmpose(folder, tmp_path):
    """It says so in one sentence."""
    path = tmp_path / 'config.py'
    path.write_text('')
    code = """
import contextlib, io
from mmpose_occlusion.cli.benchmark import main

error = io.StringIO()
with contextlib.redirect_stderr(error):
    status = main([sys.argv[1], 'x.pth', '--out', sys.argv[2]])
print(status, error.getvalue())
"""
    said = python(code, path, tmp_path / 'out')
    assert said.startswith('1 error: ')
    assert said.count('\n') == 2
    assert 'has no module "torch", which this command needs' in said
