"""``report.json`` and the CSV files; see docs/benchmark_analysis.md."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from mmpose_occlusion.benchmark.analysis import (
    Analysis,
    AttackCost,
    ModelComparison,
)
from mmpose_occlusion.benchmark.analysis.score_quality import AttackScores
from mmpose_occlusion.files import plain

from .conditions import conditions, conditions_line, suite_checksums

SCHEMA = 1
"""Version of ``report.json``."""

DIGITS = 6
"""Decimals of all numbers."""


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
    models = []
    for analysis in analyses:
        of = analysis.run
        models.append(
            dict(
                model=of.model,
                data=of.data,
                seed=of.seed,
                joints=of.joints.names,
                crop_size=list(of.crop_size),
                evaluation=of.evaluation,
                measure=analysis.main,
                why_measure=analysis.why_main,
                suites=suite_checksums(of),
                conditions=conditions(analysis),
                boxes=len(of.boxes),
                people=analysis.people,
                images=analysis.images,
                clean=analysis.clean,
                attacks=analysis.costs,
                matrices=analysis.matrices,
                curves=analysis.curves,
                controls=analysis.controls,
                scores=analysis.scores,
                natural=analysis.natural,
                skill=analysis.skill,
                summaries=analysis.summaries,
            )
        )
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


def csv_files(analyses: Sequence[Analysis]) -> dict[str, str]:
    """File name -> text of the tables of all models."""
    tables: dict[str, list[dict[str, Any]]] = {}
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
        natural=(
            _flat(asdict(gap), ('joint', 'visible', 'occluded'))
            for gap in analysis.natural.gaps
        ),
    )


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
        row[f'{measure}_change'] = change.value
        row[f'{measure}_change_low'] = change.low
        row[f'{measure}_change_high'] = change.high
        together = cost.together[measure]
        row[f'{measure}_change_simultaneous_low'] = together.low
        row[f'{measure}_change_simultaneous_high'] = together.high
    row['no_change_p'] = cost.equivalence.p
    row['smallest_effect'] = cost.equivalence.smallest_effect
    return row


def _scores(scores: AttackScores) -> Iterator[dict[str, Any]]:
    """One row for each role of joints that the attack leaves any of."""
    for role, attacked in scores.attacked.items():
        if attacked.keypoints:
            yield dict(
                attack=scores.attack,
                role=role,
                number=attacked.keypoints,
                **_flat(asdict(scores.clean[role]), (), '_clean'),
                **_flat(asdict(attacked), (), '_attacked'),
                hidden_auroc=scores.hidden_auroc.value,
            )


def _flat(
    values: Mapping[str, Any], plain_keys: Sequence[str], end: str = ''
) -> dict[str, Any]:
    """Plain values, and the columns of estimates."""
    out = {key: values[key] for key in plain_keys}
    for key, found in values.items():
        if isinstance(found, dict):
            out[f'{key}{end}'] = found['value']
            out[f'{key}{end}_low'] = found['low']
            out[f'{key}{end}_high'] = found['high']
    return out


def _joint_rows(cost: AttackCost) -> Iterator[dict[str, Any]]:
    for joint in cost.joints:
        row: dict[str, Any] = dict(
            attack=cost.name,
            joint=joint.joint,
            group=joint.group,
            number=joint.number,
        )
        for view in ('clean', 'attacked'):
            for measure, value in asdict(getattr(joint, view)).items():
                row[f'{measure}_{view}'] = value
        yield row


def _csv(rows: Iterable[dict[str, Any]]) -> str:
    lines = [plain(row, DIGITS) for row in rows]
    out = io.StringIO(newline='')
    if lines:
        writer = csv.DictWriter(out, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    return out.getvalue()
