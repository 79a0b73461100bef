"""From benchmark runs, or a search of worst places, to a folder with a page,
JSON and CSV."""

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

from mmpose_occlusion import __version__, files
from mmpose_occlusion.benchmark.analysis import analyse
from mmpose_occlusion.benchmark.analysis.bootstrap import DRAWS
from mmpose_occlusion.benchmark.analysis.worst_case import worst_case
from mmpose_occlusion.benchmark.data import BenchmarkRun
from mmpose_occlusion.benchmark.image_run import case_images as image_crops
from mmpose_occlusion.benchmark.image_worst_case import WORST, WorstCaseSearch
from mmpose_occlusion.benchmark.table import markdown_tables, print_tables
from mmpose_occlusion.metrics.confidence import CONFIDENT

from .cases import Case, MakeImages, drawn_crops
from .figures import forest_chart
from .formatting import both, csv_text
from .numbers import (
    NOTE_OF_TABLE,
    changed_conditions,
    csv_files,
    report_numbers,
)
from .page import readable_facts, render, render_page

PAGE, NUMBERS, MARKDOWN = 'index.html', 'report.json', 'table.md'
LOSSES = dict(OKS='fall of OKS', EPE='rise of EPE, % of bbox')
FORMATS = ('page', 'json', 'csv')  # kinds of files of a report


def write_report(
    runs: Sequence[BenchmarkRun],
    folder: str | Path,
    *,
    case_images: MakeImages | None = None,
    progress: Callable[[str], None] = lambda step: None,
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
        case_images: See :data:`.cases.MakeImages`; None shows no crops.
        formats: Some of :data:`FORMATS`: ``page`` is ``index.html`` and
            ``table.md``, ``json`` is ``report.json``, ``csv`` the tables.

    The others are as of :meth:`.api.Benchmark.report`.

    Returns:
        Path of the page, or the folder without one.
    """
    start = time.perf_counter()
    folder = Path(folder)
    files.check_replaceable(folder, [PAGE, NUMBERS, MARKDOWN])
    if latex is not None:
        files.check_output(latex, NOTE_OF_TABLE.encode(), '--latex')
    folder.mkdir(parents=True, exist_ok=True)
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
    for sentence in changed_conditions(folder / NUMBERS, numbers):
        print(f'note: {sentence}')
    tables = csv_files(analyses, comparison)
    texts = {n: t for n, t in tables.items() if t and 'csv' in formats}
    if 'page' in formats:
        texts[MARKDOWN] = markdown_tables(analyses)
        texts[PAGE] = render_page(
            analyses, comparison, numbers, case_images, cases, pdf
        )
    with together(folder, PAGE, [NUMBERS, MARKDOWN, *tables]) as staging:
        if 'json' in formats:
            files.write_json(staging / NUMBERS, numbers)
        for name, text in texts.items():
            files.write_text(staging / name, text)
    if latex is not None:
        table = render('costs.tex.j2', analyses=analyses, note=NOTE_OF_TABLE)
        files.write_text(latex, table)
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
        files.check_replaceable(folder, [*names, *old])
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
    out: list[BenchmarkRun] = []
    for run in runs:
        number = 1 + sum(
            run.model == other.model for other in runs[: len(out)]
        )
        name = f'{run.model} ({number})' if number > 1 else run.model
        out.append(replace(run, model=name))
    return out


def write_worst_case(
    run: BenchmarkRun, folder: str | Path, draws: int, crops: int = 8
) -> Path:
    """Analyse a run of :func:`.image_run.run_predictor` with a search, print
    its table and write its files into a folder, the page last, which shows the
    worst places of some people as crops; returns the page."""
    folder, search = Path(folder), run.run['search']
    found = worst_case(run, draws)
    objective = WorstCaseSearch(**search).objective
    numbers: dict[str, Any] = dict(
        mmpose_occlusion='worst case',
        model=run.model,
        data=run.data,
        objective=objective,
        search={k: v for k, v in search.items() if k != 'places'},
        seed=run.seed,
        bootstrap=dict(draws=draws, seed=0, level=0.95, over='images'),
        **found,
        run=run.run,
    )
    people = [dict(p, hidden=' '.join(p['hidden'])) for p in found['people']]
    text = render(
        'worst_case.html.j2',
        run=run,
        search=search,
        found=found,
        objective=objective,
        losses=LOSSES,
        draws=draws,
        chart=forest_chart(
            [
                # the names of the tables would leave no room for the values
                (title, '', name.replace('_', ' '), value['OKS'])
                for title, key in (('Loss', 'places'), ('Differences', 'gaps'))
                for name, value in found[key].items()
            ],
            LOSSES['OKS'],
        ),
        pdf=False,
        cards=_worst_cards(run, found['people'], crops),
        made=readable_facts(files.plain(run.run)),
    )
    with together(folder, last='worst.html') as staging:
        files.write_json(staging / 'worst.json', numbers)
        table = csv_text(files.plain(people), '\n')
        files.write_text(staging / 'worst.csv', table)
        files.write_text(staging / 'worst.html', text)
    print(_losses(run, found))
    return folder / 'worst.html'


def _worst_cards(
    run: BenchmarkRun, people: list[dict[str, Any]], number: int
) -> list[dict[str, Any]]:
    """The people with the greatest losses, clean and at their worst place."""
    ids = run.boxes.image_ids.tolist(), run.boxes.instance_ids.tolist()
    rows = list(zip(*ids, strict=True))
    changed = [p for p in people if p['x'] is not None]
    changed.sort(key=lambda p: -p[f'loss_{WORST}'])
    cases = {}
    for person in changed[:number]:
        key = person['image_id'], person['annotation_id']
        cases[Case(WORST, rows.index(key), *key, 0.0, 0.0, '')] = person
    try:
        images = image_crops(run, list(cases))
    except LookupError:
        return []
    return [
        dict(person=person, crops=drawn_crops(case, images[case], run))
        for case, person in cases.items()
    ]


def _losses(run: BenchmarkRun, found: dict[str, Any]) -> str:
    """The table of a search in Markdown."""
    search = run.run['search']
    title = (
        f'{run.model} on {run.data}, {search["fill"]} discs of '
        f'{search["size"]}'
    )
    notes = [
        f'{found["people_compared"]:,} people in '
        f'{found["images_compared"]:,} images; in brackets 95 % intervals'
    ]
    if 'share_transferred' in found:
        share = both(found['share_transferred'])
        notes.append(f'share of the gap to random that transfers: {share}')
    rows = [
        [name.replace('_', ' '), *(both(row[m], m, True) for m in LOSSES)]
        for name, row in [*found['places'].items(), *found['gaps'].items()]
    ]
    names = ['occluder at', *LOSSES.values()]
    return render('results.md.j2', tables=[(title, names, rows, notes)])
