"""The error of everything about checkpoints."""

from mmpose_occlusion.errors import UsageError


class CheckpointError(UsageError):
    """A checkpoint that cannot be used: the message says why, and what to do.

    One sentence, which the tools print alone.
    """
