"""All numbers of a report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mmpose_occlusion.benchmark.data import BenchmarkRun
from mmpose_occlusion.metrics.confidence import CONFIDENT

from .anatomical_skill import AnatomicalSkill, SkillJudge
from .attack_costs import AttackCost, attack_cost, with_simultaneous_intervals
from .attack_description import plain_labels
from .attack_groups import (
    ControlComparison,
    CurveDraws,
    SeverityCurve,
    SuiteSummary,
    control_comparisons,
    curve_draws,
    severity_curves,
    suite_summaries,
)
from .bootstrap import DRAWS, Estimates, estimates
from .location_leak import LocationLeak, location_leaks
from .model_comparison import ModelComparison, compare_models
from .natural_occlusion import (
    NaturalDraws,
    NaturalOcclusion,
    natural_occlusion,
)
from .run_measures import RunMeasures
from .score_quality import DRAWS as SCORE_DRAWS
from .score_quality import RunScores, ScoreJudge
from .sensitivity_map import SensitivityMap, sensitivity_maps, split_cells


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
    curves: list[SeverityCurve]
    controls: list[ControlComparison]
    leaks: list[LocationLeak]
    scores: RunScores
    natural: NaturalOcclusion
    skill: list[AnatomicalSkill]
    summaries: list[SuiteSummary]
    maps: list[SensitivityMap]


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
    split = [split_cells(run.attacks) for run in runs]
    for run, (others, _) in zip(runs, split, strict=True):
        run = replace(run, attacks=others)
        found = RunMeasures(run, draws, seed, measure)
        if measures and measures[0].main in found.measures:
            found = RunMeasures(run, draws, seed, measures[0].main)
        measures.append(found)
    analyses: list[Analysis] = []
    natural: list[NaturalDraws | None] = []
    first: list[CurveDraws] | None = None
    for each, (_, cells) in zip(measures, split, strict=True):
        analysis, curves, nature = _analyse(each, threshold, first, progress)
        if cells:
            progress('sensitivity maps')
            maps = sensitivity_maps(each, cells)
            analysis = replace(analysis, maps=maps)
        analyses.append(analysis)
        natural.append(nature)
        first = curves if first is None else first
    if len(measures) > 1:
        progress('comparison of the models')
    return analyses, compare_models(measures, natural)


def _analyse(
    measures: RunMeasures,
    threshold: float,
    first: Sequence[CurveDraws] | None,
    progress: Callable[[str], None],
) -> tuple[Analysis, list[CurveDraws], NaturalDraws | None]:
    """An analysis, the draws of its curves and of natural occlusion."""
    run = measures.run
    labels = plain_labels(run.attacks)
    judge = SkillJudge(measures, SCORE_DRAWS)
    scores = ScoreJudge(measures, threshold)
    costs, told, skill = [], [], []
    for attack in run.attacks:
        progress(attack.name)
        costs.append(
            attack_cost(measures, attack, labels.get(attack.name, ''))
        )
        told.append(scores.attacked(attack))
        skill.append(judge.skill(attack))
    progress('curves, controls and natural occlusion')
    drawn = curve_draws(measures, run.attacks)
    natural, nature = natural_occlusion(measures)
    labelled = measures.labelled.any(axis=1)
    analysis = Analysis(
        run=run,
        main=measures.main,
        why_main=measures.why_main,
        people=len(set(run.boxes.instance_ids[labelled].tolist())),
        images=len(measures.people.images),
        clean=estimates(measures.all_people()),
        config_pck=measures.clean_predictions.config_pck(),
        costs=with_simultaneous_intervals(measures, costs),
        curves=severity_curves(drawn, measures.main),
        controls=control_comparisons(measures, run.attacks),
        leaks=location_leaks(measures),
        scores=scores.scores(told),
        natural=natural,
        skill=[found for found in skill if found is not None],
        summaries=suite_summaries(drawn, measures.main, first),
        maps=[],
    )
    return analysis, drawn, nature
