"""The commands that people type. Nothing is built."""

import fcntl
import os
import subprocess

from environment.layout import layout
from tests.test_environment.helpers import ROOT, RUN, complete, shell


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
