"""``report.json``, the CSV files and the LaTeX table, each with the conditions
under which its numbers were measured; see docs/benchmark_analysis.md."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmpose_occlusion.benchmark.analysis import Estimate, Record
from mmpose_occlusion.benchmark.analysis.bootstrap import UNDEFINED
from mmpose_occlusion.files import plain
from mmpose_occlusion.metrics.oks_pck import published_sigmas

from .formatting import NOTHING, csv_text

Row = dict[str, Any]

SCHEMA = 2  # version of report.json
DIGITS = 6  # decimals of all numbers

# conditions that change when a benchmark is continued
_GROWING = ('people', 'suites', 'versions')

_OF_ATTACK = (
    'suite', 'kind', 'target', 'paint', 'place', 'severity', 'crops',
    'changed', 'excluded', 'painted', 'people', 'images',
)  # fmt: skip
_OF_JOINT = (
    'joint', 'people', 'place', 'mean', 'fall', 'background', 'share',
    'maximum',
)  # fmt: skip

TABLES = (
    'differences', 'attacks', 'joints', 'movement', 'scores', 'leaks',
    'natural', 'maps', 'map_joints', 'map_regions',
)  # fmt: skip
CSV_NAMES = [f'{table}.csv' for table in TABLES]

# results that report.json has under other names
_ELSEWHERE = ('run', 'main', 'why_main', 'costs')

_PACKAGES = ('mmpose_occlusion', 'mmpose', 'torch', 'onnxruntime')


def suite_checksums(analysis: Record) -> dict[str, str]:
    """Suite -> checksum, empty where it is unknown or has none."""
    every = *analysis.run.attacks, *analysis.maps
    return {each.suite: each.checksum for each in every}


def conditions(analysis: Record) -> dict[str, str]:
    """What -> how, in words; what is unknown is left out."""
    run, how, boxes = analysis.run, analysis.run.evaluation, analysis.run.boxes
    annotated = np.allclose(boxes.boxes, boxes.person_boxes, atol=0.01)
    flip: Any = run.run
    for key in ('depends_on', 'config', 'model', 'test_cfg', 'flip_test'):
        flip = flip.get(key) if isinstance(flip, dict) else None
    sigmas, source = published_sigmas(run.joints.names)
    if source is None or not np.allclose(sigmas, run.joints.sigmas):
        source = f'own, mean {np.mean(run.joints.sigmas):.3f}'
    whole = how.get('frame') == 'image'  # whose models have sizes of their own
    versions = run.run.get('versions', {})
    found = {
        'boxes': 'annotated' if annotated else 'detected',
        'flip test': {True: 'yes', False: 'no'}.get(flip),
        'input': None if whole else '{}x{}'.format(*run.crop_size),
        'sigmas': source,
        'pose score': how.get('score_mode'),
        'NMS': f'{how.get("nms_mode", "")} {how.get("nms_thr", "")}'.strip(),
        'people': f'{analysis.people:,} in {analysis.images:,} images',
        'suites': ', '.join(
            f'{name} ({digest})' if digest else name
            for name, digest in suite_checksums(analysis).items()
        ),
        'versions': ', '.join(
            f'{p} {versions[p]}' for p in _PACKAGES if p in versions
        ),
    }
    return {what: str(words) for what, words in found.items() if words}


def conditions_line(analysis: Record) -> str:
    """The conditions in one line."""
    return '; '.join(': '.join(each) for each in conditions(analysis).items())


def changed_conditions(path: Path, new: Mapping[str, Any]) -> list[str]:
    """Sentences on models that the ``report.json`` at a path, if there is one,
    has under other conditions than a new one, for example other sigmas."""
    try:
        models = json.loads(path.read_text())['models']
        before = {m['model']: m['conditions'] for m in models}
    except (OSError, ValueError, KeyError, TypeError):
        return []
    out = []
    for found in new['models']:
        now = found['conditions']
        changes = [
            f'{what} {was} → {now.get(what, NOTHING)}'
            for what, was in before.get(found['model'], now).items()
            if what not in _GROWING and now.get(what, '') != was
        ]
        if changes:
            out.append(
                f'the report of "{found["model"]}" that was here had other '
                f'conditions ({"; ".join(changes)}) and is replaced: keep '
                'both with another --out'
            )
    return out


def report_numbers(
    analyses: Sequence[Record],
    comparison: Record | None,
    draws: int,
    seed: int,
    run: Mapping[str, Any],
) -> dict[str, Any]:
    """All numbers of a report; two of the same predictions differ in the key
    ``run`` alone, which holds times, paths and versions."""
    models = [
        dict(
            **_only(analysis.run, 'model', 'data', 'seed'),
            joints=analysis.run.joints.names,
            **_only(analysis.run, 'crop_size', 'evaluation'),
            measure=analysis.main,
            why_measure=analysis.why_main,
            suites=suite_checksums(analysis),
            conditions=conditions(analysis),
            boxes=len(analysis.run.boxes),
            attacks=analysis.costs,
            **{k: v for k, v in analysis.items() if k not in _ELSEWHERE},
        )
        for analysis in analyses
    ]
    found = dict(
        schema=SCHEMA,
        bootstrap=dict(draws=draws, seed=seed, level=0.95),
        models=models,
        comparison=comparison,
        run=dict(run, models=[a.run.run for a in analyses]),
    )
    return plain(found, DIGITS)


def csv_files(
    analyses: Sequence[Record], comparison: Record | None
) -> dict[str, str]:
    """File name -> text of the tables of all models that have rows."""
    tables: dict[str, list[Row]] = {name: [] for name in TABLES}
    if comparison is not None:
        tables['differences'] += _differences(comparison)
    for analysis in analyses:
        for name, row in _rows(analysis):
            tables[name].append(dict(model=analysis.run.model, **row))
    lines = {a.run.model: conditions_line(a) for a in analyses}
    return {
        f'{name}.csv': csv_text(
            plain(dict(row, conditions=lines[row['model']]), DIGITS)
            for row in rows
        )
        for name, rows in tables.items()
        if rows
    }


def _differences(comparison: Record) -> Iterator[Row]:
    for found in comparison.differences:
        yield (
            dict(model=found.model, baseline=comparison.baseline)
            | _only(found, 'attack', 'people')
            | _named('{}_difference', found.score)
            | _named('{}_difference_simultaneous', found.score_together)
            | _named('{}_loss_difference', found.loss)
            | _named('{}_loss_simultaneous', found.loss_together)
            | _equivalence(found, 'same')
        )


def _rows(analysis: Record) -> Iterator[tuple[str, Row]]:
    """Tables and rows of one model."""
    for cost in analysis.costs:
        attack: Row = dict(attack=cost.name)
        row = attack | _only(cost, *_OF_ATTACK)
        for measure, change in cost.change.items():
            row[f'{measure}_clean'] = cost.clean[measure].value
            row[f'{measure}_attacked'] = cost.attacked[measure].value
            row[f'{measure}_change'] = change
            ends = _only(cost.together[measure], 'low', 'high')
            row[f'{measure}_change_simultaneous'] = ends
        yield 'attacks', row | _equivalence(cost, 'no_change')
        for joint in cost.joints:
            row = attack | _only(joint, 'joint', 'group', 'number')
            for view in ('clean', 'attacked'):
                row |= {f'{m}_{view}': v for m, v in joint[view].items()}
            for measure in ('EPE', 'PCK', 'OKS50', 'AP'):
                change = joint.change.get(measure, UNDEFINED)
                row[f'{measure.lower()}_change'] = change
            yield 'joints', row
        for name, moved in cost.moved.items():
            yield 'movement', attack | dict(joint=name, movement=moved)
    for scores in analysis.scores.attacks:
        for role, found in scores.attacked.items():
            if found.keypoints:
                yield (
                    'scores',
                    dict(attack=scores.attack, role=role)
                    | dict(number=found.keypoints)
                    | _named('{}_clean', scores.clean[role])
                    | _named('{}_attacked', found)
                    | dict(hidden_auroc=scores.hidden_auroc.value)
                    | dict(visibility_auroc=scores.visibility_auroc.value)
                    | _named('pose_{}_clean', scores.pose_clean)
                    | _named('pose_{}_attacked', scores.pose_attacked),
                )
    for leak in analysis.leaks:
        yield 'leaks', leak
    for gap in analysis.natural.gaps:
        yield (
            'natural',
            _only(gap, 'joint', 'visible', 'occluded')
            | _named('{}_visible', gap.at_visible)
            | _named('{}_occluded', gap.at_occluded)
            | _named('{}_loss', gap.loss),
        )
    for each in analysis.maps:
        size = _only(each, 'paint', 'severity')
        for place in each.places:
            row = dict(size, region=place.region, limb='–'.join(place.limb))
            row |= _only(place, 'along', 'across', 'people')
            for name, rise in place.rise.items():
                fall = place.fall[name]
                yield 'maps', dict(row, joint=name, rise=rise, oks_fall=fall)
        for joint in each.joints:
            yield 'map_joints', size | _only(joint, *_OF_JOINT)
        for region in each.regions:
            row = size | _only(region, 'region', 'people')
            for name, rise in region.rise.items():
                yield 'map_regions', dict(row, joint=name, rise=rise)


def _only(found: Any, *names: str) -> Row:
    return {name: getattr(found, name) for name in names}


def _named(form: str, found: Record) -> Row:
    """Estimates by measure, under names of a form."""
    return {
        form.format(name): value
        for name, value in found.items()
        if isinstance(value, Estimate)
    }


def _equivalence(found: Record, prefix: str) -> Row:
    how = found.equivalence
    row = {f'{prefix}_p': how.p, f'{prefix}_margin': how.margin}
    return dict(row, smallest_effect=how.smallest_effect)
