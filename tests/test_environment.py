"""``make env``, with a uv that installs stubs in place of the packages."""

import importlib.util
import json
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import environment

ROOT = Path(__file__).parents[1]
ENVIRONMENT = ROOT / 'environment.py'
(UV,) = (line for line in environment.LOCK.split() if line.startswith('uv=='))

FAKE_UV = """#!python
import json, os, pathlib, sys, sysconfig
lines = sys.stdin.read()
settings = {k: v for k, v in os.environ.items() if k.startswith('UV_')}
with open(os.environ['FAKE_LOG'], 'a') as log:
    log.write(json.dumps([sys.argv[1:], lines, settings]) + '\\n')
if os.environ.get('FAKE_FAILURE', '?') in lines:
    sys.exit(2)
site = pathlib.Path(sysconfig.get_path('purelib'))
for name in STUBS:
    path = site.joinpath(*name.split('.'))
    path.mkdir(parents=True, exist_ok=True)
    (path / '__init__.py').write_text(STUBS[name])
"""
STUBS = {
    'mmcv': '',
    'mmcv.ops': 'nms = print',
    'mmdet.datasets': '',
    'mmpose': '',
    'mmpose.apis': '',
    'mmpose.datasets': '',
    'mmpose.evaluation': '',
    'mmpose.models': '',
    'mmpose.visualization': '',
    'torch': (
        '__version__ = "2.14.1+cpu"; ones = print\nclass version: cuda = None'
    ),
    'torchvision': '',
}


@pytest.fixture(scope='module')
def wheels(tmp_path_factory) -> Path:
    """A folder with a wheel of the fake uv."""
    folder = tmp_path_factory.mktemp('wheels')
    name = UV.replace('==', '-')
    script = FAKE_UV.replace('site =', f'STUBS = {STUBS!r}\nsite =', 1)
    files = {
        f'{name}.data/scripts/uv': script,
        f'{name}.dist-info/METADATA': (
            f'Metadata-Version: 2.1\nName: uv\nVersion: {UV[4:]}\n'
        ),
        f'{name}.dist-info/WHEEL': (
            'Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n'
        ),
        f'{name}.dist-info/RECORD': '',
    }
    path = folder / f'{name}-py3-none-any.whl'
    with zipfile.ZipFile(path, 'w') as wheel:
        for file, text in files.items():
            info = zipfile.ZipInfo(file)
            info.external_attr = 0o100755 << 16  # executable
            wheel.writestr(info, text)
    return folder


@pytest.fixture
def start(wheels, tmp_path):
    """Starts environment.py with an empty cache and no network."""

    def start(**variables: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, ENVIRONMENT],
            env={
                'FAKE_LOG': str(tmp_path / 'log'),
                'HOME': str(tmp_path),
                'PATH': os.environ['PATH'],
                'PIP_FIND_LINKS': f'{wheels} /not/a/folder',
                'PIP_CONFIG_FILE': os.devnull,
                'PIP_NO_INDEX': '1',
                'XDG_CACHE_HOME': str(tmp_path / 'cache'),
                **variables,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def built(process: subprocess.Popen) -> Path:
    """The interpreter that a build printed."""
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    return Path(stdout.removesuffix('\n'))


def calls(tmp_path: Path) -> list[list]:
    """Per call of uv: its arguments, its standard input, its variables."""
    lines = (tmp_path / 'log').read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_a_failed_build_is_one_sentence(monkeypatch, tmp_path):
    def fail():
        raise subprocess.CalledProcessError(2, ['uv', 'pip'])

    monkeypatch.setattr(environment, 'build', fail)
    monkeypatch.setattr(environment, 'CACHE', tmp_path)
    monkeypatch.setattr(environment, 'READY', tmp_path / 'ready')
    with pytest.raises(SystemExit, match='The environment was not built: '):
        environment.main()


@pytest.mark.slow
def test_two_builds_at_once(start, wheels, tmp_path):
    """One of them works, and starts anew after an interrupted one."""
    python, same = map(built, [start(), start()])
    assert python == same
    assert python.is_relative_to(tmp_path / 'cache')
    assert os.access(python, os.X_OK)

    requirements = ''.join(call[1] for call in calls(tmp_path))
    wanted = [
        line
        for line in environment.LOCK.splitlines()
        if line and not line.startswith('#')
    ]
    assert sorted(set(wanted)) == sorted(
        line for line in requirements.splitlines() if '==' in line
    )
    for arguments, _, variables in calls(tmp_path):
        assert '--no-deps' in arguments
        assert variables['UV_FIND_LINKS'] == str(wheels)

    assert built(start()) == python
    assert ''.join(call[1] for call in calls(tmp_path)) == requirements


def test_another_torch_has_an_environment_of_its_own(tmp_path, monkeypatch):
    index = 'https://example.org/cpu'
    monkeypatch.setenv('TORCH', 'torch==2.9.1')
    monkeypatch.setenv('TORCH_INDEX', index)
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    monkeypatch.setenv('PYTHONPATH', '')
    spec = importlib.util.spec_from_file_location('other', ENVIRONMENT)
    other = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(other)
    assert other.ROOT.name != environment.ROOT.name
    commands = []
    monkeypatch.setattr(
        other,
        'run',
        lambda *args, stdin='', **_: commands.append((args, stdin)),
    )
    outputs = {'-m': '', '-c': '2.9.1 None'}
    monkeypatch.setattr(other, 'output', lambda *args: outputs[args[0]])
    monkeypatch.setattr(other.shutil, 'rmtree', lambda *args, **_: None)
    (other.ROOT / 'lib/python3/site-packages').mkdir(parents=True)
    other.build()
    (call,) = (call for call in commands if index in call[0])
    assert '--no-deps' not in call[0]
    assert call[1] == 'torch==2.9.1'
    assert other.READY.exists()


def test_pip_settings_become_variables_of_uv(tmp_path):
    variables = environment.uv_variables(
        "global.cert='/etc/ca.pem'\n"
        "global.index-url='https://example.org/a'\n"
        "install.index-url='https://example.org/b'\n"
        "global.extra-index-url='\\nfile:///c\\nfile:///d'\n"
        f":env:.find-links='{tmp_path} https://example.org/e /not/a/folder'\n"
        "global.find-links='/f'\n"
        "global.timeout='60'\n"
    )
    assert dict(variables) == {
        'SSL_CERT_FILE': '/etc/ca.pem',
        'UV_DEFAULT_INDEX': 'https://example.org/b',
        'UV_FIND_LINKS': f'{tmp_path},https://example.org/e',
        'UV_INDEX': 'file:///c file:///d',
        'UV_INDEX_STRATEGY': 'unsafe-best-match',
    }


def test_compilation_of_mmcv(tmp_path, monkeypatch, capsys):
    commands = []
    monkeypatch.setattr(environment, 'ROOT', tmp_path)
    monkeypatch.setattr(
        environment, 'run', lambda *args, **env: commands.append((args, env))
    )
    monkeypatch.setenv('MAX_JOBS', '2')
    (tmp_path / 'bin').mkdir()
    environment.compile_mmcv(
        'onedl-mmcv==2.3.6', tmp_path, {'CXX': 'echo -pipe'}
    )
    ((command, variables),) = commands
    assert 'onedl-mmcv==2.3.6' in command
    assert '-g0' in variables['CFLAGS'].split()
    assert '8 minutes' in capsys.readouterr().err
    called = subprocess.check_output(
        [variables['CXX'], '-std=c++17', '-DNAME="a b"', 'x.cpp'], text=True
    )
    assert called == '-pipe -std=c++20 -DNAME="a b" x.cpp\n'


class TestMissing:
    def test_compiler(self, start):
        process = start(CXX='no-such-compiler -O2')
        _, stderr = process.communicate(timeout=60)
        assert process.returncode
        assert 'CXX=no-such-compiler -O2 is not on the PATH' in stderr
        assert 'Traceback' not in stderr

    def test_headers(self, monkeypatch, tmp_path):
        monkeypatch.setattr(
            environment.sysconfig, 'get_path', lambda name: str(tmp_path)
        )
        with pytest.raises(SystemExit, match='python3-dev'):
            environment.find_compilers()

    def test_python(self, tmp_path):
        old = tmp_path / 'python3'
        old.write_text('#!/bin/sh\nexit 1\n')
        old.chmod(old.stat().st_mode | stat.S_IXUSR)
        done = subprocess.run(
            ['make', 'env', f'PYTHON3={old}'],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode
        assert 'Python 3.11 or later is needed' in done.stderr
