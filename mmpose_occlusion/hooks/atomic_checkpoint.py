"""Checkpoints that are written whole, before older ones are deleted."""

from pathlib import Path
from typing import Any

from mmengine.fileio import LocalBackend, register_backend
from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from mmpose_occlusion.files import write_bytes


class AtomicLocalBackend(LocalBackend):
    """MMEngine's backend of local files, whose files appear when complete."""

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write bytes beside the file, which they then replace."""
        Path(filepath).parent.mkdir(parents=True, exist_ok=True)
        write_bytes(filepath, obj)


register_backend('mmpose_occlusion', AtomicLocalBackend, force=True)


class _Deferred(AtomicLocalBackend):
    """Notes what is to be deleted, for later."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list = []

    def remove(self, filepath: str | Path) -> None:
        self.files.append(filepath)

    def delete(self, kept: set[str]) -> None:
        """Delete what was noted, except what is kept."""
        files, self.files = self.files, []
        for file in files:
            if str(file) not in kept:
                super().remove(file)


@HOOKS.register_module()
class AtomicCheckpointHook(CheckpointHook):
    """MMEngine's ``CheckpointHook`` for local folders, safe from kills.

    A process that is killed leaves no incomplete checkpoint under its final
    name, and an old checkpoint is deleted after its successor is complete,
    where MMEngine's hook deletes it before. ``tools/train.py`` uses it in
    place of MMEngine's. Arguments are the same; other storage than local
    folders is written as by MMEngine's.
    """

    def before_train(self, runner: Runner) -> None:
        """Take the folder, and delete what a resumed run no longer keeps."""
        super().before_train(runner)
        if type(self.file_backend) is LocalBackend and not self.backend_args:
            self.backend_args = dict(backend='mmpose_occlusion')
            self.file_backend = _Deferred()

    def _save_checkpoint_with_step(
        self, runner: Runner, step: int, meta: dict
    ) -> None:
        super()._save_checkpoint_with_step(runner, step, meta)
        self._delete()

    def _save_best_checkpoint(self, runner: Runner, metrics: Any) -> None:
        super()._save_best_checkpoint(runner, metrics)
        self._delete()

    def _delete(self) -> None:
        """Delete what MMEngine's hook had deleted before it saved."""
        if isinstance(self.file_backend, _Deferred):
            best = getattr(self, 'best_ckpt_path_dict', {}).values()
            best = [*best, getattr(self, 'best_ckpt_path', None)]
            self.file_backend.delete({str(p) for p in [self.last_ckpt, *best]})
