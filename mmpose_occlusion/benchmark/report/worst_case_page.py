"""From a search of worst places to ``worst.json``, ``.csv`` and ``.html``."""

import csv
import io
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from mmpose_occlusion.benchmark.analysis.worst_case import (
    MEAN_JOINT,
    RANDOM,
    WORST_JOINT,
    worst_case,
)
from mmpose_occlusion.benchmark.data import BenchmarkRun
from mmpose_occlusion.benchmark.image_run import case_images
from mmpose_occlusion.benchmark.image_worst_case import (
    OBJECTIVE,
    TRANSFERRED,
    WORST,
)
from mmpose_occlusion.files import plain, write_json, write_text

from .cases import Case, case_crops
from .figures import LOOKS, Chart, Group, forest_chart
from .formatting import both
from .page import readable_facts, render

WORDS = {
    WORST: 'the worst place',
    TRANSFERRED: "the other model's worst place",
    WORST_JOINT: 'the worst joint hidden',
    MEAN_JOINT: 'a joint hidden, mean',
    RANDOM: 'a random place, mean',
}

MEASURES = {
    'OKS': 'fall of OKS',
    'EPE': 'rise of EPE, % of bbox',
    'AP': 'fall of AP',
}


def write_worst_case(
    run: BenchmarkRun, folder: str | Path, draws: int, crops: int = 8
) -> Path:
    """Analyse a search, print its table and write its files.

    Args:
        run: Of :func:`.image_run.run_predictor` with a search.
        folder: Gets the files; the page comes last.
        draws: Resampled sets of images.
        crops: People whose worst place is shown.

    Returns:
        The page.
    """
    folder, search = Path(folder), run.run['search']
    found = worst_case(run, draws)
    numbers: dict[str, Any] = dict(
        mmpose_occlusion='worst case',
        model=run.model,
        data=run.data,
        objective=OBJECTIVE,
        search={k: v for k, v in search.items() if k != 'places'},
        seed=run.seed,
        bootstrap=dict(draws=draws, seed=0, level=0.95, over='images'),
        **found,
        run=run.run,
    )
    write_json(folder / 'worst.json', numbers)
    write_text(folder / 'worst.csv', _csv(found['people']))
    _print_table(run, found)
    text = render(
        'worst_case.html.j2',
        run=run,
        search=search,
        found=found,
        objective=OBJECTIVE,
        words=WORDS,
        losses=MEASURES,
        draws=draws,
        chart=_chart(found),
        pdf=False,
        cards=_cards(run, found['people'], crops),
        made=readable_facts(plain(run.run)),
    )
    return write_text(folder / 'worst.html', text)


def _chart(found: dict[str, Any]) -> Chart:
    # the names of the tables would leave no room for the values
    panels = {
        title: [
            Group(
                '',
                LOOKS[0],
                {k.replace('_', ' '): v['OKS'] for k, v in rows.items()},
            )
        ]
        for title, rows in (
            ('Loss', found['places']),
            ('Differences', found['gaps']),
        )
    }
    return forest_chart(
        panels,
        MEASURES['OKS'],
    )


def _cards(
    run: BenchmarkRun, people: list[dict[str, Any]], number: int
) -> list[dict[str, Any]]:
    """The people with the greatest losses, clean and at their worst place."""
    rows = {
        (int(i), int(p)): row
        for row, (i, p) in enumerate(
            zip(run.boxes.image_ids, run.boxes.instance_ids, strict=True)
        )
    }
    changed = [p for p in people if p['x'] is not None]
    changed.sort(key=lambda p: -p[f'loss_{WORST}'])
    cases = {}
    for person in changed[:number]:
        ids = person['image_id'], person['annotation_id']
        case = Case(WORST, rows[ids], *ids, 0.0, 0.0, '')
        cases[case] = person
    try:
        images = case_images(run, list(cases))
    except LookupError:
        return []
    return [
        dict(
            person=person,
            crops=case_crops(case, images[case], run),
        )
        for case, person in cases.items()
    ]


def _csv(people: list[dict[str, Any]]) -> str:
    """One line a person; lists are joined by blanks."""
    out = io.StringIO()
    names = list(people[0]) if people else ['image_id']
    table = csv.DictWriter(out, names, lineterminator='\n')
    table.writeheader()
    for person in plain(people):
        hidden = ' '.join(person['hidden'])
        table.writerow({**person, 'hidden': hidden})
    return out.getvalue()


def _print_table(run: BenchmarkRun, found: dict[str, Any]) -> None:
    search = run.run['search']
    table = Table(
        title=f'{run.model} on {run.data}, {search["fill"]} discs of '
        f'{search["size"]}',
        caption=f'{found["people_compared"]:,} people in '
        f'{found["images_compared"]:,} images; in brackets 95 % intervals',
        box=None,
        pad_edge=False,
    )
    table.add_column('occluder at')
    shown = ('OKS', 'AP')
    for name in shown:
        table.add_column(MEASURES[name], justify='right', no_wrap=True)
    for name, row in [*found['places'].items(), *found['gaps'].items()]:
        cells = [both(row[m], m, True) if m in row else '–' for m in shown]
        table.add_row(name.replace('_', ' '), *cells)
    console = Console(emoji=False, markup=False, highlight=False)
    console.print(table)
    if 'share_transferred' in found:
        share = both(found['share_transferred'])
        console.print(f'Share of the gap to random that transfers: {share}')
