"""What the page's sections on scores, natural occlusion and maps show."""

from collections.abc import Sequence
from typing import Any

from mmpose_occlusion.benchmark.analysis import Analysis, Estimate
from mmpose_occlusion.benchmark.analysis.attack_description import USUAL_SIZE
from mmpose_occlusion.benchmark.analysis.natural_occlusion import SeverityMatch
from mmpose_occlusion.benchmark.analysis.score_quality import PooledScores

from .charts import map_charts, risk_chart
from .formatting import (
    NAMES,
    NOTHING,
    arrow,
    both,
    interval,
    number,
    percent,
    place_name,
    pooled_name,
)

Values = dict[str, Any]

SCORE_HEAD = [
    *('joints', 'number', 'right', 'confident and wrong', 'AUROC'),
    *('ECE', 'ECE, fitted', 'risk at 80 %'),
    'AUROC visible against hidden',
]

BY_VISIBILITY = 'the same by the visibility output'


def score_values(analysis: Analysis) -> Values | None:
    """The section "does the model know"; None without scored keypoints."""
    scores = analysis.scores
    if not scores.clean.keypoints or scores.clean.auroc.value is None:
        return None
    rows = [_clean_row(analysis), *map(_pooled_row, scores.pooled)]
    visible = [p.visibility_auroc for p in scores.pooled]
    head = SCORE_HEAD
    if any(found.value is not None for found in visible):
        head = [*head, BY_VISIBILITY]
        for row, found in zip(rows, [None, *visible], strict=True):
            row.append(_lines(found) if found else NOTHING)
    natural = scores.natural_auroc, scores.natural_visibility_auroc
    return dict(
        head=head,
        rows=rows,
        threshold=f'{scores.threshold:g}',
        draws=scores.draws,
        chart=risk_chart(scores.risks, _usual(scores.pooled)),
        sentence=_score_sentence(analysis),
        skill=_skill_rows(analysis),
        natural_auroc=[both(e) for e in natural if e.value is not None],
        pose=both(scores.pose.spearman),
        oracle_gap=both(scores.pose.oracle_gap),
        poses=_pose_rows(analysis),
    )


def _lines(estimate: Estimate) -> str:
    """A number, and its interval below."""
    return f'{number(estimate.value)}\n{interval(estimate)}'


def _clean_row(analysis: Analysis) -> list[str]:
    clean = analysis.scores.clean
    return [
        *('all, no attack', f'{clean.keypoints:,}'),
        *(percent(e.value, 1) for e in (clean.right, clean.confident_wrong)),
        *map(_lines, (clean.auroc, clean.ece, clean.ece_isotonic)),
        *(percent(clean.risk.value, 1), NOTHING),
    ]


def _pooled_row(pooled: PooledScores) -> list[str]:
    clean, attacked = pooled.clean, pooled.attacked
    shares, plain = (
        [
            (getattr(clean, name), getattr(attacked, name))
            for name in names.split()
        ]
        for names in ('right confident_wrong', 'auroc ece ece_isotonic')
    )
    return [
        *(pooled_name(pooled), f'{attacked.keypoints:,}'),
        *(
            f'{percent(before.value, 1)} → {percent(after.value, 1)}'
            + (
                ''
                if after.low is None or after.high is None
                else f'\n[{100 * after.low:.1f}, {100 * after.high:.1f}]'
            )
            for before, after in shares
        ),
        *(
            f'{arrow(before.value, after.value)}\n{interval(after)}'
            for before, after in plain
        ),
        f'{percent(clean.risk.value, 1)} → {percent(attacked.risk.value, 1)}',
        _lines(pooled.hidden_auroc),
    ]


def _usual(found: Sequence[PooledScores]) -> list[PooledScores]:
    """Of each kind and paint the size nearest to the usual one."""
    out: dict[tuple[str, str], PooledScores] = {}
    for one in sorted(
        found, key=lambda p: abs((p.severity or USUAL_SIZE) - USUAL_SIZE)
    ):
        out.setdefault((one.kind, one.paint), one)
    return [p for p in found if p in out.values()][:8]


def _score_sentence(analysis: Analysis) -> str:
    """The paint and size with the greatest fraction of confident errors."""
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
        f'(hidden {pooled_name(worst)}), '
        f'{percent(under.confident_wrong.value)} of the hidden joints are '
        f'wrong with a score above {analysis.scores.threshold:g}, against '
        f'{percent(clean.confident_wrong.value)} of the same joints without '
        'it; the AUROC of the score, right against wrong, is '
        f'{arrow(clean.auroc.value, under.auroc.value)}.'
    )


def _skill_rows(analysis: Analysis) -> list[list[str]]:
    shown = {c.name: c for c in analysis.costs if c.plain}
    return [
        [
            f'{shown[found.attack].target} ({shown[found.attack].label})',
            f'{found.keypoints:,}',
            both(found.model, 'EPE'),
            both(found.prior, 'EPE'),
            both(found.skill, sign=True),
        ]
        for found in analysis.skill
        if found.attack in shown
    ]


def _pose_rows(analysis: Analysis) -> list[list[str]]:
    """Target, and the scores of whole poses, clean and attacked."""
    shown = {c.name: c for c in analysis.costs if c.plain}
    return [
        [
            f'{shown[found.attack].target} ({shown[found.attack].label})',
            *(
                both(getattr(view, name))
                for name in ('spearman', 'oracle_gap')
                for view in (found.pose_clean, found.pose_attacked)
            ),
        ]
        for found in analysis.scores.attacks
        if found.attack in shown
    ]


def map_values(analysis: Analysis) -> list[Values]:
    """Sensitivity maps: charts, table of joints, and matrix."""
    out = []
    for found in analysis.maps:
        first, others = map_charts(analysis, found)
        shown = [e.value for r in found.regions for e in r.rise.values()]
        rows = [
            [
                j.joint,
                f'{j.people:,}',
                both(j.mean, 'EPE', sign=True),
                both(j.fall, 'OKS50', sign=True),
                both(j.background, 'EPE', sign=True),
                both(j.share, 'EPE'),
                both(j.maximum, 'EPE', sign=True),
                j.place or NOTHING,
            ]
            for j in found.joints
        ]
        out.append(
            dict(
                found=found,
                first=first,
                others=others,
                rows=rows,
                largest=max([x or 0 for x in shown] + [0.005]),
            )
        )
    return out


def leak_rows(analysis: Analysis) -> list[list[str]]:
    """Paint and size, discs, and how predictions move by them."""
    names = {
        'centred': 'centred at the joint',
        'offset': 'moved by an offset',
        'decoy': 'decoys where no joint is',
    }
    return [
        [
            leak.paint
            + (f' {100 * leak.severity:g} %' if leak.severity else ''),
            names.get(leak.discs, place_name(leak.discs)),
            f'{leak.predictions:,}',
            both(leak.towards),
            both(leak.away),
            both(leak.net, sign=True),
            both(leak.approach, 'EPE', sign=True),
        ]
        for leak in analysis.leaks
    ]


def nature_values(analysis: Analysis) -> Values | None:
    """The section on natural occlusion; None without annotated people."""
    natural = analysis.natural
    if not natural.strata:
        return None
    measures = list(natural.gaps[0].loss) if natural.gaps else []
    names = {**NAMES, 'OKS': 'per-keypoint OKS', 'AP': 'AP of the joint'}
    return dict(
        head=[
            'joint',
            'visible (v\u00a0=\u00a02)',
            'occluded (v\u00a0=\u00a01)',
        ]
        + [
            f'{names[measure]} visible → occluded, lost'
            for measure in measures
        ],
        gaps=[
            [
                'all joints' if gap.joint == 'all' else gap.joint,
                *(f'{n:,}' for n in (gap.visible, gap.occluded)),
                *(
                    arrow(gap.at_visible[m].value, gap.at_occluded[m].value)
                    + f'\n{both(gap.loss[m])}'
                    for m in measures
                ),
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
        + [both(known[size]) if size in known else NOTHING for known in losses]
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
        return NOTHING
    value = f'none up to {100 * found.severities[-1]:g} %'
    if size.value is not None:
        value = f'{100 * size.value:.1f} %'
    if size.low is None:
        return value
    high = 'none' if size.high is None else f'{100 * size.high:.1f}'
    return f'{value} [{100 * size.low:.1f}, {high}]'


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
    sizes = '; '.join(f'{match.paint} {size_words(match)}' for match in found)
    return (
        'Natural occlusion (v = 1 against v = 2) costs a joint '
        f'{both(found[0].natural)} of OKS≥0.5 in these data. Diameter of a '
        f"disc, of the height of the person's bbox, that costs as much: "
        f'{sizes}.'
    )
