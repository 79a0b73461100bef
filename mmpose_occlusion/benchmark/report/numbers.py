"""``report.json``, the CSV files and the LaTeX table, each with the conditions
under which its numbers were measured; see docs/benchmark_analysis.md."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from mmpose_occlusion.benchmark.analysis import (
    Analysis,
    AttackCost,
    Estimate,
    ModelComparison,
)
from mmpose_occlusion.benchmark.analysis.bootstrap import UNDEFINED
from mmpose_occlusion.benchmark.analysis.score_quality import AttackScores
from mmpose_occlusion.benchmark.data import UNMATCHED
from mmpose_occlusion.files import plain
from mmpose_occlusion.metrics.oks_pck import published_sigmas

from .formatting import (
    NAMES,
    NOTHING,
    both,
    csv_text,
    describe,
    latex_row,
    latex_text,
    number,
)

Row = dict[str, Any]

SCHEMA = 2
"""Version of ``report.json``."""

DIGITS = 6
"""Decimals of all numbers."""

_GROWING = ('people', 'suites', 'versions')
"""Conditions that change when a benchmark is continued."""

NOTE_OF_TABLE = r'\multicolumn{5}{p{\linewidth}}{\footnotesize '
"""In every LaTeX table, by which it is known as ours."""

_PACKAGES = ('mmpose_occlusion', 'mmpose', 'torch', 'onnxruntime')


def suite_checksums(analysis: Analysis) -> dict[str, str]:
    """Suite -> checksum, empty where it is unknown or has none."""
    attacks, maps = analysis.run.attacks, analysis.maps
    found = {attack.suite: attack.checksum for attack in attacks}
    return found | {each.suite: each.checksum for each in maps}


def conditions(analysis: Analysis) -> dict[str, str]:
    """What -> how, in words; what is unknown is left out."""
    run, how, boxes = analysis.run, analysis.run.evaluation, analysis.run.boxes
    width, height = run.crop_size
    same = np.allclose(boxes.boxes, boxes.person_boxes, atol=0.01)
    alone = UNMATCHED not in boxes.instance_ids
    out = dict(boxes='annotated' if alone and same else 'detected')
    flip: Any = run.run
    for key in ('depends_on', 'config', 'model', 'test_cfg', 'flip_test'):
        flip = flip.get(key) if isinstance(flip, dict) else None
    if isinstance(flip, bool):
        out['flip test'] = 'yes' if flip else 'no'
    if how.get('frame') != 'image':  # whose models have sizes of their own
        out['input'] = f'{width}x{height}'
    sigmas, source = published_sigmas(run.joints.names)
    if source is None or not np.allclose(sigmas, run.joints.sigmas):
        source = f'own, mean {np.mean(run.joints.sigmas):.3f}'
    out['sigmas'] = source
    if 'score_mode' in how:
        out['pose score'] = str(how['score_mode'])
    if 'nms_mode' in how:
        out['NMS'] = f'{how["nms_mode"]} {how.get("nms_thr", "")}'.strip()
    out['people'] = f'{analysis.people:,} in {analysis.images:,} images'
    suites = suite_checksums(analysis).items()
    if suites:
        out['suites'] = ', '.join(
            f'{name} ({digest})' if digest else name for name, digest in suites
        )
    versions = run.run.get('versions', {})
    known = [f'{p} {versions[p]}' for p in _PACKAGES if p in versions]
    if known:
        out['versions'] = ', '.join(known)
    return out


def conditions_line(analysis: Analysis) -> str:
    """The conditions in one line."""
    return '; '.join(': '.join(each) for each in conditions(analysis).items())


def changed_conditions(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> list[str]:
    """Sentences on models of two ``report.json`` that were evaluated in
    different ways, for example with other sigmas."""
    before = {m['model']: m['conditions'] for m in old.get('models', [])}
    out = []
    for found in new['models']:
        now = found['conditions']
        was = before.get(found['model'], now)
        changes = [
            f'{what} {was[what]} → {now.get(what, NOTHING)}'
            for what in was
            if what not in _GROWING and now.get(what, '') != was[what]
        ]
        if changes:
            out.append(
                f'the report of "{found["model"]}" that was here had other '
                f'conditions ({"; ".join(changes)}) and is replaced: keep '
                'both with another --out'
            )
    return out


def report_numbers(
    analyses: Sequence[Analysis],
    comparison: ModelComparison | None,
    draws: int,
    seed: int,
    run: Mapping[str, Any],
) -> dict[str, Any]:
    """All numbers of a report.

    Two reports of the same predictions differ in the key ``run`` alone,
    which holds times, paths and versions.
    """
    models = [
        dict(
            model=analysis.run.model,
            data=analysis.run.data,
            seed=analysis.run.seed,
            joints=analysis.run.joints.names,
            crop_size=list(analysis.run.crop_size),
            evaluation=analysis.run.evaluation,
            measure=analysis.main,
            why_measure=analysis.why_main,
            suites=suite_checksums(analysis),
            conditions=conditions(analysis),
            boxes=len(analysis.run.boxes),
            attacks=analysis.costs,
            **{
                name: value
                for name, value in vars(analysis).items()
                if name not in ('run', 'main', 'why_main', 'costs')
            },
        )
        for analysis in analyses
    ]
    return plain(
        dict(
            schema=SCHEMA,
            bootstrap=dict(draws=draws, seed=seed, level=0.95),
            models=models,
            comparison=comparison,
            run=dict(run, models=[a.run.run for a in analyses]),
        ),
        DIGITS,
    )


def csv_files(
    analyses: Sequence[Analysis], comparison: ModelComparison | None
) -> dict[str, str]:
    """File name -> text of the tables of all models, '' without rows."""
    tables: dict[str, list[Row]] = {}
    if comparison and comparison.differences:
        tables['differences'] = [
            dict(
                model=d.model,
                baseline=comparison.baseline,
                attack=d.attack,
                people=d.people,
                **_columns(d.score, '{}_difference'),
                **_columns(d.score_together, '{}_difference_simultaneous'),
                **_columns(d.loss, '{}_loss_difference'),
                **_columns(d.loss_together, '{}_loss_simultaneous'),
                same_p=d.equivalence.p,
                same_margin=d.equivalence.margin,
                smallest_effect=d.equivalence.smallest_effect,
            )
            for d in comparison.differences
        ]
    lines = {a.run.model: conditions_line(a) for a in analyses}
    for analysis in analyses:
        for name, rows in _tables(analysis).items():
            tables.setdefault(name, []).extend(
                dict(model=analysis.run.model, **row) for row in rows
            )
    return {
        f'{name}.csv': csv_text(
            plain(dict(row, conditions=lines[row['model']]), DIGITS)
            for row in rows
        )
        for name, rows in tables.items()
    }


def _tables(analysis: Analysis) -> dict[str, Iterable[Row]]:
    """Name -> rows; those on joints follow those on their attack."""
    costs = analysis.costs
    return dict(
        attacks=map(_attack_row, costs),
        joints=(row for cost in costs for row in _joint_rows(cost)),
        movement=(
            dict(attack=cost.name, joint=joint, movement=moved)
            for cost in costs
            for joint, moved in cost.moved.items()
        ),
        scores=(row for s in analysis.scores.attacks for row in _scores(s)),
        leaks=(
            _row(leak, 'paint', 'severity', 'discs', 'predictions')
            for leak in analysis.leaks
        ),
        natural=(
            dict(
                _row(gap, 'joint', 'visible', 'occluded'),
                **_columns(gap.at_visible, '{}_visible'),
                **_columns(gap.at_occluded, '{}_occluded'),
                **_columns(gap.loss, '{}_loss'),
            )
            for gap in analysis.natural.gaps
        ),
        maps=(
            dict(
                **_row(found, 'paint', 'severity'),
                region=place.region,
                limb='–'.join(place.limb),
                **_row(place, 'along', 'across', 'people'),
                joint=joint,
                **_columns(dict(rise=rise)),
                oks_fall=place.fall[joint],
            )
            for found in analysis.maps
            for place in found.places
            for joint, rise in place.rise.items()
        ),
        map_joints=(
            dict(
                **_row(found, 'paint', 'severity'),
                **_row(joint, 'joint', 'people', 'place'),
            )
            for found in analysis.maps
            for joint in found.joints
        ),
        map_regions=(
            dict(
                **_row(found, 'paint', 'severity'),
                **_row(row, 'region', 'people'),
                joint=joint,
                **_columns(dict(rise=rise)),
            )
            for found in analysis.maps
            for row in found.regions
            for joint, rise in row.rise.items()
        ),
    )


def _row(found: Any, *names: str) -> Row:
    """Attributes of an object, and its estimates."""
    return {n: getattr(found, n) for n in names} | _columns(vars(found))


def _columns(found: Mapping[str, Any], form: str = '{}') -> dict[str, Any]:
    """Value and interval of each estimate; others are left out."""
    return {
        f'{form.format(name)}{end}': getattr(estimate, key)
        for name, estimate in found.items()
        if isinstance(estimate, Estimate)
        for key, end in (('value', ''), ('low', '_low'), ('high', '_high'))
    }


def _attack_row(cost: AttackCost) -> Row:
    row = dict(
        attack=cost.name,
        **_row(
            cost,
            *('suite', 'kind', 'target', 'paint', 'place', 'severity'),
            *('crops', 'changed', 'excluded', 'painted', 'people', 'images'),
        ),
    )
    for measure, change in cost.change.items():
        row[f'{measure}_clean'] = cost.clean[measure].value
        row[f'{measure}_attacked'] = cost.attacked[measure].value
        row.update(_columns({f'{measure}_change': change}))
        together = cost.together[measure]
        row[f'{measure}_change_simultaneous_low'] = together.low
        row[f'{measure}_change_simultaneous_high'] = together.high
    row['no_change_p'] = cost.equivalence.p
    row['no_change_margin'] = cost.equivalence.margin
    row['smallest_effect'] = cost.equivalence.smallest_effect
    return row


def _scores(scores: AttackScores) -> Iterator[Row]:
    """One row for each group of joints that the attack leaves any of."""
    for role, attacked in scores.attacked.items():
        if attacked.keypoints:
            yield dict(
                attack=scores.attack,
                role=role,
                number=attacked.keypoints,
                **_columns(vars(scores.clean[role]), '{}_clean'),
                **_columns(vars(attacked), '{}_attacked'),
                hidden_auroc=scores.hidden_auroc.value,
                visibility_auroc=scores.visibility_auroc.value,
                **_columns(vars(scores.pose_clean), 'pose_{}_clean'),
                **_columns(vars(scores.pose_attacked), 'pose_{}_attacked'),
            )


def _joint_rows(cost: AttackCost) -> Iterator[Row]:
    for joint in cost.joints:
        row = dict(attack=cost.name, **_row(joint, 'joint', 'group', 'number'))
        for view in ('clean', 'attacked'):
            for measure, value in vars(getattr(joint, view)).items():
                row[f'{measure}_{view}'] = value
        for measure in ('EPE', 'PCK', 'OKS50', 'AP'):
            change = joint.change.get(measure, UNDEFINED)
            row.update(_columns({f'{measure.lower()}_change': change}))
        yield row


def latex_table(analyses: Sequence[Analysis]) -> str:
    """A table for a paper: the attacks on one joint or part of each model,
    with 95 % intervals and, below them, the conditions. Needs ``booktabs``."""
    lines = [
        r'\begin{tabular}{lrrrr}',
        r'\toprule',
    ]
    for analysis in analyses:
        main = analysis.main
        clean = both(analysis.clean[main], main)
        lines += [
            latex_row(
                'attack', 'people', 'clean', 'attacked', f'Δ{NAMES[main]}'
            ),
            r'\midrule',
            rf'\multicolumn{{5}}{{l}}{{{latex_text(analysis.run.model)}, all '
            rf'people without occlusion: {latex_text(clean)}}} \\',
        ]
        lines += [
            latex_row(
                describe(cost),
                f'{cost.people:,}',
                number(cost.clean[main].value, main),
                number(cost.attacked[main].value, main),
                both(cost.change[main], main, sign=True)
                + ('*' if cost.together[main].is_real else ''),
            )
            for cost in analysis.costs
            if cost.plain
        ]
        lines += [
            r'\midrule',
            NOTE_OF_TABLE
            + rf'{latex_text(conditions_line(analysis))}. Brackets: 95\,\% '
            r'bootstrap intervals over images; *: the simultaneous interval '
            r'over all attacks excludes 0.} \\',
            r'\bottomrule' if analysis is analyses[-1] else r'\midrule',
        ]
    return '\n'.join([*lines, r'\end{tabular}', ''])
