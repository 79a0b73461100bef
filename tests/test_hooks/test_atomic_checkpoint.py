"""Checkpoints appear whole, and an old one stays until the next is there."""

import os
import signal
import uuid

import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.runner import Runner

import mmpose_occlusion  # noqa: F401

EPOCHS = 4


class OneWeight(BaseModel):
    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        if mode == 'predict':
            return [{}]
        return {'loss': (self.weight - 1) ** 2}


class Rising(BaseMetric):
    """A score that rises with every epoch."""

    score = 0

    def process(self, data_batch, data_samples) -> None:
        self.results.append(None)

    def compute_metrics(self, results) -> dict:
        self.score += 1
        return {'score': self.score}


def train(work_dir, **checkpoint):
    loader = dict(
        dataset=[dict(inputs=torch.zeros(1))],
        batch_size=1,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=False),
    )
    runner = Runner(
        model=OneWeight(),
        work_dir=str(work_dir),
        train_dataloader=loader,
        train_cfg=dict(by_epoch=True, max_epochs=EPOCHS),
        val_dataloader=loader if 'save_best' in checkpoint else None,
        val_cfg={} if 'save_best' in checkpoint else None,
        val_evaluator=[dict(type=Rising)]
        if 'save_best' in checkpoint
        else None,
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        default_hooks=dict(
            checkpoint=dict(type='AtomicCheckpointHook', **checkpoint),
            logger=dict(type='LoggerHook', interval=100),
        ),
        default_scope='mmpose',
        log_level='ERROR',
        experiment_name=uuid.uuid4().hex,
    )
    runner.train()


def checkpoints(folder):
    """Name of each checkpoint -> its epoch; all can be read."""
    return {
        path.name: torch.load(path, weights_only=False)['meta']['epoch']
        for path in folder.glob('*.pth')
    }


@pytest.mark.parametrize('keep', [1, 2, -1])
def test_what_is_kept_at_the_end(keep, tmp_path):
    train(tmp_path, interval=1, max_keep_ckpts=keep)
    kept = range(EPOCHS - keep + 1 if keep > 0 else 1, EPOCHS + 1)
    assert checkpoints(tmp_path) == {f'epoch_{i}.pth': i for i in kept}
    last = (tmp_path / 'last_checkpoint').read_text()
    assert last == str(tmp_path / f'epoch_{EPOCHS}.pth')


@pytest.mark.parametrize('call', ['fsync', 'replace'])
def test_killed_while_saving(call, tmp_path, monkeypatch):
    """In the third epoch: the checkpoint of the second can be read, and
    ``last_checkpoint`` names it."""
    made = iter(range(EPOCHS))

    def dying(original):
        def act(*arguments):
            if next(made) == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*arguments)

        return act

    child = os.fork()
    if not child:
        monkeypatch.setattr(os, call, dying(getattr(os, call)))
        try:
            train(tmp_path, interval=1, max_keep_ckpts=1)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert checkpoints(tmp_path) == {'epoch_2.pth': 2}
    last = (tmp_path / 'last_checkpoint').read_text()
    assert last == str(tmp_path / 'epoch_2.pth')


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path, monkeypatch):
    made = iter(range(EPOCHS))

    def full(_):
        if next(made) == 2:  # of the third epoch
            raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OSError, match='No space left') as caught:
        train(tmp_path, interval=1, max_keep_ckpts=1)
    assert caught.value.filename == str(tmp_path / 'epoch_3.pth')
    assert checkpoints(tmp_path) == {'epoch_2.pth': 2}


def test_the_best_checkpoint(tmp_path):
    best = dict(save_best='score', rule='greater')
    train(tmp_path, interval=1, max_keep_ckpts=1, **best)
    assert checkpoints(tmp_path) == {
        f'epoch_{EPOCHS}.pth': EPOCHS,
        f'best_score_epoch_{EPOCHS}.pth': EPOCHS,
    }
