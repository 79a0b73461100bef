"""Numbers and names as people read them."""

from collections.abc import Iterable

from mmpose_occlusion.benchmark.analysis import Analysis, Estimate
from mmpose_occlusion.benchmark.analysis.attacks import HERE, OTHER
from mmpose_occlusion.benchmark.analysis.costs import Cost
from mmpose_occlusion.benchmark.analysis.curves import MEAN
from mmpose_occlusion.benchmark.analysis.measures import LOWER_IS_BETTER

NOTHING = '–'
MINUS = '\u2212'

NAMES = dict(
    AP='AP',
    AR='AR',
    PCKh='PCKh@0.5',
    PCK='PCK@0.2',
    KS='KS≥0.5',
    EPE='EPE, % of box',
    EPE_px='EPE, px',
)
"""Measures as headings."""

PLACES = {
    HERE: 'the joint itself',
    'on_person': 'elsewhere on the person',
    'off_person': 'off the person',
}


def number(
    value: float | None, measure: str = 'AP', sign: bool = False
) -> str:
    """A measure's value, errors in per cent of the box."""
    if value is None:
        return NOTHING
    if measure == 'EPE':
        value, form = 100 * value, '.1f'
    else:
        form = '.1f' if measure == 'EPE_px' else '.3f'
    text = format(value, f'+{form}' if sign else form)
    if float(text) == 0:
        text = text.lstrip('+-')
    return text.replace('-', MINUS)


def interval(
    estimate: Estimate, measure: str = 'AP', sign: bool = False
) -> str:
    """The ends of an interval in brackets."""
    if estimate.low is None or estimate.high is None:
        return ''
    low, high = (
        number(end, measure, sign) for end in (estimate.low, estimate.high)
    )
    return f'[{low}, {high}]'


def both(estimate: Estimate, measure: str = 'AP', sign: bool = False) -> str:
    """Value and interval."""
    value = number(estimate.value, measure, sign)
    return f'{value} {interval(estimate, measure, sign)}'.strip()


def percent(part: float | None, digits: int = 0) -> str:
    """A part as per cent."""
    return NOTHING if part is None else f'{100 * part:.{digits}f} %'


def name(text: str) -> str:
    """A joint's or part's name."""
    return text.replace('_', ' ')


def what(cost: Cost) -> str:
    """What an attack does, in words."""
    if cost.kind == OTHER:
        return cost.target
    target = name(cost.target)
    if cost.target == 'random':
        target = f'one {cost.kind}'
    if cost.severity is not None:
        target += f', {100 * cost.severity:g} % of the height'
    if cost.place != HERE:
        target += f', painted {PLACES.get(cost.place, name(cost.place))}'
    return f'{target} ({cost.paint})'


def worst_first(costs: Iterable[Cost], measure: str) -> list[Cost]:
    """Attacks that changed something, the most harmful first."""
    sign = -1 if measure in LOWER_IS_BETTER else 1
    known = [c for c in costs if c.change[measure].value is not None]
    return sorted(known, key=lambda c: sign * (c.change[measure].value or 0))


def findings(analysis: Analysis) -> list[str]:
    """The summary: a few sentences that the numbers bear out."""
    main = analysis.main
    title = NAMES[main]
    out = [
        f'Without any attack: {title} '
        f'{both(analysis.clean[main], main)} on {analysis.people:,} people '
        f'in {analysis.images:,} images.'
    ]
    ordered = worst_first([c for c in analysis.costs if c.plain], main)
    if ordered:
        worst = ordered[0]
        out.append(
            f'Costs most: {what(worst)}, Δ{title} '
            f'{both(worst.change[main], main, sign=True)}.'
        )
        sure = sum(c.change[main].is_real for c in ordered)
        out.append(
            f'Of {len(ordered)} attacks on one joint or part, {sure} change '
            f'{title} by more than the choice of images explains (the 95 % '
            'interval leaves out 0).'
        )
    spill = _spill(ordered)
    if spill:
        out.append(spill)
    for curve in analysis.curves:
        if curve.target in (MEAN, 'random'):
            out.append(
                f'Mean {title} over discs of {100 * curve.severity[0]:g} to '
                f"{100 * curve.severity[-1]:g} % of the box's height "
                f'({curve.paint}): {both(curve.area, main)}.'
            )
    return out


def _spill(costs: list[Cost]) -> str | None:
    """How much the joints lose that are hidden, and the others."""
    lost = {}
    for hidden in (True, False):
        rows = [
            (row.number, row.clean.ks - row.attacked.ks)
            for cost in costs
            for row in cost.joints
            if row.joint == 'all'
            and row.hidden == hidden
            and row.clean.ks is not None
            and row.attacked.ks is not None
        ]
        total = sum(count for count, _ in rows)
        if not total:
            return None
        lost[hidden] = sum(count * loss for count, loss in rows) / total
    return (
        f'Of the joints under the paint, {_lost(lost[True])} are no longer '
        'near their place (own OKS term under 0.5); of the joints in plain '
        f'view of the same people, {_lost(lost[False])}.'
    )


def _lost(part: float) -> str:
    return f'{100 * part:.1f} %'.replace('-', MINUS)
