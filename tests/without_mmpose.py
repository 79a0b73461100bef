"""A process in which MMPose, its libraries and PyTorch cannot be imported."""

import subprocess
import sys

MISSING = ('mmpose', 'mmengine', 'mmcv', 'mmdet', 'torch', 'torchvision')

BLOCKER = f"""
import sys
from importlib.machinery import PathFinder

class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition('.')[0] in {MISSING!r}:
            return None
        return PathFinder.find_spec(name, path, target)

sys.meta_path = [
    Finder if finder is PathFinder else finder for finder in sys.meta_path
]
"""
"""Imports raise ModuleNotFoundError, and ``find_spec`` returns None."""


def python(code, *arguments):
    """Run code there; returns what it prints, after a check that it has
    imported none of these modules."""
    code += f"""
found = [name for name in {MISSING!r} if name in sys.modules]
assert not found, found
"""
    done = subprocess.run(
        [sys.executable, '-c', BLOCKER + code, *map(str, arguments)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
