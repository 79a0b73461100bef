"""Where the time of a benchmark goes: ``--profile``."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mmpose_occlusion.predictors.mmpose_topdown.processes import gather

from .clock import Clock, Spent, Steps, merge
from .probe import FLIP, FORWARD, HEATMAPS, PREPROCESS, SAMPLES
from .store import write_json

PROFILE = 'profile.json'
"""Name of the file, in the folder of the benchmark."""

DECODE, WARP, PACK, PATCHES = 'decode', 'warp', 'pack', 'patches'
HAND_OVER = 'hand over'
BATCH = 'batch'
COLLECT, STORE, ANALYSIS = 'collect', 'store', 'analysis'
WAIT_CROPS, WAIT_NETWORK = 'wait for crops', 'wait for network'


@dataclass(frozen=True)
class _Line:
    where: str
    meaning: str


LINES = {
    DECODE: _Line('workers', 'read and decode images'),
    WARP: _Line('workers', 'look up people, warp their crops'),
    PATCHES: _Line('workers', 'attack the crops, find what changed'),
    PACK: _Line('workers', 'pack crops for the model'),
    HAND_OVER: _Line('workers', 'send crops to the main process'),
    BATCH: _Line('network', 'put the patches on clean crops'),
    PREPROCESS: _Line('network', "the model's data preprocessor"),
    FORWARD: _Line('network', 'backbone, neck and head'),
    FLIP: _Line('network', 'the same for mirrored crops, and joining them'),
    HEATMAPS: _Line('network', 'decode heat maps'),
    SAMPLES: _Line('network', "the rest of the model's test_step"),
    COLLECT: _Line('main', 'sort results'),
    STORE: _Line('main', 'write them'),
    ANALYSIS: _Line('main', 'metrics and report'),
    WAIT_CROPS: _Line('waiting', 'the main thread has no crops'),
    WAIT_NETWORK: _Line('waiting', 'all threads of the network are busy'),
}
"""The steps, in the order in which a crop meets them."""


class Profile:
    """The steps of a run, of all its threads, workers and processes.

    Attributes:
        main: Clock of the main thread.
        facts: Numbers that :meth:`result` is to name.
        wall: Wall-clock seconds of the phases.
        cpu: Processor seconds of the main process in them.
    """

    def __init__(self) -> None:
        self.main = Clock()
        self.facts: dict[str, Any] = {}
        self.wall: dict[str, float] = {}
        self.cpu = 0.0
        self._steps: Steps = {}
        self._lock = threading.Lock()

    def add(self, steps: Steps) -> None:
        """Count in what a thread or worker did."""
        with self._lock:
            merge(self._steps, steps)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Wall-clock seconds of a part of the whole run."""
        start = time.perf_counter(), time.process_time()
        yield
        self.wall[name] = time.perf_counter() - start[0]
        self.cpu += time.process_time() - start[1]

    @contextmanager
    def analysing(self) -> Iterator[None]:
        """The analysis happens inside, in one process."""
        with self.phase(ANALYSIS), self.main.step(ANALYSIS):
            yield

    def gather(self) -> None:
        """Count in the other processes' steps so far."""
        self.add(self.main.steps)
        self.main = Clock()
        everything = gather((self._steps, self.cpu))
        self._steps = {}
        self.cpu = sum(cpu for _, cpu in everything)
        for steps, _ in everything:
            self.add(steps)
        self.facts['processes'] = len(everything)

    def result(self) -> dict[str, Any]:
        """All that was found, as plain values."""
        steps: Steps = {}
        merge(steps, self._steps)
        merge(steps, self.main.steps)
        rows = [
            dict(step=name, where=line.where, **asdict(steps[name]))
            for name, line in LINES.items()
            if name in steps
        ]
        here = sum(
            row['cpu'] for row in rows if row['where'] in ('network', 'main')
        )
        return dict(
            self.facts,
            wall=self.wall,
            main_cpu=self.cpu,
            main_cpu_of_no_step=max(0.0, self.cpu - here),
            steps=rows,
        )

    def write(self, folder: str | os.PathLike) -> Path:
        """Write :meth:`result` into a benchmark's folder."""
        path = Path(folder) / PROFILE
        write_json(path, self.result())
        return path


def table(result: dict[str, Any]) -> str:
    """A profile as text.

    Args:
        result: Of :meth:`Profile.result`.
    """
    wall = ', '.join(f'{k} {v:.1f} s' for k, v in result['wall'].items())
    busy = [row for row in result['steps'] if row['where'] != 'waiting']
    total = Spent(sum(r['wall'] for r in busy), sum(r['cpu'] for r in busy))
    passes = max(1, result.get('passes', 0))
    lines = [
        f'Wall-clock time: {wall}.',
        f'{result.get("crops", 0):,} crops, {result.get("attacks", 0)} '
        f'attacks, {result.get("passes", 0):,} forward passes; '
        f'{_count(result, "processes", "process", "es")}, each with '
        f'{_count(result, "workers", "worker")} and '
        f'{_count(result, "threads", "thread")} for the network.',
        '',
        f'{"step":<17}{"where":<9}{"busy s":>8}{"share":>7}'
        f'{"processor s":>13}{"ms per pass":>13}  what',
    ]
    lines += [_row(row, total, passes) for row in busy]
    all_ = dict(asdict(total), step='all steps', where='')
    lines.append(_row(all_, total, passes))
    lines.append('')
    lines += [
        f'{row["step"]:<17}{row["where"]:<9}{row["wall"]:>8.2f}'
        f'{"":>33}  {LINES[row["step"]].meaning}'
        for row in result['steps']
        if row['where'] == 'waiting'
    ]
    lines += [
        '',
        'Busy seconds are those between the beginning and the end of a step, '
        'summed over\nthreads, workers and processes that work side by side: '
        'they are no wall-clock\ntime. Where other work holds the processors, '
        'a step is busy longer than it\ncomputes: its processor seconds say '
        'how long it did. What the main processes\ncomputed outside of these '
        f'steps: {result["main_cpu_of_no_step"]:.2f} s.',
    ]
    return '\n'.join(lines)


def _row(row: dict[str, Any], total: Spent, passes: int) -> str:
    line = LINES.get(row['step'])
    share = row['wall'] / total.wall if total.wall else 0.0
    text = (
        f'{row["step"]:<17}{row["where"]:<9}{row["wall"]:>8.2f}'
        f'{100 * share:>6.1f}%{row["cpu"]:>13.2f}'
        f'{1000 * row["wall"] / passes:>13.3f}'
    )
    return f'{text}  {line.meaning}' if line else text


def _count(result: dict, key: str, one: str, plural: str = 's') -> str:
    number = result.get(key, 0)
    return f'{number} {one}{"" if number == 1 else plural}'
