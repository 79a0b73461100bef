"""From benchmark runs to a folder with a page, JSON and CSV."""

import os
import platform
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

from mmpose_occlusion.benchmark.analysis import analyse
from mmpose_occlusion.benchmark.analysis.bootstrap import DRAWS
from mmpose_occlusion.benchmark.data import BenchmarkRun
from mmpose_occlusion.benchmark.table import markdown_tables, print_tables
from mmpose_occlusion.files import check_replaceable, write_json, write_text
from mmpose_occlusion.metrics.confidence import CONFIDENT
from mmpose_occlusion.version import __version__

from .cases import MakeImages
from .numbers import csv_files, report_numbers
from .page import render_page

PAGE, NUMBERS = 'index.html', 'report.json'


def write_report(
    runs: Sequence[BenchmarkRun],
    folder: str | Path,
    *,
    case_images: MakeImages | None = None,
    progress: Callable[[str], None] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    cases: int = 6,
    measure: str | None = None,
    threshold: float = CONFIDENT,
    title: str | None = None,
    notes: Sequence[str] = (),
    command: str | None = None,
) -> Path:
    """Analyse runs, print their tables and write the report.

    Args:
        runs: At least one; the others are compared with the first.
        folder: Gets ``index.html``, ``report.json``, ``attacks.csv``,
            ``joints.csv``, ``movement.csv`` and ``table.md``.
        case_images: Makes the crops of cases again, see
            :data:`.cases.MakeImages`; None for a page without crops.
        progress: Called with the name of each step.
        draws: Resampled sets of images.
        seed: Of the resampling.
        cases: Number of worst and of typical cases of each run.
        measure: Main measure, see :func:`.analyse.analyse`.
        threshold: Score above which a prediction counts as confident.
        title: Of the page.
        notes: Lines below the title.
        command: That wrote this report; by default this process's.

    Returns:
        Path of the page.
    """
    start = time.perf_counter()
    folder = Path(folder)
    check_replaceable(folder, [PAGE, NUMBERS, 'table.md'])
    folder.mkdir(parents=True, exist_ok=True)
    progress = progress or (lambda step: None)
    analyses, comparison = analyse(
        with_distinct_names(runs), draws, seed, progress, measure, threshold
    )
    progress('figures and crops')
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
    page = render_page(
        analyses, comparison, numbers, case_images, cases, title, notes
    )
    with together(folder, last=PAGE) as staging:
        write_json(staging / NUMBERS, numbers)
        for name, text in csv_files(analyses).items():
            write_text(staging / name, text)
        write_text(staging / 'table.md', markdown_tables(analyses))
        write_text(staging / PAGE, page)
    print_tables(analyses)
    return folder / PAGE


@contextmanager
def together(folder: Path, last: str) -> Iterator[Path]:
    """Write several files that belong together.

    They are written to the folder that this yields. At the end the old files
    of the same names are removed, ``last`` first, and the new ones moved in,
    ``last`` last: after an interruption the folder never holds files of two
    different calls, and ``last`` only beside all the others. An error before
    that leaves the folder as it was.

    Args:
        folder: Gets the files.
        last: Name of the file that stands for all.
    """
    staging = Path(tempfile.mkdtemp(prefix='.unfinished-', dir=folder))
    try:
        yield staging
        names = os.listdir(staging)
        check_replaceable(folder, names)
        # while there is one of them, the numbers are, which carry our mark
        names.sort(key=lambda name: (name == last, name != NUMBERS))
        for name in (last, *reversed(names[:-1])):
            (folder / name).unlink(missing_ok=True)
        for name in names:
            os.replace(staging / name, folder / name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def with_distinct_names(runs: Sequence[BenchmarkRun]) -> list[BenchmarkRun]:
    """The runs; models of the same name get a number."""
    count: dict[str, int] = {}
    out = []
    for run in runs:
        count[run.model] = count.get(run.model, 0) + 1
        if count[run.model] > 1:
            run = replace(run, model=f'{run.model} ({count[run.model]})')
        out.append(run)
    return out
