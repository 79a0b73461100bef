"""Freed memory is kept for what comes next instead of given back."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""From glibc's ``malloc.h``."""

LARGEST = 32 * 2**20
"""Bytes; glibc's own limit for blocks that it may keep."""


def keep_freed_memory() -> bool:
    """Have this process, and those it forks, keep the memory that they free.

    What a layer computes on a CPU is a block of megabytes, which glibc takes
    from the system and gives back each time; the system clears every page of
    it anew. Kept blocks are used again, which makes trainings on a CPU faster
    (``tools/benchmarks/memory.py``). Nothing is computed differently; the
    process stays as large as it was at its peak, give or take 2 %.

    Returns:
        Whether it could be asked for: only on Linux with glibc.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    return bool(
        mallopt(M_MMAP_THRESHOLD, LARGEST)
        and mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
    )
