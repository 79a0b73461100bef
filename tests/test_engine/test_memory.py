"""Freed memory is kept: pages are not cleared again and again."""

import ctypes
import json
import subprocess
import sys

import pytest

FREED_BLOCKS = """
import json
import resource
import numpy as np
from mmpose_occlusion.engine.memory import keep_freed_memory

def faults():
    def now():
        return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    before = now()
    for _ in range(20):
        photo = np.ones(1 << 20, np.uint8)
        crops = [np.ones(1 << 17, np.uint8) for _ in range(32)]
        del photo, crops
    return now() - before

given_back = faults()
assert keep_freed_memory()
faults()
print(json.dumps([given_back, faults()]))
"""


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), 'mallopt'),
    reason='the C library is not glibc',
)
def test_blocks_are_used_again():
    """20 times 5 MB are 25,600 pages of 4,096 bytes."""
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', FREED_BLOCKS],
        capture_output=True,
        text=True,
        check=True,
    )
    given_back, kept = json.loads(done.stdout.splitlines()[-1])
    assert given_back > 10_000
    assert kept < 1_000
