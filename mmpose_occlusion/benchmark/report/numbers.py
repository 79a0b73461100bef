"""``report.json`` and the CSV files; see docs/benchmark_analysis.md."""

import csv
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from mmpose_occlusion.benchmark.analysis import Analysis, Estimate
from mmpose_occlusion.benchmark.analysis.compare import Comparison
from mmpose_occlusion.benchmark.analysis.costs import Cost

SCHEMA = 1
"""Version of ``report.json``."""

RUN = 'run'
"""Its key for times, paths and versions: all that two reports of the same
predictions may differ in."""

_DIGITS = 6


def report_numbers(
    analyses: Sequence[Analysis],
    comparison: Comparison | None,
    draws: int,
    seed: int,
    run: Mapping[str, Any],
) -> dict[str, Any]:
    """All numbers of a report as plain values."""
    return plain(
        dict(
            schema=SCHEMA,
            bootstrap=dict(draws=draws, seed=seed, level=0.95),
            models=[_model(analysis) for analysis in analyses],
            comparison=comparison,
            run=dict(run, models=[a.run.run for a in analyses]),
        )
    )


def _model(analysis: Analysis) -> dict[str, Any]:
    run = analysis.run
    return dict(
        model=run.model,
        data=run.data,
        seed=run.seed,
        joints=run.joints.names,
        crop_size=list(run.crop_size),
        evaluation=run.evaluation,
        measure=analysis.main,
        boxes=len(run.boxes),
        people=analysis.people,
        images=analysis.images,
        clean=analysis.clean,
        attacks=analysis.costs,
        matrices=analysis.matrices,
        curves=analysis.curves,
        controls=analysis.controls,
    )


def plain(value: Any) -> Any:
    """Plain values for JSON: numbers to six digits, none that is not
    finite."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if hasattr(value, 'tolist'):
        return plain(value.tolist())
    if isinstance(value, float):
        return round(value, _DIGITS) + 0.0 if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    return str(value)


def write_json(path: Path, value: Any) -> None:
    """Write a file of plain values."""
    text = json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False)
    path.write_text(text + '\n', encoding='utf-8')


def write_tables(folder: Path, analyses: Sequence[Analysis]) -> None:
    """Write ``attacks.csv``, ``joints.csv`` and ``movement.csv``."""
    rows = [(a, cost) for a in analyses for cost in a.costs]
    _write(folder / 'attacks.csv', [_attack_row(a, c) for a, c in rows])
    _write(
        folder / 'joints.csv',
        [row for a, cost in rows for row in _joint_rows(a, cost)],
    )
    _write(
        folder / 'movement.csv',
        [
            dict(
                model=a.run.model,
                attack=cost.name,
                joint=joint,
                movement=moved,
            )
            for a, cost in rows
            for joint, moved in cost.moved.items()
        ],
    )


def _attack_row(analysis: Analysis, cost: Cost) -> dict[str, Any]:
    row = dict(
        model=analysis.run.model,
        attack=cost.name,
        suite=cost.suite,
        kind=cost.kind,
        target=cost.target,
        paint=cost.paint,
        place=cost.place,
        severity=cost.severity,
        crops=cost.crops,
        changed=cost.changed,
        excluded=cost.excluded,
        painted=cost.painted,
        people=cost.people,
        images=cost.images,
    )
    for measure, estimate in cost.change.items():
        row[f'{measure}_clean'] = cost.clean[measure].value
        row[f'{measure}_attacked'] = cost.attacked[measure].value
        row.update(_ends(f'{measure}_change', estimate))
    return row


def _ends(name: str, estimate: Estimate) -> dict[str, Any]:
    return {
        name: estimate.value,
        f'{name}_low': estimate.low,
        f'{name}_high': estimate.high,
    }


def _joint_rows(analysis: Analysis, cost: Cost) -> Iterable[dict[str, Any]]:
    for joint in cost.joints:
        row: dict[str, Any] = dict(
            model=analysis.run.model,
            attack=cost.name,
            joint=joint.joint,
            hidden=int(joint.hidden),
            number=joint.number,
        )
        for view in ('clean', 'attacked'):
            for measure, value in asdict(getattr(joint, view)).items():
                row[f'{measure}_{view}'] = value
        yield row


def _write(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with open(path, 'w', newline='', encoding='utf-8') as file:
        if rows:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(plain(row) for row in rows)
