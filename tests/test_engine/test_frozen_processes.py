"""Frozen processes and workers end a run with a sentence that names them."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch.distributed import TCPStore
from torch.utils.data import DataLoader

from mmpose_occlusion.cli.run import run
from mmpose_occlusion.engine import launch

ROOT = Path(__file__).resolve().parents[2]


def start_rank(rank, port, work, monkeypatch, printed):
    child = os.fork()
    if child:
        return child
    monkeypatch.setenv('MASTER_ADDR', '127.0.0.1')
    monkeypatch.setenv('MASTER_PORT', str(port))
    monkeypatch.setattr(launch, 'get_dist_info', lambda: (rank, 2))
    sys.stderr = printed.open('w', buffering=1)
    watch = launch.RankWatch(timeout=2)
    work(watch)
    os._exit(0)


@pytest.mark.parametrize('freezes', [True, False])
def test_a_frozen_process(freezes, monkeypatch, tmp_path):
    """One that has finished is not taken for a frozen one."""
    server = TCPStore(
        '127.0.0.1', 0, is_master=True, timeout=timedelta(seconds=20)
    )

    def second(watch):
        if freezes:
            os.kill(os.getpid(), signal.SIGSTOP)
        watch.stop()

    def first(watch):
        watch._threads[1].join(10 if freezes else 4)
        watch.stop()

    printed = tmp_path / 'printed.txt'
    ranks = [
        start_rank(i, server.port, work, monkeypatch, printed)
        for i, work in ((1, second), (0, first))
    ]
    try:
        code = os.waitstatus_to_exitcode(os.waitpid(ranks[1], 0)[1])
    finally:
        os.kill(ranks[0], signal.SIGKILL)
        os.waitpid(ranks[0], 0)
    text = printed.read_text()
    assert code == int(freezes), text
    assert text.startswith(
        'error: process 1 of this run has not answered for 2 s'
        if freezes
        else ''
    )
    assert text.count('\n') == int(freezes)


class Freezing(torch.utils.data.Dataset):
    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> int:
        if index == 2:
            os.kill(os.getpid(), signal.SIGSTOP)
        return index


@pytest.mark.skipif(sys.platform != 'linux', reason='Linux alone')
def test_a_frozen_worker(capsys, monkeypatch):
    monkeypatch.setattr(launch, 'FROZEN', [])

    def work(options):
        launch.watch_workers(1)
        for _ in DataLoader(Freezing(), num_workers=1):
            pass

    assert run(work, SimpleNamespace(), mmpose=False) == 1
    error = capsys.readouterr().err
    assert error.startswith(
        f'error: worker process {launch.FROZEN[0]} was frozen and is ended'
    )
    assert error.count('\n') == 1


KILLED = """
import os, signal, sys
assert os.environ['WORLD_SIZE'] == '2'
assert {'MASTER_ADDR', 'MASTER_PORT'} <= set(os.environ)
if os.environ['RANK'] == '1':
    os.kill(os.getpid(), signal.SIGKILL)
signal.pause()
"""


@pytest.mark.slow
def test_a_killed_process_is_named(tmp_path):
    script = tmp_path / 'work.py'
    script.write_text(KILLED)
    argv = ['--standalone', '--nproc-per-node', '2', str(script)]
    done = subprocess.run(
        [sys.executable, str(ROOT / 'tools/_torchrun.py'), *argv],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert (
        'error: process 1 ended with exit status -9 (SIGKILL): run the same '
        'command again' in done.stderr
    )
