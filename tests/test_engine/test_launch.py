"""The start of runs, as far as one process can tell."""

import pytest
import torch
from mmengine.config import Config

from mmpose_occlusion.engine import launch
from mmpose_occlusion.errors import UsageError


def test_one_process():
    cfg = Config({'model': {}})
    launch.prepare_launch(cfg, 'none')
    assert cfg.to_dict() == {'model': {}, 'launcher': 'none'}


def test_one_process_of_a_group(monkeypatch):
    """A group of one, joined over gloo on the CPU."""
    monkeypatch.setattr(launch, 'get_device', lambda: 'cpu')
    monkeypatch.setenv('RANK', '0')
    monkeypatch.setenv('WORLD_SIZE', '1')
    monkeypatch.setenv('LOCAL_RANK', '0')
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    monkeypatch.setenv('MASTER_ADDR', '127.0.0.1')
    monkeypatch.setenv('MASTER_PORT', '0')
    norm = {'type': 'SyncBN', 'requires_grad': True}
    cfg = Config(
        {
            'model': {'a': {'norm_cfg': norm}, 'b': [{'norm_cfg': norm}]},
            'find_unused_parameters': True,
            'env_cfg': {'dist_cfg': {'backend': 'nccl', 'timeout': 60}},
        }
    )
    try:
        launch.prepare_launch(cfg, 'pytorch')
        assert torch.distributed.get_backend() == 'gloo'
    finally:
        torch.distributed.destroy_process_group()
    assert not torch.distributed.is_initialized()
    assert cfg.model_wrapper_cfg == {
        'type': 'MMDistributedDataParallel',
        'broadcast_buffers': False,
        'find_unused_parameters': True,
        'device_ids': None,
    }
    assert cfg.model.a.norm_cfg == {'type': 'BN', 'requires_grad': True}
    assert cfg.model.b[0].norm_cfg.type == 'BN'


@pytest.mark.parametrize('launcher', ['pytorch', 'slurm', 'mpi'])
def test_launcher_without_its_variables(launcher, monkeypatch):
    for name in launch._RANK_OF[launcher]:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match=f'--launcher {launcher} needs the'):
        launch.prepare_launch(Config({'model': {}}), launcher)
