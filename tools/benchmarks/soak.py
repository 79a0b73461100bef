"""Repeat a benchmark in one process; fit the growth of memory and handles.

    python tools/benchmarks/soak.py --minutes 60 CONFIG CHECKPOINT \
        --attack keypoint:random:blur --out DIR

Each turn predicts all anew and writes the report. After a third of the time,
which fills caches, a straight line is fitted to the resident memory and to the
number of open files of this process (Linux). The exit status is 1 where the
95 % interval of a slope lies above the limit.
"""

import argparse
import gc
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from mmpose_occlusion.cli.benchmark import main as benchmark

LIMITS = {'memory, MB': 60.0, 'open files': 1.0}
"""Largest growth in an hour that counts as none."""


def main() -> int:
    """Repeat, measure, print; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--minutes', type=float, default=60)
    options, argv = parser.parse_known_args()
    start = time.monotonic()
    rows = []
    while (minutes := (time.monotonic() - start) / 60) < options.minutes:
        if status := benchmark([*argv, '--no-resume']):
            return status
        gc.collect()
        pages = int(Path('/proc/self/statm').read_text().split()[1])
        memory = pages * os.sysconf('SC_PAGE_SIZE') / 1e6
        rows.append([minutes, memory, len(os.listdir('/proc/self/fd'))])
    rows = [row for row in rows if row[0] > options.minutes / 3]
    if len(rows) < 4:
        sys.exit('error: too few turns for a slope: give more --minutes')
    minutes, *columns = np.transpose(rows)
    status = 0
    for (what, limit), values in zip(LIMITS.items(), columns, strict=True):
        (slope, _), error = np.polyfit(minutes / 60, values, 1, cov=True)
        half = 1.96 * error[0, 0] ** 0.5
        print(
            f'{what}: {values[0]:.1f} to {values[-1]:.1f}, {slope:+.2f} ± '
            f'{half:.2f} an hour in the last {len(rows)} turns'
        )
        status |= int(slope - half > limit)
    return status


if __name__ == '__main__':
    sys.exit(main())
