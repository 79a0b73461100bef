"""What the page's sections on scores and on natural occlusion show."""

from collections.abc import Iterable, Sequence
from typing import Any

from mmpose_occlusion.benchmark.analysis import (
    COVERAGES,
    USUAL_SIZE,
    Analysis,
    PooledScores,
    ScoreQuality,
    SeverityMatch,
)

from .figures.risk_chart import risk_chart
from .formatting import arrow, both, interval, number, percent

Values = dict[str, Any]

SCORE_HEAD = (
    *('joints', 'number', 'right', 'confident and wrong', 'AUROC'),
    *('ECE', 'ECE, fitted', 'risk at 80 %'),
    'AUROC visible against hidden',
)


def score_values(analysis: Analysis) -> Values | None:
    """The section "does the model know"; None without scored keypoints."""
    scores = analysis.scores
    if not scores.clean.keypoints or scores.clean.auroc.value is None:
        return None
    rows = [_clean_row(analysis)]
    rows += [_pooled_row(pooled) for pooled in scores.pooled]
    return dict(
        head=SCORE_HEAD,
        rows=rows,
        threshold=f'{scores.threshold:g}',
        draws=scores.draws,
        chart=risk_chart(
            {
                'no attack, all joints': scores.risks,
                **{_name(p): p.risks for p in _usual(scores.pooled)},
            },
            COVERAGES,
            'Share of wrong keypoints among those with the highest scores, '
            'by how many are kept; the numbers are in the table above.',
        ),
        sentence=_score_sentence(analysis),
        skill=_skill_rows(analysis),
        natural_auroc=both(scores.natural_auroc)
        if scores.natural_auroc.value is not None
        else '',
        pose=both(scores.pose),
    )


def _clean_row(analysis: Analysis) -> list[str]:
    clean = analysis.scores.clean
    return [
        *('all, no attack', f'{clean.keypoints:,}'),
        *(percent(e.value, 1) for e in (clean.right, clean.confident_wrong)),
        *(
            f'{number(e.value)}\n{interval(e)}'
            for e in (clean.auroc, clean.ece, clean.ece_isotonic)
        ),
        *(percent(clean.risk.value, 1), '–'),
    ]


def _pooled_row(pooled: PooledScores) -> list[str]:
    clean, attacked = pooled.clean, pooled.attacked
    return [
        *(_name(pooled), f'{attacked.keypoints:,}'),
        _percents(clean, attacked, 'right'),
        _percents(clean, attacked, 'confident_wrong'),
        *(
            f'{arrow(before.value, after.value)}\n{interval(after)}'
            for before, after in (
                (clean.auroc, attacked.auroc),
                (clean.ece, attacked.ece),
                (clean.ece_isotonic, attacked.ece_isotonic),
            )
        ),
        f'{percent(clean.risk.value, 1)} → {percent(attacked.risk.value, 1)}',
        f'{number(pooled.hidden_auroc.value)}\n{interval(pooled.hidden_auroc)}',
    ]


def _percents(clean: ScoreQuality, attacked: ScoreQuality, name: str) -> str:
    before, after = getattr(clean, name), getattr(attacked, name)
    ends = ''
    if after.low is not None and after.high is not None:
        ends = f'\n[{100 * after.low:.1f}, {100 * after.high:.1f}]'
    return f'{percent(before.value, 1)} → {percent(after.value, 1)}{ends}'


def _name(pooled: PooledScores) -> str:
    text = f'{pooled.kind}, {pooled.paint}'
    if pooled.severity is not None:
        text += f' {100 * pooled.severity:g} %'
    return text


def _usual(found: Sequence[PooledScores]) -> list[PooledScores]:
    """Of each kind and paint the size nearest to the usual one."""
    out: dict[tuple[str, str], PooledScores] = {}
    for one in found:
        key = one.kind, one.paint
        if key not in out or _away(one) < _away(out[key]):
            out[key] = one
    return list(out.values())[:8]


def _away(pooled: PooledScores) -> float:
    return 0 if pooled.severity is None else abs(pooled.severity - USUAL_SIZE)


def _score_sentence(analysis: Analysis) -> str:
    """The paint and size with the greatest share of confident errors."""
    known = [
        p
        for p in analysis.scores.pooled
        if p.attacked.confident_wrong.value is not None
    ]
    if not known:
        return ''
    worst = max(known, key=lambda p: p.attacked.confident_wrong.value or 0)
    clean, under = worst.clean, worst.attacked
    return (
        'Under the attack with most confident errors '
        f'(hidden {_name(worst)}), '
        f'{percent(under.confident_wrong.value)} of the hidden joints are '
        f'wrong with a score above {analysis.scores.threshold:g}, against '
        f'{percent(clean.confident_wrong.value)} of the same joints without '
        'it; the AUROC of the score, right against wrong, is '
        f'{arrow(clean.auroc.value, under.auroc.value)}.'
    )


def _skill_rows(analysis: Analysis) -> list[list[str]]:
    labels = {c.name: c for c in analysis.costs if c.plain}
    rows = []
    for found in analysis.skill:
        cost = labels.get(found.attack)
        if cost is not None:
            rows.append(
                [
                    f'{cost.target} ({cost.label})',
                    f'{found.keypoints:,}',
                    both(found.model, 'EPE'),
                    both(found.prior, 'EPE'),
                    both(found.skill, sign=True),
                ]
            )
    return rows


def nature_values(analysis: Analysis) -> Values | None:
    """The section on natural occlusion; None without annotated people."""
    natural = analysis.natural
    if not natural.strata:
        return None
    return dict(
        gaps=[
            [
                'all joints' if gap.joint == 'all' else gap.joint,
                *(f'{n:,}' for n in (gap.visible, gap.occluded)),
                *(both(e) for e in (gap.right_visible, gap.right_occluded)),
                both(gap.loss),
            ]
            for gap in natural.gaps
        ],
        strata=[
            [
                *(f'{s.by}: {s.level}', f'{s.people:,}', f'{s.keypoints:,}'),
                both(s.right),
            ]
            for s in natural.strata
        ],
        matches=_match_table(natural.equivalents),
    )


def _match_table(matches: Sequence[SeverityMatch]) -> Values:
    """A column for each paint."""
    sizes = sorted({size for found in matches for size in found.severities})
    losses = [
        dict(zip(found.severities, found.losses, strict=True))
        for found in matches
    ]
    rows = [
        [f'lost at {100 * size:g} %']
        + [both(known[size]) if size in known else '–' for known in losses]
        for size in sizes
    ]
    if matches:
        rows += [
            ['lost by nature', *(both(m.natural) for m in matches)],
            ['size that costs as much', *map(size_words, matches)],
            [
                "Kendall's tau over joints",
                *(both(m.agreement, sign=True) for m in matches),
            ],
        ]
    return dict(head=['', *(m.paint for m in matches)], rows=rows)


def size_words(found: SeverityMatch) -> str:
    """The size that costs as much as nature, and its interval."""
    size = found.size
    if found.natural.value is None:
        return number(None)
    value = f'none up to {100 * found.severities[-1]:g} %'
    if size.value is not None:
        value = f'{100 * size.value:.1f} %'
    ends = [
        f'{100 * end:.1f}' if end is not None else None
        for end in (size.low, size.high)
    ]
    if ends[0] is None:
        return value
    return f'{value} [{ends[0]}, {ends[1] or "none"}]'


def severity_sentence(analysis: Analysis) -> str:
    """Which size of which paint costs as much as natural occlusion; empty
    without keypoints that are labelled as occluded."""
    found = [
        match
        for match in analysis.natural.equivalents
        if match.natural.value is not None
    ]
    if not found:
        return ''
    sizes = _listed(f'{match.paint}: {size_words(match)}' for match in found)
    return (
        'Natural occlusion (v = 1 against v = 2) costs a joint '
        f'{both(found[0].natural)} of OKS≥0.5 in these data. Diameter of a '
        f"disc, of the height of the person's bbox, that costs as much: "
        f'{sizes}.'
    )


def _listed(words: Iterable[str]) -> str:
    return '; '.join(words)
