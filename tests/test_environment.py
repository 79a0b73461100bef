"""``make env``: its lock, its preconditions, its steps. Nothing is built."""

import fcntl
import functools
import http.server
import importlib.metadata
import json
import os
import shlex
import signal
import stat
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from environment import build_mmcv, preconditions
from environment.layout import Layout, cache_folder, environment_key, layout
from environment.lock import SECTIONS, normalise, read_lock, version_of
from environment.pip import live_links, pip_environment
from environment.run_command import (
    CommandError,
    compile_progress,
    duration,
    reason,
    run,
)
from environment.setup_error import SetupError
from environment.steps import Builder, expected_versions, planned
from mmpose_occlusion import __version__

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / 'requirements.lock'
RUN = ['/bin/sh', str(ROOT / 'environment' / 'run.sh')]


def shell(command, tmp_path, **variables):
    """Run a command with an empty cache and the variables given."""
    environ = {
        'PATH': os.environ['PATH'],
        'HOME': str(tmp_path),
        'XDG_CACHE_HOME': str(tmp_path / 'cache'),
        **variables,
    }
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def complete(folders):
    """Mark an environment as built."""
    folders.steps.mkdir(parents=True)
    (folders.steps / 'all').touch()
    folders.python.parent.mkdir()
    folders.python.touch()


class TestLock:
    def test_every_line_is_exact(self):
        """Also that none is named twice, which read_lock refuses."""
        sections = read_lock(LOCK)
        assert set(sections) == set(SECTIONS)
        assert sum(map(len, sections.values())) > 90

    def test_what_it_must_and_must_not_have(self):
        lines = {
            name: line
            for section in read_lock(LOCK).values()
            for name, line in section.items()
        }
        assert version_of(lines['numpy']).startswith('2.')
        assert {'torch', 'torchvision', 'mmpose', 'onedl-mmcv'} <= set(lines)
        assert {'pytest', 'hypothesis', 'ruff', 'mypy'} <= set(lines)
        assert not {'chumpy', 'opencv-python', 'mmcv', 'mmengine'} & set(lines)
        assert int(version_of(lines['setuptools']).split('.')[0]) < 81

    @pytest.mark.parametrize(
        ('text', 'message'),
        [
            ('# [tools]\nnumpy>=2\n', "line 2: 'numpy>=2' must read NAME=="),
            ('numpy==2.0\n', "line 1: 'numpy==2.0' must read"),
            ('# [tools]\nA.b==1\na-B==2\n', 'line 3: a-b is named twice'),
            ('# [gpu]\n', "line 1: unknown section 'gpu', one of tools, "),
            ('# [tools]\n# [torch]\n', "has no section 'packages'"),
        ],
    )
    def test_what_is_wrong_is_told(self, tmp_path, text, message):
        path = tmp_path / 'x.lock'
        path.write_text(text)
        with pytest.raises(ValueError, match=r'^x\.lock') as caught:
            read_lock(path)
        assert message in str(caught.value)

    def test_marked_lines_are_read(self, tmp_path):
        path = tmp_path / 'x.lock'
        path.write_text(
            "# [tools] first\nA_b==1.0+c ; platform_system == 'Linux'\n"
            '# [torch]\n# [packages]\n# [source]\n'
        )
        line = read_lock(path)['tools']['a-b']
        assert version_of(line) == '1.0+c'


in_the_environment = pytest.mark.skipif(
    not Path(sys.prefix).name.startswith('env-'),
    reason='this Python is not that of `make env`',
)


@in_the_environment
class TestInstalled:
    """The lock against the environment that the tests run in."""

    locked = {
        name: version_of(line)
        for section in read_lock(LOCK).values()
        for name, line in section.items()
    }

    def test_the_lock_lists_all_that_is_installed(self):
        found = {
            normalise(dist.metadata['Name']): dist.version
            for dist in importlib.metadata.distributions()
        }
        if os.environ.get('TORCH') or os.environ.get('TORCH_INDEX'):
            pytest.skip('with another torch the lock is not all')
        assert found == self.locked

    def test_only_known_requirements_are_unmet(self):
        unmet = set()
        for name in self.locked:
            for text in importlib.metadata.requires(name) or ():
                wanted = Requirement(text)
                if wanted.marker and not wanted.marker.evaluate({'extra': ''}):
                    continue
                have = self.locked.get(normalise(wanted.name))
                if have is None or have not in wanted.specifier:
                    unmet.add((name, normalise(wanted.name)))
        assert unmet == {
            ('mmpose', 'chumpy'),
            ('mmpose', 'opencv-python'),
            ('onedl-mmcv', 'opencv-python'),
            ('imaug', 'opencv-python'),
            ('imaug', 'opencv-python-headless'),
            ('imaug', 'imagecorruptions-imaug'),
        }


class TestLayout:
    def test_the_cache_is_outside_the_checkout(self, tmp_path):
        folder = cache_folder({'XDG_CACHE_HOME': str(tmp_path)})
        assert folder == tmp_path / 'mmpose_occlusion'
        assert cache_folder({}) == Path.home() / '.cache' / 'mmpose_occlusion'

    def test_what_the_key_depends_on(self):
        keys = [
            environment_key('a==1', {}),
            environment_key('a==2', {}),
            environment_key('a==1', {'TORCH': 'torch==2.9.1'}),
            environment_key('a==1', {'TORCH_INDEX': 'https://x'}),
            environment_key('a==1', {'FORCE_CUDA': '1'}),
        ]
        assert len(set(keys)) == len(keys)
        assert environment_key('a==1', {'TORCH': '', 'HOME': 'x'}) == keys[0]

    def test_complete_needs_the_interpreter(self, tmp_path):
        folders = Layout(tmp_path, 'k')
        assert not folders.complete
        complete(folders)
        assert folders.complete
        folders.python.unlink()
        folders.python.symlink_to(tmp_path / 'gone')
        assert not folders.complete


class TestPreconditions:
    def test_no_python(self, tmp_path):
        fake = tmp_path / 'bin' / 'python3'
        fake.parent.mkdir()
        fake.write_text('#!/bin/sh\nexit 1\n')
        fake.chmod(0o755)
        done = shell([*RUN, 'build'], tmp_path, PATH=str(fake.parent))
        assert done.returncode == 1
        assert done.stderr == (
            'Python 3.11 or later is needed and none of these is one: python3 '
            'python3.11 python3.12 python3.13 python3.14; install it '
            '(Debian/Ubuntu: apt-get install python3 python3-venv '
            'python3-dev) or name one with PYTHON3=/path/to/python.\n'
        )

    def test_a_python_that_is_named_is_the_only_one_tried(self, tmp_path):
        done = shell([*RUN, 'build'], tmp_path, PYTHON3='/no/python')
        assert done.returncode == 1
        assert 'none of these is one: /no/python; install' in done.stderr

    def test_a_later_python_is_found(self, tmp_path):
        """Where python3 is too old and python3.12 is there."""
        for name, target in (('python3', 'false'), ('python3.12', 'true')):
            script = tmp_path / name
            script.write_text(f'#!/bin/sh\n/bin/{target}\n')
            script.chmod(0o755)
        done = shell([*RUN, 'python'], tmp_path, PATH=str(tmp_path))
        assert (done.returncode, done.stderr) == (0, '')

    def test_no_compiler(self, tmp_path):
        path = tmp_path / 'bin'
        path.mkdir()
        (path / 'python3').symlink_to(sys.executable)
        done = shell([*RUN, 'build'], tmp_path, PATH=str(path))
        assert done.returncode == 1
        assert done.stderr == (
            'A C++ compiler is needed and CC (cc or gcc or clang) is not on '
            'the PATH: install one (Debian/Ubuntu: apt-get install g++).\n'
        )

    def test_a_compiler_that_is_not_there(self, tmp_path):
        done = shell([*RUN, 'build'], tmp_path, CXX='no-such-compiler -O2')
        assert done.returncode == 1
        assert done.stderr == (
            'A C++ compiler is needed and CXX (no-such-compiler -O2) is not '
            'on the PATH: install one (Debian/Ubuntu: apt-get install g++).\n'
        )

    def test_a_compiler_with_arguments(self, tmp_path):
        for name in ('ccache', 'c++'):
            (tmp_path / name).write_text('#!/bin/sh\n')
            (tmp_path / name).chmod(0o755)
        asked = f'{tmp_path}/ccache g++ -m64'
        assert preconditions.find_compiler(asked, ()) == asked

    def test_no_cache_folder(self, tmp_path):
        (tmp_path / 'cache').touch()
        done = shell([*RUN, 'python'], tmp_path)
        assert done.returncode == 1
        assert done.stdout == ''
        assert done.stderr == (
            f'The cache folder {tmp_path}/cache/mmpose_occlusion cannot be '
            'written (Not a directory): name another with XDG_CACHE_HOME.\n'
        )

    def test_a_blank_in_the_cache_folder(self, tmp_path):
        problem = preconditions.cache_problem(tmp_path / 'my cache', 0)
        assert problem == (
            f'The cache folder {tmp_path}/my cache has a blank in its name, '
            'which compilers trip over: name another with XDG_CACHE_HOME.'
        )

    def test_no_disk(self, tmp_path):
        problem = preconditions.cache_problem(tmp_path, 10**18)
        start = f'The environment needs 1000000000 GB and {tmp_path} has '
        assert problem.startswith(start)
        assert problem.endswith(
            ' GB free: make room, or name a folder on another disk with '
            'XDG_CACHE_HOME.'
        )
        assert preconditions.cache_problem(tmp_path, 1) is None

    @pytest.mark.parametrize('missing', ['venv', 'ensurepip'])
    def test_no_venv(self, missing, tmp_path):
        (tmp_path / 'Python.h').touch()
        problems = preconditions.python_problems(
            lambda name: name != missing, tmp_path
        )
        assert list(problems) == [
            "This Python comes without 'venv' and 'ensurepip', which build "
            'the environment: install them (Debian/Ubuntu: apt-get install '
            'python3-venv).'
        ]

    def test_no_headers(self, tmp_path):
        problems = preconditions.python_problems(headers=tmp_path)
        assert list(problems) == [
            f"Python's headers are needed to compile mmcv and {tmp_path} has "
            'no Python.h: install them (Debian/Ubuntu: apt-get install '
            'python3-dev).'
        ]


class TestCommands:
    def test_make_prints_the_interpreter_alone(self, tmp_path):
        folders = layout(ROOT, {'XDG_CACHE_HOME': str(tmp_path / 'cache')})
        complete(folders)
        done = shell(['make', '-s', 'print-python'], tmp_path)
        assert (done.returncode, done.stderr) == (0, '')
        assert done.stdout == f'{folders.python}\n'

    def test_another_torch_is_another_environment(self, tmp_path):
        variables = {
            'XDG_CACHE_HOME': str(tmp_path / 'cache'),
            'TORCH': 'torch==2.9.1 torchvision==0.24.1',
        }
        folders = layout(ROOT, variables)
        complete(folders)
        done = shell(
            ['make', '-s', 'print-python', f'TORCH={variables["TORCH"]}'],
            tmp_path,
        )
        assert done.stdout == f'{folders.python}\n'

    def test_a_finished_environment_is_left_alone(self, tmp_path):
        folders = layout(ROOT, {'XDG_CACHE_HOME': str(tmp_path / 'cache')})
        complete(folders)
        done = shell(['make', '-s', 'env'], tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, '', '')
        assert sorted(p.name for p in folders.cache.iterdir()) == [
            folders.root.name
        ]

    def test_one_at_a_time(self, tmp_path):
        """The second waits, and finds that the first has built it."""
        cache = tmp_path / 'cache'
        folders = layout(ROOT, {'XDG_CACHE_HOME': str(cache)})
        folders.cache.mkdir(parents=True)
        with folders.lock.open('w') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            second = subprocess.Popen(
                [*RUN, 'python'],
                env={**os.environ, 'XDG_CACHE_HOME': str(cache)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            assert second.stderr.readline() == (
                f'Another set-up is at work in {folders.cache}: waiting for '
                'it.\n'
            )
            complete(folders)
        out, err = second.communicate(timeout=30)
        assert (out, err) == (f'{folders.python}\n', '')


class TestRun:
    def test_output_is_returned_and_logged(self, tmp_path):
        log = tmp_path / 'log'
        lines = run(['/bin/echo', 'a\nb'], log=log, env={})
        assert lines == ['a\n', 'b\n']
        assert log.read_text() == '\n$ /bin/echo a\nb\na\nb\n'

    def test_a_failure_names_its_reason_and_the_log(self, tmp_path):
        log = tmp_path / 'log'
        script = 'echo fine; echo ERROR: no such thing; echo bye; exit 3'
        with pytest.raises(CommandError) as caught:
            run(['/bin/sh', '-c', script], log=log, env={})
        assert str(caught.value) == (
            f'It stopped with "ERROR: no such thing": see the end of {log}, '
            'and run the same command again to go on from there.'
        )

    def test_an_interruption_ends_all_processes(self, tmp_path):
        """All of them hold the lock: free, it tells that they have ended."""
        program = (
            'import fcntl, sys, pathlib\n'
            'from environment import run_command\n'
            'lock = open("lock", "w")\n'
            'fcntl.flock(lock, fcntl.LOCK_EX)\n'
            'run_command.run(["/bin/sh", "-c", '
            '"sleep 600 & echo > started; wait"], '
            'log=pathlib.Path("log"), env={}, keep=lock.fileno())\n'
        )
        process = subprocess.Popen(
            [sys.executable, '-c', program],
            cwd=tmp_path,
            env={**os.environ, 'PYTHONPATH': str(ROOT)},
            stderr=subprocess.PIPE,
        )
        wait_until((tmp_path / 'started').exists)
        with (tmp_path / 'lock').open('w') as lock:
            assert not is_free(lock)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
            wait_until(functools.partial(is_free, lock))

    @pytest.mark.parametrize(
        ('lines', 'best'),
        [
            (['a\n', 'ERROR: b\n', 'c\n'], 'ERROR: b'),
            (['Traceback\n', 'AssertionError: x\n'], 'AssertionError: x'),
            (['x.cpp:1:2: error: y\n', '1 warning\n'], 'x.cpp:1:2: error: y'),
            (['a\n', 'killed\n'], 'killed'),
            ([], 'no output'),
        ],
    )
    def test_reason(self, lines, best):
        assert reason(lines) == best

    @pytest.mark.parametrize(
        ('seconds', 'text'),
        [
            (0.4, '0 s'),
            (59.4, '59 s'),
            (59.6, '1 min 00 s'),
            (200, '3 min 20 s'),
        ],
    )
    def test_duration(self, seconds, text):
        assert duration(seconds) == text

    def test_compile_progress(self):
        assert compile_progress(1, 78, (1, 5.0), 5.0) == (
            '1 of 78 files compiled'
        )
        assert compile_progress(11, 78, (1, 5.0), 65.0) == (
            '11 of 78 files compiled, about 6 min 42 s left'
        )


def wait_until(happened, seconds=20):
    """Wait for what another process does."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, 'it did not happen'
        time.sleep(0.02)


def is_free(lock):
    """Whether no process holds a lock; if so, this one does now."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class TestPip:
    def test_constraints_and_targets_do_not_reach_pip(self, tmp_path):
        """Nor do those of a configuration file, which are a default."""
        constraint = tmp_path / 'constraint.txt'
        constraint.write_text('numpy<1\n')
        config = tmp_path / 'pip.conf'
        config.write_text(f'[global]\nconstraint = {constraint}\n')
        environ = {
            **os.environ,
            'PIP_CONFIG_FILE': str(config),
            'PIP_CONSTRAINT': str(constraint),
            'PIP_TARGET': str(tmp_path / 'elsewhere'),
            'PIP_USER': '1',
            'PYTHONPATH': str(tmp_path),
        }
        wheels = tmp_path / 'wheels'
        wheels.mkdir()
        command = [
            *(sys.executable, '-m', 'pip', 'download', '--no-index'),
            *('--no-deps', '--find-links', str(wheels), 'numpy==2.4.6'),
        ]
        run_pip = functools.partial(
            subprocess.run, command, capture_output=True, text=True, cwd=wheels
        )
        refused = run_pip(env=environ)
        assert 'conflicting dependencies' in refused.stderr
        env = pip_environment(environ, str(tmp_path))
        assert 'No matching distribution' in run_pip(env=env).stderr
        assert not {'PIP_TARGET', 'PYTHONPATH'} & set(env)
        assert env['PIP_USER'] == '0'
        assert env['TMPDIR'] == str(tmp_path)

    def test_indexes_and_certificates_do(self):
        kept = {
            'PIP_INDEX_URL': 'https://mirror.example/simple',
            'PIP_CERT': '/etc/ca.pem',
            'PIP_FIND_LINKS': '/wheels',
            'HTTPS_PROXY': 'http://proxy.example',
        }
        assert kept.items() <= pip_environment(kept, '/tmp').items()

    def test_pages_that_do_not_answer_are_left_out(self):
        """A server that answers with an error is there."""
        server = http.server.HTTPServer(
            ('127.0.0.1', 0), http.server.BaseHTTPRequestHandler
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        live = f'http://127.0.0.1:{server.server_port}/wheels'
        closed = http.server.HTTPServer(
            ('127.0.0.1', 0), http.server.BaseHTTPRequestHandler
        )
        closed.server_close()
        dead = f'http://127.0.0.1:{closed.server_port}/wheels'
        try:
            links, left_out = live_links(f'/a/b {dead}\n{live} file:///c')
        finally:
            server.shutdown()
            server.server_close()
        assert links == f'/a/b {live} file:///c'
        assert left_out == [dead]


class TestMmcv:
    @pytest.mark.parametrize(
        ('torch', 'cuda', 'page'),
        [
            (
                '2.14.1+cu130',
                '13.0',
                'https://mmwheels.onedl.ai/cu130-torch2140/simple/onedl-mmcv/'
                'index.html',
            ),
            (
                '2.9.1+cpu',
                None,
                'https://mmwheels.onedl.ai/cpu-torch290/simple/onedl-mmcv/'
                'index.html',
            ),
        ],
    )
    def test_wheel_page(self, torch, cuda, page):
        assert build_mmcv.wheel_page(torch, cuda, {}) == page
        mirror = {'MMCV_BASE_URL': 'https://mirror.example'}
        assert build_mmcv.wheel_page(torch, cuda, mirror).startswith(
            'https://mirror.example/c'
        )

    def test_the_compiler_is_told_another_standard(self, tmp_path):
        echo = tmp_path / 'echo'
        echo.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
        echo.chmod(0o755)
        variables = build_mmcv.build_variables(
            tmp_path / 'x',
            {'CC': '/bin/cc', 'CXX': f'{echo} -m64'},
            {},
            4,
            8e9,
        )
        done = subprocess.run(
            [variables['CXX'], '-O2', '-std=c++17', 'a b', '-std=c++14'],
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == '-m64|-O2|-std=c++20|a b|-std=c++14|'

    def test_variables(self, tmp_path):
        compilers = {'CC': 'cc', 'CXX': 'c++'}
        build = functools.partial(
            build_mmcv.build_variables, tmp_path, compilers
        )
        variables = build({}, 8, 6e9)
        assert variables['MAX_JOBS'] == '4'
        assert variables['CFLAGS'] == '-O2 -DNDEBUG -g0'
        assert variables['CUDA_VISIBLE_DEVICES'] == ''
        assert build({}, 2, 64e9)['MAX_JOBS'] == '2'
        assert build({}, 2, 1e9)['MAX_JOBS'] == '1'
        asked = build(
            {'MAX_JOBS': '3', 'CFLAGS': '-O3', 'FORCE_CUDA': '1'}, 8, 64e9
        )
        assert asked['MAX_JOBS'] == '3'
        assert asked['CFLAGS'] == '-O2 -DNDEBUG -g0 -O3'
        assert 'CUDA_VISIBLE_DEVICES' not in asked

    def test_unpacking_keeps_what_has_been_compiled(self, tmp_path):
        source = tmp_path / 'onedl_mmcv-1.0'
        source.mkdir()
        (source / 'setup.py').write_text('1')
        archive = tmp_path / 'onedl_mmcv-1.0.tar.gz'
        with tarfile.open(archive, 'w:gz') as tar:
            tar.add(source, source.name)
        folder = tmp_path / 'build'
        (folder / 'unpacking').mkdir(parents=True)  # of an interrupted run
        tree = build_mmcv.unpack(archive, folder)
        assert (tree / 'setup.py').read_text() == '1'
        (tree / 'compiled.o').touch()
        assert build_mmcv.unpack(archive, folder) == tree
        assert (tree / 'compiled.o').exists()

    def test_the_smoke_test_passes_here(self):
        exec(build_mmcv.SMOKE_TEST, {})


class FakeBuilder(Builder):
    """Answers commands from a script and keeps a record of them."""

    def __init__(self, tmp_path, fails=(), environ=()):
        folders = Layout(tmp_path, 'py311-abc')
        super().__init__(folders, LOCK, dict(environ), keep=-1)
        self.compilers = {'CC': '/bin/cc', 'CXX': '/bin/c++'}
        self.fails = fails
        self.commands = []
        folders.temporary.mkdir()
        (folders.root / 'lib' / 'python3.11' / 'site-packages').mkdir(
            parents=True
        )

    def _run(self, *command, **extra):
        text = shlex.join(command)
        if build_mmcv.DESCRIBE_TORCH in command:
            return ['2.14.1+cu130 13.0\n']
        self.commands.append(text)
        if any(part in text for part in self.fails):
            raise CommandError(['ERROR: no\n'], self.layout.log)
        if '--no-binary :all:' in text:
            folder = command[command.index('--dest') + 1]
            name = 'onedl_mmcv-2.3.6'
            tree = Path(folder) / name
            tree.mkdir()
            with tarfile.open(f'{tree}.tar.gz', 'w:gz') as tar:
                tar.add(tree, name)
        if '--report' in command:
            plan = Path(command[command.index('--report') + 1])
            plan.write_text(REPORT)
        return []

    def has(self, *parts):
        """Whether one command has all of these parts."""
        return any(all(p in text for p in parts) for text in self.commands)


REPORT = json.dumps(
    {
        'install': [
            {'metadata': {'name': 'torch', 'version': '2.9.1+cpu'}},
            {'metadata': {'name': 'Triton', 'version': '3.5'}},
        ]
    }
)


class TestSteps:
    def test_the_first_download_is_the_test_of_the_network(self, tmp_path):
        builder = FakeBuilder(tmp_path, fails=['pip install'])
        with pytest.raises(SetupError) as caught:
            builder._venv()
        assert str(caught.value) == (
            'The first packages could not be downloaded ("ERROR: no"): '
            'connect this machine to the network, or let PIP_INDEX_URL name '
            'a mirror or PIP_FIND_LINKS a folder of wheels; '
            f'{builder.layout.log} says more.'
        )

    def test_steps_that_have_finished_are_not_done_again(
        self, tmp_path, capfd
    ):
        builder = FakeBuilder(tmp_path)
        done = []
        builder._venv = lambda: done.append('venv')
        builder._packages = lambda: done.append('packages')
        builder._torch = lambda: done.append('torch')
        builder._mmcv = lambda: done.append('mmcv')
        builder._check = lambda: done.append('check')
        builder._source = fail
        with pytest.raises(CommandError):
            builder._do_steps()
        assert done == ['venv', 'packages', 'torch']
        assert not builder.layout.complete
        builder._source = lambda: done.append('source')
        builder._do_steps()
        assert done == ['venv', 'packages', 'torch', 'source', 'mmcv', 'check']
        builder.layout.python.parent.mkdir()
        builder.layout.python.touch()
        assert builder.layout.complete
        assert '[3/6] torch and torchvision, 2 to 10 min: done before' in (
            capfd.readouterr().err
        )

    def test_the_locked_torch(self, tmp_path):
        builder = FakeBuilder(tmp_path)
        builder._torch()
        (text,) = builder.commands
        assert '--no-deps --ignore-installed' in text
        assert '--index-url' not in text
        assert not builder.has('--report')

    def test_another_torch_is_pinned_before_it_is_installed(self, tmp_path):
        asked = {
            'TORCH': 'torch==2.9.1 torchvision',
            'TORCH_INDEX': 'https://i',
        }
        builder = FakeBuilder(tmp_path, environ=asked.items())
        builder._torch()
        plan, install = builder.commands
        assert plan.endswith('--index-url https://i torch==2.9.1 torchvision')
        assert install.endswith('--index-url https://i')
        requirements = shlex.split(install)[
            shlex.split(install).index('-r') + 1
        ]
        assert (
            Path(requirements).read_text() == 'Triton==3.5\ntorch==2.9.1+cpu\n'
        )
        assert planned(REPORT) == ['Triton==3.5', 'torch==2.9.1+cpu']

    def test_what_is_checked_in_the_end(self):
        sections = {
            'tools': {'a': 'A==1'},
            'torch': {'torch': 'torch==2', 'n': 'n==3 ; sys_platform == "x"'},
            'packages': {},
            'source': {},
        }
        locked = expected_versions(sections, other_torch=False)
        assert json.loads(locked) == {'a': '1', 'torch': '2'}
        other = expected_versions(sections, other_torch=True)
        assert json.loads(other) == {'a': '1'}

    def test_a_wheel_that_pip_finds_is_taken(self, tmp_path, capfd):
        builder = FakeBuilder(tmp_path)
        builder._mmcv()
        assert builder.has('--only-binary :all:', '--timeout 5 --retries 0')
        assert not builder.has('pip wheel')
        assert 'prebuilt wheel: found by pip' in capfd.readouterr().err

    def test_then_the_project_s_own_page(self, tmp_path, capfd):
        builder = FakeBuilder(tmp_path)
        first = []

        def download(*command, **extra):
            if '--only-binary' in command and '--no-index' not in command:
                first.append(command)
                raise CommandError(['ERROR: none\n'], builder.layout.log)
            builder.commands.append(shlex.join(command))
            return []

        builder._pip = download
        builder._mmcv()
        assert len(first) == 1
        assert builder.has('--find-links https://mmwheels.onedl.ai/cu130-')
        assert not builder.has('wheel -v')

    def test_then_it_is_compiled_and_the_wheel_kept(self, tmp_path, capfd):
        builder = FakeBuilder(tmp_path, fails=['--only-binary'])
        builder._mmcv()
        wheels = tmp_path / 'wheels' / 'py311-torch2.14.1+cu130'
        assert builder.has('pip wheel -v', f'--wheel-dir {wheels}')
        assert builder.has('--ignore-installed', f'--find-links {wheels}')
        assert not (tmp_path / 'build' / wheels.name).exists()
        assert 'compiling it, ' in capfd.readouterr().err

    def test_and_not_compiled_again(self, tmp_path, capfd):
        wheels = tmp_path / 'wheels' / 'py311-torch2.14.1+cu130'
        wheels.mkdir(parents=True)
        (wheels / 'onedl_mmcv-2.3.6-cp311-cp311-linux_x86_64.whl').touch()
        builder = FakeBuilder(tmp_path, fails=['--retries 0'])
        builder._mmcv()
        assert not builder.has('pip wheel')
        assert 'prebuilt wheel: compiled before' in capfd.readouterr().err

    def test_a_wheel_of_another_torch_is_noticed(self, tmp_path, capfd):
        builder = FakeBuilder(tmp_path)
        smoke = shlex.quote(build_mmcv.SMOKE_TEST)
        wheel_seen = []

        def run(*command, **extra):
            text = shlex.join(command)
            wheel_seen.extend(['built'] if ' wheel -v' in text else [])
            if smoke in text and not wheel_seen:
                raise CommandError(
                    ['ImportError: undefined symbol: _ZN2at\n'],
                    builder.layout.log,
                )
            return FakeBuilder._run(builder, *command, **extra)

        builder._run = run
        builder._mmcv()
        assert wheel_seen == ['built']
        assert (
            'a wheel (found by pip) does not fit this torch: ImportError: '
            'undefined symbol: _ZN2at' in capfd.readouterr().err
        )


def fail():
    """A step that fails."""
    raise CommandError(['ERROR: no\n'], Path('log'))


class TestFiles:
    def test_the_version_is_the_same_everywhere(self):
        citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text())
        assert citation['version'] == __version__
        assert citation['license'] == 'Apache-2.0'

    def test_ci_is_a_script(self):
        script = ROOT / '.ci' / 'run'
        assert script.stat().st_mode & stat.S_IXUSR
        done = subprocess.run(['bash', '-n', script], check=False)
        assert done.returncode == 0

    @pytest.mark.parametrize('hook', ['ruff', 'ruff-format', 'mypy'])
    def test_hooks_are_local(self, hook):
        config = yaml.safe_load((ROOT / '.pre-commit-config.yaml').read_text())
        (repo,) = config['repos']
        assert repo['repo'] == 'local'
        assert hook in {entry['id'] for entry in repo['hooks']}

    def test_make_explains_itself(self):
        done = subprocess.run(
            ['make', '-s'],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        targets = [line.split(':')[0] for line in done.stdout.splitlines()]
        assert {'make demo', 'make test', 'make env'} <= set(targets)
