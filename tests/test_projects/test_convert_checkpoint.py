"""The command that converts a checkpoint."""

import numpy as np
import torch
from convert_checkpoint import main

from tests.test_checkpoints.mmpose_side import assert_same_answer


def test_from_file_to_file(write, tmp_path, resnet, hrnet, capsys):
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
    target = tmp_path / 'new' / 'best.pth'

    assert main([str(source), str(target)]) == 0

    printed = capsys.readouterr().out
    assert printed.startswith('pose.pth (best_state_dict): HRNet-w4 with ')
    assert f' {target} --gt-boxes ' in printed
    assert_same_answer(torch.load(target, weights_only=True), hrnet)


def test_mistakes_are_one_sentence(write, tmp_path, resnet, capsys):
    source = write(resnet.state_dict())
    target = tmp_path / 'out.pth'
    target.write_text('mine')

    assert main([str(source), str(target)]) == 2
    assert capsys.readouterr().err == (
        f'error: checkpoint "{target}" exists: add --force to replace it, or '
        'choose another name\n'
    )
    assert main([str(target), str(tmp_path / 'b.pth')]) == 2
    assert capsys.readouterr().err.startswith(
        f'error: checkpoint "{target}" is no file of torch.save'
    )
    assert not (tmp_path / 'b.pth').exists()

    assert main([str(source), str(target), '--force']) == 0
    assert_same_answer(torch.load(target, weights_only=True), resnet)


def test_it_never_trusts(write, tmp_path, capsys):
    marker = tmp_path / 'marker'

    class Evil:
        def __reduce__(self):
            return exec, (f'open({str(marker)!r}, "w").close()',)

    source = write({'state_dict': {'conv1.weight': Evil()}})

    assert main([str(source), str(tmp_path / 'out.pth')]) == 2
    assert 'could run code' in capsys.readouterr().err
    assert not marker.exists()
