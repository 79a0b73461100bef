"""What is missing is told in one sentence."""

import sys

import pytest

from environment import preconditions
from tests.test_environment.helpers import RUN, shell


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
