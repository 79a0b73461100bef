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
from mmpose_occlusion.files import plain

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
                boxes=len(of.boxes),
                people=analysis.people,
                images=analysis.images,
                clean=analysis.clean,
                attacks=analysis.costs,
                matrices=analysis.matrices,
                curves=analysis.curves,
                controls=analysis.controls,
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
    costs = [(a.run.model, cost) for a in analyses for cost in a.costs]
    return {
        'attacks.csv': _csv(_attack_row(*each) for each in costs),
        'joints.csv': _csv(
            row for each in costs for row in _joint_rows(*each)
        ),
        'movement.csv': _csv(
            dict(model=model, attack=cost.name, joint=joint, movement=moved)
            for model, cost in costs
            for joint, moved in cost.moved.items()
        ),
    }


_ATTACK = (
    *('suite', 'kind', 'target', 'paint', 'place', 'severity', 'crops'),
    *('changed', 'excluded', 'painted', 'people', 'images'),
)


def _attack_row(model: str, cost: AttackCost) -> dict[str, Any]:
    row: dict[str, Any] = dict(model=model, attack=cost.name)
    row.update({key: getattr(cost, key) for key in _ATTACK})
    for measure, change in cost.change.items():
        row[f'{measure}_clean'] = cost.clean[measure].value
        row[f'{measure}_attacked'] = cost.attacked[measure].value
        row[f'{measure}_change'] = change.value
        row[f'{measure}_change_low'] = change.low
        row[f'{measure}_change_high'] = change.high
    return row


def _joint_rows(model: str, cost: AttackCost) -> Iterator[dict[str, Any]]:
    for joint in cost.joints:
        row: dict[str, Any] = dict(
            model=model,
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
