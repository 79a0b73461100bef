"""Faster memory for pictures, in any training or test."""

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from mmpose_occlusion.engine.memory import keep_freed_memory


@HOOKS.register_module()
class KeepMemoryHook(Hook):
    """Keep freed memory for the next picture, see
    :func:`mmpose_occlusion.engine.memory.keep_freed_memory`.

    For trainings that MMPose's own tools start; this project's tools do it
    by themselves.
    """

    priority = 'HIGHEST'

    def before_run(self, runner: Runner) -> None:
        """Before the loaders' workers are forked."""
        keep_freed_memory()
