"""The error that a command line shows as one sentence, by its first name."""

from mmpose_occlusion.errors import UsageError

__all__ = ['UsageError']
