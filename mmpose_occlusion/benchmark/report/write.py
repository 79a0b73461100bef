"""From benchmark runs to a folder with a page, JSON and CSV."""

import json
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
from mmpose_occlusion.files import (
    check_output,
    check_replaceable,
    write_json,
    write_text,
)
from mmpose_occlusion.metrics.confidence import CONFIDENT
from mmpose_occlusion.version import __version__

from .cases import MakeImages
from .numbers import (
    NOTE_OF_TABLE,
    changed_conditions,
    csv_files,
    latex_table,
    report_numbers,
)
from .page import render_page

PAGE, NUMBERS = 'index.html', 'report.json'

FORMATS = ('page', 'json', 'csv')
"""Kinds of files that a report consists of."""


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
    formats: Sequence[str] = FORMATS,
    latex: str | Path | None = None,
    pdf: bool = False,
) -> Path:
    """Analyse runs, print their tables and write the report.

    Args:
        runs: At least one; the others are compared with the first.
        folder: Gets the files; those of an earlier report are removed.
        case_images: Makes the crops of cases again, see
            :data:`.cases.MakeImages`; None for a page without crops.
        progress: Called with the name of each step.
        draws: Resampled sets of images.
        seed: Of the resampling.
        cases: Number of worst and of typical cases of each run.
        measure: Main measure, see :func:`.analyse.analyse`.
        threshold: Score above which a prediction counts as confident.
        formats: Some of :data:`FORMATS`: ``page`` is ``index.html`` and
            ``table.md``, ``json`` is ``report.json``, ``csv`` the tables.
        latex: File of a LaTeX table.
        pdf: Whether the page has its figures as PDF, too.

    Returns:
        Path of the page, or the folder without one.
    """
    start = time.perf_counter()
    folder = Path(folder)
    check_replaceable(folder, [PAGE, NUMBERS, 'table.md'])
    if latex is not None:
        check_output(latex, NOTE_OF_TABLE.encode(), '--latex')
    folder.mkdir(parents=True, exist_ok=True)
    progress = progress or (lambda step: None)
    analyses, comparison = analyse(
        with_distinct_names(runs), draws, seed, progress, measure, threshold
    )
    progress('figures and crops')
    facts: dict[str, Any] = dict(
        command=shlex.join(['python', *sys.argv]),
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
    if (folder / NUMBERS).is_file():
        try:
            old = json.loads((folder / NUMBERS).read_text())
        except ValueError:
            old = {}
        for sentence in changed_conditions(old, numbers):
            print(f'note: {sentence}')
    tables = csv_files(analyses, comparison)
    texts: dict[str, str] = {}
    if 'csv' in formats:
        texts = {name: text for name, text in tables.items() if text}
    if 'page' in formats:
        texts['table.md'] = markdown_tables(analyses)
        texts[PAGE] = render_page(
            analyses,
            comparison,
            numbers,
            case_images,
            cases,
            pdf,
        )
    files = (NUMBERS, 'table.md', PAGE, 'differences.csv', *tables)
    with together(folder, last=PAGE, old=files) as staging:
        if 'json' in formats:
            write_json(staging / NUMBERS, numbers)
        for name, text in texts.items():
            write_text(staging / name, text)
    if latex is not None:
        write_text(Path(latex), latex_table(analyses))
    print_tables(analyses)
    return folder / PAGE if 'page' in formats else folder


@contextmanager
def together(
    folder: Path, last: str, old: Sequence[str] = ()
) -> Iterator[Path]:
    """Write several files that belong together.

    They are written to the folder that this yields. At the end the old files
    of the same names, and of the names ``old``, are removed, ``last`` first,
    and the new ones moved in, ``last`` last: after an interruption the folder
    never holds files of two different calls, and ``last`` only beside all the
    others. An error before that leaves the folder as it was.
    """
    staging = Path(tempfile.mkdtemp(prefix='.unfinished-', dir=folder))
    try:
        yield staging
        names = os.listdir(staging)
        check_replaceable(folder, [*names, *old])
        # while there is one of them, the numbers are, which carry our mark
        names.sort(key=lambda name: (name == last, name != NUMBERS))
        gone = {last, *old, *names}
        for name in sorted(gone, key=lambda n: (n != last, n == NUMBERS)):
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


_EVERY = 10.0  # seconds between lines that are not on a terminal


def show_steps(total: int) -> Callable[[str], None]:
    """A function that prints each of ``total`` steps with the time that is
    left."""
    start = last = time.monotonic()
    done = 0

    def show(step: str) -> None:
        nonlocal done, last
        now = time.monotonic()
        text = f'analysing {min(done + 1, total)}/{total}: {step}'
        if 0 < done < total:
            left = (now - start) / done * (total - done)
            text += f', {left:.0f} s left'
        done += 1
        if sys.stdout.isatty():
            end = '\n' if done > total else ''
            print(f'\r{text[:78]:78}', end=end, flush=True)
        elif now - last > _EVERY or done == 1:
            print(text, flush=True)
            last = now

    return show
