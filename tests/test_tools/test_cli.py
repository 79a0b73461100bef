"""What the tools have in common on the command line."""

import subprocess
import sys

import pytest

from .conftest import ROOT

TOOLS = ['train', 'test', 'browse_occlusions']


@pytest.mark.parametrize('name', TOOLS)
def test_help_is_quick(name):
    """It answers without importing PyTorch, which takes seconds."""
    script = (
        'import runpy, sys\n'
        f'sys.argv = [{name!r}, "--help"]\n'
        'try:\n'
        f'    runpy.run_path({str(ROOT / "tools" / name)!r} + ".py",'
        ' run_name="__main__")\n'
        'except SystemExit as stop:\n'
        '    assert stop.code == 0, stop.code\n'
        'assert "torch" not in sys.modules\n'
    )
    done = subprocess.run(
        [
            sys.executable,
            '-c',
            f'import sys\nsys.path[0:0] = [{str(ROOT / "tools")!r}]\n{script}',
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert 'usage: ' in done.stdout
    assert '--cfg-options' in done.stdout


@pytest.mark.parametrize('name', TOOLS)
def test_options_must_be_pairs(name, tool, capsys):
    arguments = ['c.py', 'x.pth'] if name == 'test' else ['c.py']
    with pytest.raises(SystemExit, match='2'):
        tool(name).main([*arguments, '--cfg-options', 'model'])
    error = capsys.readouterr().err
    assert error.endswith('--cfg-options: "model" is not KEY=VALUE\n')


def test_brackets_must_balance(tool, capsys):
    with pytest.raises(SystemExit, match='2'):
        tool('train').main(['c.py', '--cfg-options', 'a=[1,(2]'])
    assert 'Imbalanced brackets' in capsys.readouterr().err


def test_imports_are_quiet():
    """Nothing is printed but the sentence about the mistake."""
    done = subprocess.run(
        [sys.executable, str(ROOT / 'tools' / 'test.py')]
        + ['mmpose::no_such/config.py', 'no.pth'],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stdout == ''
    assert done.stderr.startswith('error: config "mmpose::no_such/config.py"')
    assert done.stderr.count('\n') == 1


@pytest.mark.parametrize(
    'tool', ['test', 'train', 'occlusion_benchmark', 'occlusion_report']
)
def test_help_waits_for_nothing(tool):
    """MMEngine alone would be eight times the rest."""
    script = str(ROOT / 'tools' / f'{tool}.py')
    done = subprocess.run(
        [sys.executable, '-X', 'importtime', script, '--help'],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert 'usage: ' in done.stdout
    imported = {
        line.rsplit('|', 1)[1].strip().split('.')[0]
        for line in done.stderr.splitlines()
        if line.startswith('import time:')
    }
    assert 'argparse' in imported
    assert not imported & {'mmengine', 'mmpose', 'numpy', 'torch', 'cv2'}
