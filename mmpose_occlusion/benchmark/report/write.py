"""From benchmark runs to a folder with a page, JSON and CSV."""

import platform
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from mmpose_occlusion.benchmark.analysis import Analysis, analyse
from mmpose_occlusion.benchmark.analysis.bootstrap import DRAWS
from mmpose_occlusion.benchmark.data import BenchmarkRun
from mmpose_occlusion.benchmark.table import show_tables
from mmpose_occlusion.version import __version__

from .cases import TYPICAL, WORST, Shown, pick_cases, show
from .numbers import report_numbers, write_json, write_tables
from .page import page
from .sections import ModelPage

NO_CONFIG = (
    'the config of this run is not in its folder, so its crops cannot be '
    'made again'
)


def write_report(
    runs: Sequence[BenchmarkRun],
    folder: str | Path,
    configs: Sequence[str | Path | None] = (),
    *,
    draws: int = DRAWS,
    seed: int = 0,
    command: str | None = None,
    cases: int = 6,
    title: str | None = None,
    notes: Sequence[str] = (),
    progress: Callable[[str], None] = lambda text: None,
) -> Path:
    """Analyse runs and write what is to be said of them.

    Args:
        runs: At least one; the others are compared with the first.
        folder: Gets ``index.html``, ``report.json``, ``attacks.csv``,
            ``joints.csv``, ``movement.csv`` and ``table.md``, which is
            printed, too.
        configs: That each run was made with, to make the crops of cases
            again; None or missing shows none.
        draws: Resampled sets of images.
        seed: Of the resampling.
        command: That wrote this report; by default this process's.
        cases: Worst and typical cases to show of each run.
        title: Of the page.
        notes: Lines below the title.
        progress: Is told of each step.

    Returns:
        The page.
    """
    start = time.perf_counter()
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    runs = with_distinct_names(runs)
    analyses, comparison = analyse(runs, draws, seed, progress)
    progress('pictures')
    padded = [*configs, *[None] * (len(runs) - len(configs))]
    pages = [
        _model_page(analysis, config, cases)
        for analysis, config in zip(analyses, padded, strict=True)
    ]
    facts: dict[str, Any] = dict(
        command=command or shlex.join(['python', *sys.argv]),
        time=time.strftime('%Y-%m-%dT%H:%M:%S%z'),
        versions=dict(
            mmpose_occlusion=__version__,
            numpy=np.__version__,
            matplotlib=matplotlib.__version__,
            python=platform.python_version(),
        ),
        seconds=round(time.perf_counter() - start, 1),
    )
    numbers = report_numbers(analyses, comparison, draws, seed, facts)
    write_json(folder / 'report.json', numbers)
    write_tables(folder, analyses)
    show_tables(analyses, folder)
    path = folder / 'index.html'
    path.write_text(
        page(pages, comparison, numbers, title, notes), encoding='utf-8'
    )
    return path


def with_distinct_names(runs: Sequence[BenchmarkRun]) -> list[BenchmarkRun]:
    """Runs whose models have names of their own: others get a number."""
    count: dict[str, int] = {}
    out = []
    for run in runs:
        count[run.model] = count.get(run.model, 0) + 1
        if count[run.model] > 1:
            run = replace(run, model=f'{run.model} ({count[run.model]})')
        out.append(run)
    return out


def _model_page(
    analysis: Analysis, config: str | Path | None, cases: int
) -> ModelPage:
    run = analysis.run
    shown: dict[str, list[Shown]] = {}
    reason = None
    try:
        if config is None:
            raise LookupError(NO_CONFIG)
        for heading, quantile in (
            ('Worst cases', WORST),
            ('Typical cases', TYPICAL),
        ):
            found = pick_cases(run, quantile, cases)
            if found:
                shown[heading] = show(run, found, config)
    except LookupError as error:
        reason = error.args[0]
    listed = pick_cases(run, WORST, cases)
    return ModelPage(analysis, shown, reason, listed)
