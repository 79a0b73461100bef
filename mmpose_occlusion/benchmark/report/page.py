"""The page: one HTML file with its figures and pictures inside."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmpose_occlusion.benchmark.analysis import Analysis
from mmpose_occlusion.benchmark.analysis.compare import Comparison

from . import figures
from .formatting import NAMES, NOTHING, both, number
from .markup import esc, facts_list, figure_of, table_of
from .sections import ModelPage, sections
from .style import CSS


def page(
    models: Sequence[ModelPage],
    comparison: Comparison | None,
    numbers: Mapping[str, Any],
    title: str | None = None,
    notes: Sequence[str] = (),
) -> str:
    """The page's HTML.

    Args:
        models: At least one.
        comparison: Of several.
        numbers: Of :func:`.numbers.report_numbers`.
        title: Heading; by default it names the models.
        notes: Lines below it.
    """
    names = ', '.join(m.analysis.run.model for m in models)
    title = title or 'What occlusion costs'
    many = len(models) > 1
    body = [_header(title, names, models, notes)]
    if comparison is not None:
        body.append(
            _comparison(comparison, [model.analysis for model in models])
        )
    for index, model in enumerate(models):
        mark = f'm{index}-' if many else ''
        parts = sections(model, mark)
        inside = '\n'.join(text for _, _, text in parts)
        if many:
            head = f'<h2 class="model">{esc(model.analysis.run.model)}</h2>'
            inside = f'<div class="one" id="m{index}">{head}{inside}</div>'
        else:
            links = ''.join(
                f'<a href="#{esc(key)}">{esc(text)}</a>'
                for key, text, inner in parts
                if inner
            )
            body.append(
                f'<nav>{links}<a href="#made">how it was made</a></nav>'
            )
        body.append(inside)
    body.append(_made(numbers))
    text = '\n'.join(body)
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{esc(title)}: {esc(names)}</title>
<style>{CSS}</style>
<main>
{text}
</main>
</html>
"""


def _header(
    title: str,
    names: str,
    models: Sequence[ModelPage],
    notes: Sequence[str],
) -> str:
    lines = ''.join(f'<p class="note">{esc(note)}</p>' for note in notes)
    data = ', '.join(dict.fromkeys(m.analysis.run.data for m in models))
    return (
        f'<header><p class="over">mmpose_occlusion benchmark</p>'
        f'<h1>{esc(title)}</h1>'
        f'<p class="who"><b>{esc(names)}</b> on {esc(data)}</p>{lines}'
        '</header>'
    )


def _comparison(comparison: Comparison, analyses: Sequence[Analysis]) -> str:
    first = analyses[0]
    main = first.main
    out = [
        '<section id="models"><h2>Models side by side</h2>',
        _overview(analyses),
        *(
            f'<p class="note">{esc(reason)}.</p>'
            for reason in comparison.reasons.values()
        ),
    ]
    picture = figures.comparison_figure(comparison, first)
    out.append(
        figure_of(
            picture,
            f'{NAMES[main]} minus that of {comparison.baseline}, on the same '
            'people and resampled together; lines are 95 % intervals. Right '
            'of the line is better.',
        )
    )
    rows = [
        [
            d.model,
            d.attack,
            f'{d.people:,}',
            both(d.score[main], main, sign=True)
            + (' *' if d.score[main].is_real else ''),
            both(d.loss[main], main, sign=True)
            + (' *' if d.loss[main].is_real else '')
            if d.loss
            else NOTHING,
        ]
        for d in comparison.differences
    ]
    if rows:
        head = ['model', 'attack', 'boxes']
        head += [f'{NAMES[main]} minus that of {comparison.baseline}']
        head += ['its loss is smaller by']
        out.append(
            '<details><summary>numbers</summary>'
            f'{table_of(head, rows)}</details>'
        )
    return ''.join([*out, '</section>'])


def _overview(analyses: Sequence[Analysis]) -> str:
    """A line for each model."""
    rows = []
    for analysis in analyses:
        main = analysis.main
        changes = [c.change[main].value for c in analysis.costs if c.plain]
        known = [x for x in changes if x is not None]
        mean = sum(known) / len(known) if known else None
        areas = [c.area for c in analysis.curves[:1]]
        rows.append(
            [
                analysis.run.model,
                f'{NAMES[main]} {both(analysis.clean[main], main)}',
                number(mean, main, sign=True),
                both(areas[0], main) if areas else NOTHING,
            ]
        )
    head = ['model', 'nothing hidden', 'mean change by one joint or part']
    return table_of([*head, 'mean over severities'], rows)


def _made(numbers: Mapping[str, Any]) -> str:
    run = numbers['run']
    bootstrap = numbers['bootstrap']
    lines = []
    for model, facts in zip(numbers['models'], run['models'], strict=True):
        lines.append(f'<h3>{esc(model["model"])}</h3>{facts_list(facts)}')
    own = {key: run[key] for key in ('command', 'time', 'versions')}
    return (
        '<section id="made"><h2>How it was made</h2>'
        f'{"".join(lines)}<h3>This report</h3>{facts_list(own)}'
        f'<p class="note">Intervals: {bootstrap["draws"]:,} paired draws of '
        f'images with seed {bootstrap["seed"]}, 2.5 and 97.5 per cent '
        'quantiles. All measures are defined in '
        'docs/benchmark_analysis.md.</p></section>'
    )
