"""The demo's training in forked ranks, and its progress."""

import time
from types import SimpleNamespace

import mmengine.device.utils
import pytest
import torch

from mmpose_occlusion.cli.run import run
from mmpose_occlusion.errors import DataError


@pytest.fixture
def demo(tool, monkeypatch):
    """The demo's module, on the CPU, with MMPose imported."""
    assert run(lambda options: None, SimpleNamespace()) == 0
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    monkeypatch.setattr(mmengine.device.utils, 'DEVICE', 'cpu')
    return tool('demo')


def test_two_ranks_train(demo, config, tmp_path, capfd):
    (tmp_path / 'config.py').write_text(f'_base_ = [{config!r}]')
    log = tmp_path / 'output.log'
    with demo.Progress('training', log) as progress:
        demo.train_model(tmp_path, progress)
    assert (tmp_path / 'training/epoch_1.pth').exists()
    assert 'Distributed launcher: pytorch' in log.read_text()
    printed = capfd.readouterr().out.splitlines()
    assert printed[0] == 'training'
    assert '100%' in printed[-1]


def test_an_error_of_a_rank_is_the_demos(demo, config, tmp_path):
    text = "train_dataloader = dict(dataset=dict(data_root='nowhere'))"
    (tmp_path / 'config.py').write_text(f'_base_ = [{config!r}]\n{text}')
    with (
        demo.Progress('training', tmp_path / 'output.log') as progress,
        pytest.raises(DataError, match=r'the training failed: .*nowhere'),
    ):
        demo.train_model(tmp_path, progress)


def test_the_end_of_a_resumed_training(demo, tmp_path, monkeypatch, capsys):
    """It begins at .55 after 100 s; 30 s later .65 are done."""
    now = [0.0]
    clock = SimpleNamespace(**vars(time))
    clock.monotonic = lambda: now[0]
    monkeypatch.setattr(demo, 'time', clock)
    with demo.Progress('training', tmp_path / 'log', 10) as progress:
        for now[0], epoch in ((100, 6), (130, 7)):
            progress.write(f'Epoch(train)  [{epoch}][ 5/10]')
    _, first, second, last = capsys.readouterr().out.splitlines()
    assert first.endswith(' 55%')
    assert ' 65%, 105 s left, until ' in second
    assert last.endswith('100%, 130 s')
