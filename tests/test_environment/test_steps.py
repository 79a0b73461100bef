"""The steps, with commands that a script answers."""

import json
import shlex
import tarfile
from pathlib import Path

import pytest

from environment import build_mmcv
from environment.layout import Layout
from environment.run_command import CommandError
from environment.setup_error import SetupError
from environment.steps import Builder, expected_versions, planned
from tests.test_environment.helpers import LOCK


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

    def test_no_memory_to_compile_in(self, tmp_path):
        builder = FakeBuilder(tmp_path, fails=['--only-binary'])

        def compiler(*command, **extra):
            if '-v' in command:
                killed = 'g++: fatal error: Killed signal terminated cc1plus\n'
                raise CommandError([killed], builder.layout.log)
            return FakeBuilder._run(builder, *command, **extra)

        builder._run = compiler
        with pytest.raises(SetupError) as caught:
            builder._mmcv()
        assert str(caught.value) == (
            'The compiler was killed, as the system does when memory runs '
            'out: run the same command again with MAX_JOBS=1 to go on with '
            'one file at a time.'
        )

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
