"""All numbers of a report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mmpose_occlusion.benchmark.data import BenchmarkRun

from .attack_costs import AttackCost, attack_cost
from .attack_groups import (
    ControlComparison,
    MovementMatrix,
    SeverityCurve,
    control_comparisons,
    movement_matrices,
    severity_curves,
)
from .bootstrap import DRAWS, Estimates, estimates
from .model_comparison import ModelComparison, compare_models
from .run_measures import RunMeasures


@dataclass(frozen=True)
class Analysis:
    """The results of one run.

    Args:
        run: The run.
        main: Its main measure.
        people: With a bbox and a labelled joint.
        images: With a bbox or a person.
        clean: Measures of all these people without any attack.
        costs: Of all attacks, in the run's order.
        matrices: Movement of all joints by the hidden target.
        curves: Measures by the size of the occlusion.
        controls: Targets against other places of the same area.
    """

    run: BenchmarkRun
    main: str
    people: int
    images: int
    clean: Estimates
    costs: list[AttackCost]
    matrices: list[MovementMatrix]
    curves: list[SeverityCurve]
    controls: list[ControlComparison]


def analyse(
    runs: Sequence[BenchmarkRun],
    draws: int = DRAWS,
    seed: int = 0,
    progress: Callable[[str], None] = lambda text: None,
) -> tuple[list[Analysis], ModelComparison | None]:
    """Analyse runs, and compare them with the first.

    Args:
        runs: At least one.
        draws: Resampled sets of images.
        seed: Of the resampling.
        progress: Called with the name of each step.

    Returns:
        An analysis of each run, and the comparison if there are several.
    """
    measures = [RunMeasures(run, draws, seed) for run in runs]
    analyses = [_analyse(m, progress) for m in measures]
    if len(measures) > 1:
        progress('comparison of the models')
    return analyses, compare_models(measures)


def _analyse(
    measures: RunMeasures, progress: Callable[[str], None]
) -> Analysis:
    run = measures.run
    labelled = measures.labelled.any(axis=1)
    clean = estimates(measures.all_people())
    costs = []
    for attack in run.attacks:
        progress(attack.name)
        costs.append(attack_cost(measures, attack))
    progress('curves and controls')
    return Analysis(
        run=run,
        main=measures.main,
        people=len(set(run.boxes.instance_ids[labelled].tolist())),
        images=len(measures.people.images),
        clean=clean,
        costs=costs,
        matrices=movement_matrices(costs),
        curves=severity_curves(measures, run.attacks),
        controls=control_comparisons(measures, run.attacks),
    )
