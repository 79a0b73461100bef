"""Analysis of benchmark runs: functions of the arrays in :mod:`..data`."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from mmpose_occlusion.benchmark.data import BenchmarkRun
from mmpose_occlusion.metrics.confidence import CONFIDENT
from mmpose_occlusion.metrics.pck import is_correct

from .attack_costs import ALL_JOINTS, attack_cost
from .attack_description import describe, plain_labels, transform_configs
from .attack_groups import (
    control_comparisons,
    location_leaks,
    severity_curves,
    suite_summaries,
)
from .bootstrap import DRAWS, Estimate, Record, estimates, simultaneous
from .model_comparison import compare_models
from .natural_occlusion import natural_occlusion
from .run_measures import RunMeasures
from .score_quality import ScoreJudge, anatomical_skills
from .sensitivity_map import sensitivity_maps, split_cells

__all__ = [
    'ALL_JOINTS',
    'DRAWS',
    'Estimate',
    'Record',
    'analyse',
    'describe',
    'transform_configs',
]


def analyse(
    runs: Sequence[BenchmarkRun],
    draws: int = DRAWS,
    seed: int = 0,
    progress: Callable[[str], None] = lambda text: None,
    measure: str | None = None,
    threshold: float = CONFIDENT,
) -> tuple[list[Record], Record | None]:
    """Analyse runs, and compare them with the first.

    Args:
        runs: At least one.
        draws: Resampled sets of images.
        seed: Of the resampling.
        progress: Called with the name of each attack, and of other steps.
        measure: Main measure, see :class:`.run_measures.RunMeasures`.
        threshold: Score above which a prediction counts as confident.

    Returns:
        The results of each run, and the comparison if there are several: keys
        are attributes, and of ``report.json`` (docs/benchmark_analysis.md),
        with ``costs`` for its ``attacks`` and ``main`` for its ``measure``;
        ``run`` is the run.

    Raises:
        UsageError: The data lacks the measure.
    """
    measures: list[RunMeasures] = []
    split = [split_cells(run.attacks) for run in runs]
    for run, (others, _) in zip(runs, split, strict=True):
        run = replace(run, attacks=others)
        found = RunMeasures(run, draws, seed, measure)
        if measures and measures[0].main in found.measures:
            found = RunMeasures(run, draws, seed, measures[0].main)
        measures.append(found)
    analyses: list[Record] = []
    losses = []
    reference: list[Record] = []
    for each, (_, cells) in zip(measures, split, strict=True):
        judge, costs, told = ScoreJudge(each, threshold), [], []
        labels = plain_labels(each.run.attacks)
        for attack in each.run.attacks:
            progress(attack.name)
            label = labels.get(attack.name, '')
            costs.append(attack_cost(each, attack, label))
            told.append(judge.attacked(attack))
        images = len(each.people.images)
        changes = [each.change(attack) for attack in each.run.attacks]
        for cost, together in zip(
            costs, simultaneous(changes, images), strict=True
        ):
            cost['together'] = together
        progress('curves, controls and natural occlusion')
        natural, lost = natural_occlusion(each)
        losses.append(lost)
        curves = severity_curves(each, each.run.attacks)
        summaries = suite_summaries(curves, reference)
        reference = reference or curves
        if cells:
            progress('sensitivity maps')
        ids = each.run.boxes.instance_ids[each.labelled.any(axis=1)]
        analyses.append(
            Record(
                run=each.run,
                main=each.main,
                why_main=each.why_main,
                people=len(set(ids.tolist())),
                images=images,
                clean=estimates(each.all_people()),
                config_pck=_config_pck(each),
                costs=costs,
                curves=[
                    estimates({k: c[k] for k in c if k != 'control'})
                    for c in curves
                ],
                controls=estimates(control_comparisons(each)),
                leaks=estimates(location_leaks(each)),
                scores=judge.scores(told),
                natural=natural,
                skill=anatomical_skills(each),
                summaries=estimates(summaries),
                maps=sensitivity_maps(each, cells),
            )
        )
    if len(measures) > 1:
        progress('comparison of the models')
    return analyses, compare_models(measures, losses)


def _config_pck(measures: RunMeasures) -> dict[str, float]:
    """PCK as each ``PCKAccuracy`` of the config counts and names it: at its
    threshold, the mean over joints of the fraction that is right."""
    labelled, out = measures.labelled, {}
    known = labelled.any(axis=0)
    for metric in measures.run.evaluation.get('pck', ()):
        prefix = f'{metric["prefix"]}/' if metric['prefix'] else ''
        errors = measures.clean_predictions.errors
        right = is_correct(errors, measures.sizes, metric['thr']) & labelled
        rates = right.sum(axis=0)[known] / labelled.sum(axis=0)[known]
        out[f'{prefix}PCK'] = float(rates.mean())
    return out
