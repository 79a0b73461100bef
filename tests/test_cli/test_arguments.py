"""What the commands have in common."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from mmpose_occlusion.cli.run import run
from mmpose_occlusion.errors import UsageError
from tests.test_tools.conftest import ROOT

TOOLS = ['train', 'benchmark', 'report']


def command(name):
    """How a command is started from a checkout."""
    if (ROOT / 'tools' / f'{name}.py').is_file():
        return [sys.executable, str(ROOT / 'tools' / f'{name}.py')]
    return [sys.executable, '-m', f'mmpose_occlusion.cli.{name}']


@pytest.mark.parametrize('name', TOOLS)
def test_help(name):
    done = subprocess.run(
        [*command(name), '--help'], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert 'usage: ' in done.stdout
    assert ('--cfg-options' in done.stdout) == (name != 'report')


@pytest.mark.parametrize('name', ['test', 'browse'])
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


def test_one_sentence_about_a_config_of_mmpose(tool, capfd):
    """Nothing else is printed; that imports are quiet in a fresh process is
    tested by ``test_script_on_the_cpu``."""
    argv = ['mmpose::no_such/config.py', 'no.pth']
    assert tool('test').main(argv) == 2
    printed, error = capfd.readouterr()
    assert printed == ''
    assert error.startswith(
        'error: config "mmpose::no_such/config.py" needs a file that does not'
    )
    assert error.count('\n') == 1


@pytest.mark.parametrize(
    ('error', 'status', 'sentence'),
    [
        (None, 0, ''),
        (UsageError('no such joint'), 2, 'error: no such joint\n'),
        (
            OSError(28, 'No space left on device', 'x.npz'),
            1,
            'error: No space left on device "x.npz": free some space; what is '
            'finished is stored, and the same command goes on from there\n',
        ),
    ],
)
def test_exit_status(error, status, sentence, capsys):
    def work(options):
        if error:
            raise error

    assert run(work, SimpleNamespace(), mmpose=False) == status
    assert capsys.readouterr().err == sentence


def test_a_traceback_on_demand(monkeypatch, capsys):
    def work(options):
        raise ValueError('a bug')

    assert run(work, SimpleNamespace(), mmpose=False) == 1
    error = capsys.readouterr().err
    assert error == (
        'error: ValueError: a bug: add --traceback to see where it happened\n'
    )
    monkeypatch.setattr(sys, 'argv', ['test.py', '--traceback'])
    assert run(work, SimpleNamespace(), mmpose=False) == 1
    shown = capsys.readouterr().err
    assert 'Traceback' in shown
    assert shown.endswith(error)


FORK = """
import os, signal
from types import SimpleNamespace
from mmpose_occlusion.cli.run import run

def work(options):
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.close(reading)
        os.write(writing, b'x')
        signal.pause()
    os.close(writing)
    os.read(reading, 1)
    os.kill(os.getpid(), signal.SIGKILL)

run(work, SimpleNamespace(), mmpose=False)
"""


@pytest.mark.skipif(sys.platform != 'linux', reason='Linux ends them alone')
def test_workers_end_with_a_killed_process():
    """The worker holds the output open until it ends."""
    done = subprocess.run(
        [sys.executable, '-c', FORK],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        timeout=60,
    )
    assert done.returncode == -9


def test_output_in_any_encoding():
    code = 'from mmpose_occlusion.cli.run import robust_output as r; r();'
    done = subprocess.run(
        [sys.executable, '-c', f'{code}print("\u0394 AP")'],
        capture_output=True,
        env={**os.environ, 'PYTHONIOENCODING': 'ascii'},
        cwd=ROOT,
    )
    assert done.stdout.strip() == b'\\u0394 AP'
