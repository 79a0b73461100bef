"""Analysis of benchmark runs: functions of the arrays in :mod:`..data`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mmpose_occlusion.benchmark.data import BenchmarkRun
from mmpose_occlusion.metrics.confidence import CONFIDENT
from mmpose_occlusion.metrics.oks_pck import is_correct

from . import attack_groups as groups
from . import natural_occlusion, score_quality, sensitivity_map
from .attack_costs import (
    ALL_JOINTS,
    AttackCost,
    JointChange,
    JointScores,
    attack_cost,
)
from .attack_description import (
    AttackDescription,
    describe,
    plain_labels,
    transform_configs,
)
from .bootstrap import DRAWS, Estimate, Estimates, estimates, simultaneous
from .model_comparison import ModelComparison, ModelDifference, compare_models
from .run_measures import RunMeasures

__all__ = [
    'ALL_JOINTS',
    'DRAWS',
    'Analysis',
    'AttackCost',
    'AttackDescription',
    'Estimate',
    'JointChange',
    'JointScores',
    'ModelComparison',
    'ModelDifference',
    'analyse',
    'describe',
    'transform_configs',
]


@dataclass(frozen=True)
class Analysis:
    """The results of one run: its main measure and why it is not the usual
    one, numbers of people (with a bbox and a labelled joint) and images (with
    a bbox or a person), measures of all these people without any attack, also
    as the PCKAccuracy of the config counts, and what the other modules of this
    package find."""

    run: BenchmarkRun
    main: str
    why_main: str
    people: int
    images: int
    clean: Estimates
    config_pck: dict[str, float]
    costs: list[AttackCost]
    curves: list[groups.SeverityCurve]
    controls: list[groups.ControlComparison]
    leaks: list[groups.LocationLeak]
    scores: score_quality.RunScores
    natural: natural_occlusion.NaturalOcclusion
    skill: list[score_quality.AnatomicalSkill]
    summaries: list[groups.SuiteSummary]
    maps: list[sensitivity_map.SensitivityMap]


def analyse(
    runs: Sequence[BenchmarkRun],
    draws: int = DRAWS,
    seed: int = 0,
    progress: Callable[[str], None] = lambda text: None,
    measure: str | None = None,
    threshold: float = CONFIDENT,
) -> tuple[list[Analysis], ModelComparison | None]:
    """Analyse runs, and compare them with the first.

    Args:
        runs: At least one.
        draws: Resampled sets of images.
        seed: Of the resampling.
        progress: Called with the name of each attack, and of other steps.
        measure: Main measure, see :class:`.run_measures.RunMeasures`.
        threshold: Score above which a prediction counts as confident.

    Returns:
        An analysis of each run, and the comparison if there are several.

    Raises:
        UsageError: The data lacks the measure.
    """
    measures: list[RunMeasures] = []
    split = [sensitivity_map.split_cells(run.attacks) for run in runs]
    for run, (others, _) in zip(runs, split, strict=True):
        run = replace(run, attacks=others)
        found = RunMeasures(run, draws, seed, measure)
        if measures and measures[0].main in found.measures:
            found = RunMeasures(run, draws, seed, measures[0].main)
        measures.append(found)
    analyses: list[Analysis] = []
    natural: list[natural_occlusion.NaturalDraws | None] = []
    reference: list[groups.CurveDraws] = []
    for each, (_, cells) in zip(measures, split, strict=True):
        scores, costs, told = score_quality.ScoreJudge(each, threshold), [], []
        labels = plain_labels(each.run.attacks)
        for attack in each.run.attacks:
            progress(attack.name)
            label = labels.get(attack.name, '')
            costs.append(attack_cost(each, attack, label))
            told.append(scores.attacked(attack))
        progress('curves, controls and natural occlusion')
        drawn = groups.curve_draws(each, each.run.attacks)
        nature, draws_of_it = natural_occlusion.natural_occlusion(each)
        natural.append(draws_of_it)
        if cells:
            progress('sensitivity maps')
        changes = [each.change(attack) for attack in each.run.attacks]
        together = simultaneous(changes, len(each.people.images))
        labelled = each.labelled.any(axis=1)
        ids = each.run.boxes.instance_ids[labelled]
        analyses.append(
            Analysis(
                run=each.run,
                main=each.main,
                why_main=each.why_main,
                people=len(set(ids.tolist())),
                images=len(each.people.images),
                clean=estimates(each.all_people()),
                config_pck=_config_pck(each),
                costs=[
                    replace(cost, together=found)
                    for cost, found in zip(costs, together, strict=True)
                ],
                curves=groups.severity_curves(drawn, each.main),
                controls=groups.control_comparisons(each),
                leaks=groups.location_leaks(each),
                scores=scores.scores(told),
                natural=nature,
                skill=score_quality.anatomical_skills(each),
                summaries=groups.suite_summaries(drawn, each.main, reference),
                maps=sensitivity_map.sensitivity_maps(each, cells),
            )
        )
        if len(analyses) == 1:
            reference = drawn
    if len(measures) > 1:
        progress('comparison of the models')
    return analyses, compare_models(measures, natural)


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
