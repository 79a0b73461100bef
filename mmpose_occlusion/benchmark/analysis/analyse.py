"""Everything that a report says of benchmark runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mmpose_occlusion.benchmark.data import BenchmarkRun

from .bootstrap import DRAWS
from .compare import Comparison, compare_runs
from .controls import Control, controls
from .costs import Cost, Estimates, cost, estimates
from .curves import Curve, curves
from .matrix import Matrix, matrices
from .measures import Judge


@dataclass(frozen=True)
class Analysis:
    """What there is to say of one run.

    Args:
        run: The run.
        main: Its main measure.
        people: With a box and a labelled joint.
        images: That boxes or people are in.
        clean: Measures of all these people without any attack.
        costs: Of every attack, in the run's order.
        matrices: See :mod:`.matrix`.
        curves: See :mod:`.curves`.
        controls: See :mod:`.controls`.
    """

    run: BenchmarkRun
    main: str
    people: int
    images: int
    clean: Estimates
    costs: list[Cost]
    matrices: list[Matrix]
    curves: list[Curve]
    controls: list[Control]


def analyse(
    runs: Sequence[BenchmarkRun],
    draws: int = DRAWS,
    seed: int = 0,
    progress: Callable[[str], None] = lambda text: None,
) -> tuple[list[Analysis], Comparison | None]:
    """Analyse runs, and compare them with the first.

    Args:
        runs: At least one.
        draws: Resampled sets of images.
        seed: Of the resampling.
        progress: Is told of each step.

    Returns:
        An analysis of each run, and the comparison if there are several.
    """
    judges = [Judge(run, draws, seed) for run in runs]
    found = [_analyse(judge, progress) for judge in judges]
    if len(judges) > 1:
        progress('comparison of the models')
    return found, compare_runs(judges)


def _analyse(judge: Judge, progress: Callable[[str], None]) -> Analysis:
    run = judge.run
    everybody = judge.labelled.any(axis=1)
    clean = estimates(judge.everybody())
    costs = []
    for attack in run.attacks:
        progress(attack.name)
        costs.append(cost(judge, attack))
    progress('curves and controls')
    return Analysis(
        run=run,
        main=judge.main,
        people=len(set(run.boxes.instance_ids[everybody].tolist())),
        images=len(judge.scene.images),
        clean=clean,
        costs=costs,
        matrices=matrices(costs),
        curves=curves(judge, run.attacks),
        controls=controls(judge, run.attacks),
    )
