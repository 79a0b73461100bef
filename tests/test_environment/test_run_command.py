"""Logging, progress, interruption."""

import fcntl
import functools
import os
import signal
import subprocess
import sys
import time

import pytest

from environment.run_command import (
    CommandError,
    compile_progress,
    duration,
    reason,
    run,
)
from tests.test_environment.helpers import ROOT


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
            'import fcntl, pathlib, signal\n'
            'from environment import run_command\n'
            # a shell that starts the tests in the background ignores it
            'signal.signal(signal.SIGINT, signal.default_int_handler)\n'
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
