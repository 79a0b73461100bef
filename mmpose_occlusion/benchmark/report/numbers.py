"""``report.json``, the CSV files and the LaTeX table, each with the conditions
under which its numbers were measured; see docs/benchmark_analysis.md."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from mmpose_occlusion.benchmark.analysis import (
    Analysis,
    AttackCost,
    Estimate,
    ModelComparison,
)
from mmpose_occlusion.benchmark.analysis.score_quality import AttackScores
from mmpose_occlusion.benchmark.analysis.sensitivity_map import SensitivityMap
from mmpose_occlusion.benchmark.data import UNMATCHED
from mmpose_occlusion.files import plain
from mmpose_occlusion.metrics.oks import published_sigmas

from .formatting import MINUS, NAMES, NOTHING, both, describe, number

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
    tables: dict[str, list[dict[str, Any]]] = {}
    if comparison and comparison.differences:
        lines = {a.run.model: conditions_line(a) for a in analyses}
        tables['differences.csv'] = [
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
                conditions=lines[d.model],
            )
            for d in comparison.differences
        ]
    for analysis in analyses:
        model, line = analysis.run.model, conditions_line(analysis)
        for name, rows in _tables(analysis).items():
            tables.setdefault(f'{name}.csv', []).extend(
                dict(model=model, **row, conditions=line) for row in rows
            )
    return {name: _csv(rows) for name, rows in tables.items()}


def _tables(analysis: Analysis) -> dict[str, Iterable[dict[str, Any]]]:
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
            dict(
                paint=leak.paint,
                severity=leak.severity,
                discs=leak.discs,
                predictions=leak.predictions,
                **_columns(vars(leak)),
            )
            for leak in analysis.leaks
        ),
        natural=(
            dict(
                joint=gap.joint,
                visible=gap.visible,
                occluded=gap.occluded,
                **_columns(gap.at_visible, '{}_visible'),
                **_columns(gap.at_occluded, '{}_occluded'),
                **_columns(gap.loss, '{}_loss'),
            )
            for gap in analysis.natural.gaps
        ),
        maps=(row for found in analysis.maps for row in _map_rows(found)),
        map_joints=(
            dict(
                **_of_map(found),
                joint=joint.joint,
                people=joint.people,
                place=joint.place,
                **_columns(vars(joint)),
            )
            for found in analysis.maps
            for joint in found.joints
        ),
        map_regions=(
            dict(
                **_of_map(found),
                region=row.region,
                people=row.people,
                joint=joint,
                **_columns(dict(rise=rise)),
            )
            for found in analysis.maps
            for row in found.regions
            for joint, rise in row.rise.items()
        ),
    )


def _of_map(found: SensitivityMap) -> dict[str, Any]:
    return dict(paint=found.paint, severity=found.severity)


def _map_rows(found: SensitivityMap) -> Iterator[dict[str, Any]]:
    """One row for each place and joint that are not masked."""
    for place in found.places:
        for joint, rise in place.rise.items():
            yield dict(
                **_of_map(found),
                region=place.region,
                limb='–'.join(place.limb),
                along=place.along,
                across=place.across,
                people=place.people,
                joint=joint,
                **_columns(dict(rise=rise)),
                oks_fall=place.fall[joint],
            )


def _columns(found: Mapping[str, Any], form: str = '{}') -> dict[str, Any]:
    """Value and interval of each estimate; others are left out."""
    return {
        f'{form.format(name)}{end}': getattr(estimate, key)
        for name, estimate in found.items()
        if isinstance(estimate, Estimate)
        for key, end in (('value', ''), ('low', '_low'), ('high', '_high'))
    }


_ATTACK = (
    *('suite', 'kind', 'target', 'paint', 'place', 'severity', 'crops'),
    *('changed', 'excluded', 'painted', 'people', 'images'),
)


def _attack_row(cost: AttackCost) -> dict[str, Any]:
    row: dict[str, Any] = dict(attack=cost.name)
    row.update({key: getattr(cost, key) for key in _ATTACK})
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


def _scores(scores: AttackScores) -> Iterator[dict[str, Any]]:
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


def _joint_rows(cost: AttackCost) -> Iterator[dict[str, Any]]:
    for joint in cost.joints:
        row: dict[str, Any] = dict(
            attack=cost.name,
            joint=joint.joint,
            group=joint.group,
            number=joint.number,
        )
        for view in ('clean', 'attacked'):
            for measure, value in vars(getattr(joint, view)).items():
                row[f'{measure}_{view}'] = value
        for measure in ('epe', 'pck', 'oks50', 'ap'):
            found = {name.lower(): e for name, e in joint.change.items()}
            change = found.get(measure, Estimate(None, None, None))
            row.update(_columns({f'{measure}_change': change}))
        yield row


def _csv(rows: Iterable[dict[str, Any]]) -> str:
    lines = [plain(row, DIGITS) for row in rows]
    out = io.StringIO(newline='')
    if lines:
        names = dict.fromkeys(key for line in lines for key in line)
        writer = csv.DictWriter(out, list(names))
        writer.writeheader()
        writer.writerows(lines)
    return out.getvalue()


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
            _tex('attack', 'people', 'clean', 'attacked', f'Δ{NAMES[main]}'),
            r'\midrule',
            rf'\multicolumn{{5}}{{l}}{{{_escaped(analysis.run.model)}, all '
            rf'people without occlusion: {_escaped(clean)}}} \\',
        ]
        lines += [
            _tex(
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
            + rf'{_escaped(conditions_line(analysis))}. Brackets: 95\,\% '
            r'bootstrap intervals over images; *: the simultaneous interval '
            r'over all attacks excludes 0.} \\',
            r'\bottomrule' if analysis is analyses[-1] else r'\midrule',
        ]
    return '\n'.join([*lines, r'\end{tabular}', ''])


def _tex(*cells: str) -> str:
    return ' & '.join(map(_escaped, cells)) + r' \\'


_TEX = {MINUS: '$-$', '≥': r'$\geq$', 'Δ': r'$\Delta$', '–': '--'}


def _escaped(text: str) -> str:
    """Text as LaTeX prints it."""
    text = re.sub(r'[\\{}]', '', text)
    text = re.sub(r'([&%$#_])', r'\\\1', text)
    text = re.sub(r'[~^]', ' ', text)
    return ''.join(_TEX.get(letter, letter) for letter in text)
