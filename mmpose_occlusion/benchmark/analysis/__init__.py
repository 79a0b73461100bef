"""Analysis of benchmark runs: functions of the arrays in :mod:`..data`."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from mmpose_occlusion.benchmark.data import BenchmarkRun
from mmpose_occlusion.metrics.confidence import CONFIDENT
from mmpose_occlusion.metrics.oks_pck import is_correct

from .attack_costs import ALL_JOINTS, attack_cost
from .attack_description import describe, plain_labels
from .bootstrap import DRAWS, Estimate, Record, estimates, simultaneous
from .comparisons import (
    compare_models,
    control_comparisons,
    location_leaks,
    severity_curves,
    suite_summaries,
)
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
    analyses: list[Record] = []
    reference: list[Record] = []
    every_natural: list[Record] = []
    for run in runs:
        attacks, cells = split_cells(run.attacks)
        each = RunMeasures(replace(run, attacks=attacks), draws, seed, measure)
        if measures and measures[0].main in each.measures:
            each.main = measures[0].main
        measures.append(each)
        costs, scores = _costs_and_scores(each, threshold, progress)
        progress('curves, controls and natural occlusion')
        every_natural.append(natural_occlusion(each))
        curves = severity_curves(each)
        if cells:
            progress('sensitivity maps')
        ids = each.run.boxes.instance_ids[each.labelled.any(axis=1)]
        analyses.append(
            Record(
                run=each.run,
                main=each.main,
                why_main=each.why_main,
                people=len(set(ids.tolist())),
                images=len(each.people.images),
                clean=estimates(each.all_people),
                config_pck=_config_pck(each),
                costs=costs,
                curves=estimates(curves),
                controls=estimates(control_comparisons(each)),
                leaks=estimates(location_leaks(each)),
                scores=scores,
                natural=estimates(every_natural[-1]),
                skill=anatomical_skills(each),
                summaries=estimates(suite_summaries(curves, reference)),
                maps=sensitivity_maps(each, cells),
            )
        )
        reference = reference or curves
    if len(runs) == 1:
        return analyses, None
    progress('comparison of the models')
    return analyses, compare_models(measures, every_natural)


def _costs_and_scores(
    measures: RunMeasures, threshold: float, progress: Callable[[str], None]
) -> tuple[list[Record], Record]:
    """Of every attack in turn, while its predictions are at hand."""
    attacks, costs = measures.run.attacks, []
    labels, judge = plain_labels(attacks), ScoreJudge(measures, threshold)
    for attack in attacks:
        progress(attack.name)
        label = labels.get(attack.name, '')
        costs.append(attack_cost(measures, attack, label))
        judge.attacked(attack)
    changes = [measures.change(attack) for attack in attacks]
    together = simultaneous(changes, len(measures.people.images))
    for cost, found in zip(costs, together, strict=True):
        cost['together'] = found
    return costs, judge.scores()


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
