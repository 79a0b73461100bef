"""tools/convert_checkpoint.py"""

import importlib
import sys

import numpy as np
import pytest
import torch

from .conftest import ROOT
from .mmpose_side import assert_same_answer


@pytest.fixture(scope='module')
def tool():
    sys.path.insert(0, str(ROOT / 'tools'))
    yield importlib.import_module('convert_checkpoint')
    sys.path.remove(str(ROOT / 'tools'))


def test_from_file_to_file(tool, write, tmp_path, resnet, hrnet, capsys):
    source = write(
        {
            'epoch': 210,
            'model': 'pose_resnet',
            'state_dict': {
                f'module.{k}': v for k, v in resnet.state_dict().items()
            },
            'best_state_dict': hrnet.state_dict(),
            'perf': np.float64(0.9),
        },
        'pose.pth',
    )
    best, last = tmp_path / 'best.pth', tmp_path / 'last.pth'

    assert tool.main([str(source), str(best)]) == 0
    assert (
        'pose.pth (best_state_dict, epoch 210, perf 0.9): HRNet-w4 with '
        in (capsys.readouterr().out)
    )
    assert tool.main([str(source), str(last), '--weights', 'last']) == 0
    printed = capsys.readouterr().out

    assert_same_answer(torch.load(best, weights_only=True), hrnet)
    assert_same_answer(torch.load(last, weights_only=True), resnet)
    assert printed.startswith(
        'pose.pth (state_dict, epoch 210, perf 0.9): ResNet-18 with 17 joints'
    )
    assert f' {last} --gt-boxes ' in printed


def test_mistakes_are_one_sentence(tool, write, tmp_path, resnet, capsys):
    source = write(resnet.state_dict())
    target = tmp_path / 'out.pth'
    target.write_text('mine')

    assert tool.main([str(source), str(target)]) == 2
    assert capsys.readouterr().err == (
        f'error: checkpoint "{target}" exists: add --force to replace it, or '
        'choose another name\n'
    )
    assert tool.main([str(target), str(tmp_path / 'b.pth')]) == 2
    assert capsys.readouterr().err.startswith(
        f'error: checkpoint "{target}" is no file of torch.save'
    )
    assert not (tmp_path / 'b.pth').exists()

    assert tool.main([str(source), str(target), '--force']) == 0
    assert_same_answer(torch.load(target, weights_only=True), resnet)


def test_it_never_trusts(tool, write, tmp_path, capsys):
    marker = tmp_path / 'marker'

    class Evil:
        def __reduce__(self):
            return exec, (f'open({str(marker)!r}, "w").close()',)

    source = write({'state_dict': {'conv1.weight': Evil()}})

    assert tool.main([str(source), str(tmp_path / 'out.pth')]) == 2
    assert 'could run code' in capsys.readouterr().err
    assert not marker.exists()
