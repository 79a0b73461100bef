"""From benchmark runs, or a search of worst places, to a folder with a page,
JSON and CSV."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib

from mmpose_occlusion import files
from mmpose_occlusion.benchmark.analysis import analyse
from mmpose_occlusion.benchmark.analysis.bootstrap import DRAWS
from mmpose_occlusion.benchmark.analysis.worst_case import worst_case
from mmpose_occlusion.benchmark.data import BenchmarkRun
from mmpose_occlusion.benchmark.image_run import case_images as image_crops
from mmpose_occlusion.benchmark.image_worst_case import WORST, WorstCaseSearch
from mmpose_occlusion.benchmark.table import markdown_tables, print_tables
from mmpose_occlusion.benchmark.work import command_facts
from mmpose_occlusion.metrics.confidence import CONFIDENT

from .cases import MakeImages, drawn_crops
from .figures import forest_chart
from .formatting import both, csv_text
from .numbers import (
    CSV_NAMES,
    changed_conditions,
    csv_files,
    report_numbers,
)
from .page import readable_facts, render, render_page

PAGE, NUMBERS, MARKDOWN = 'index.html', 'report.json', 'table.md'
FILES = (PAGE, MARKDOWN, *CSV_NAMES, NUMBERS)
"""In the order in which old ones are removed: by the last a folder is known
as ours."""

LATEX_MARK = b'bootstrap intervals over images'
"""In every LaTeX table, by which it is known as ours."""

SHOWN_PEOPLE = 8  # on the page of worst places
WORST_FILES = ('worst.html', 'worst.csv', 'worst.json')
LOSSES = dict(OKS='fall of OKS', EPE='rise of EPE, % of bbox')


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
    formats: Sequence[str] = ('page', 'json', 'csv'),
    latex: str | Path | None = None,
    pdf: bool = False,
) -> Path:
    """Analyse runs, print their tables and write the report.

    Args:
        runs: At least one; the others are compared with the first. Models of
            the same name get a number.
        folder: Gets the files; those of an earlier report are removed.
        case_images: See :data:`.cases.MakeImages`; None shows no crops.
        formats: ``page`` is ``index.html`` and ``table.md``, ``json`` is
            ``report.json``, ``csv`` the tables.

    The others are as of :meth:`.api.Benchmark.report`.

    Returns:
        Path of the page, or the folder without one.
    """
    start = time.time()
    folder = Path(folder)
    files.check_replaceable(folder, FILES)
    if latex is not None:
        files.check_output(latex, LATEX_MARK, '--latex')
    folder.mkdir(parents=True, exist_ok=True)
    models = [run.model for run in runs]
    earlier = [models[:i].count(model) for i, model in enumerate(models)]
    runs = [
        replace(run, model=f'{run.model} ({number + 1})') if number else run
        for run, number in zip(runs, earlier, strict=True)
    ]
    analyses, comparison = analyse(
        runs, draws, seed, progress, measure, threshold
    )
    progress('figures and crops')
    facts = command_facts(start, matplotlib=matplotlib.__version__)
    numbers = report_numbers(analyses, comparison, draws, seed, facts)
    for sentence in changed_conditions(folder / NUMBERS, numbers):
        print(f'note: {sentence}')
    texts = csv_files(analyses, comparison) if 'csv' in formats else {}
    if 'page' in formats:
        texts[MARKDOWN] = markdown_tables(analyses)
        texts[PAGE] = render_page(
            analyses, comparison, numbers, case_images, cases, pdf
        )
    with together(folder, FILES) as staging:
        if 'json' in formats:
            files.write_json(staging / NUMBERS, numbers)
        for name, text in texts.items():
            files.write_text(staging / name, text)
    if latex is not None:
        files.write_text(latex, render('costs.tex.j2', analyses=analyses))
    print_tables(analyses)
    return folder / PAGE if 'page' in formats else folder


@contextmanager
def together(folder: Path, names: Sequence[str]) -> Iterator[Path]:
    """Write several files that belong together, perhaps not all of ``names``.

    They are written to the folder that this yields. At the end the old files
    are removed in the order of ``names`` and the new ones moved in, in the
    opposite order: after an interruption the folder never holds files of two
    different calls, and the first only beside all the others. An error before
    that leaves the folder as it was.
    """
    staging = Path(tempfile.mkdtemp(prefix='.unfinished-', dir=folder))
    try:
        yield staging
        for name in names:
            (folder / name).unlink(missing_ok=True)
        for name in reversed(names):
            if (staging / name).exists():
                os.replace(staging / name, folder / name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def write_worst_case(
    run: BenchmarkRun, folder: str | Path, draws: int
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
    marks = [
        # the names of the tables would leave no room for the values
        (title, '', name.replace('_', ' '), losses['OKS'])
        for title, key in (('Loss', 'places'), ('Differences', 'gaps'))
        for name, losses in found[key].items()
    ]
    page = render(
        'worst_case.html.j2',
        run=run,
        search=search,
        found=found,
        objective=objective,
        losses=LOSSES,
        draws=draws,
        chart=forest_chart(marks, LOSSES['OKS']),
        cards=_worst_cards(run, found['people']),
        made=readable_facts(files.plain(run.run)),
    )
    with together(folder, WORST_FILES) as staging:
        files.write_json(staging / 'worst.json', numbers)
        table = csv_text(files.plain(people), '\n')
        files.write_text(staging / 'worst.csv', table)
        files.write_text(staging / 'worst.html', page)
    print(_losses(run, found))
    return folder / 'worst.html'


def _worst_cards(
    run: BenchmarkRun, people: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The people with the greatest losses, clean and at their worst place."""
    ids = run.boxes.image_ids.tolist(), run.boxes.instance_ids.tolist()
    rows = list(zip(*ids, strict=True))
    changed = [person for person in people if person['x'] is not None]
    changed.sort(key=lambda person: -person[f'loss_{WORST}'])
    shown = [
        (person, rows.index((person['image_id'], person['annotation_id'])))
        for person in changed[:SHOWN_PEOPLE]
    ]
    try:
        images = image_crops(run, [(WORST, row) for _, row in shown])
    except LookupError:
        return []
    return [
        dict(person=person, crops=drawn_crops(run, WORST, row, crops))
        for (person, row), crops in zip(shown, images, strict=True)
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
