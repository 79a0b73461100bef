"""One number for a suite with several severities; S50 of each joint."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmpose_occlusion.metrics.robustness import (
    half_severity,
    mean_occlusion_error,
    mean_performance,
    relative_performance,
)

from .attack_groups import MEAN, CurveDraws
from .bootstrap import Estimate, censored_estimate, estimate


@dataclass(frozen=True)
class HalfSeverity:
    """S50: the smallest severity at which half of the measure is lost.

    Args:
        kind: Of the attacks.
        target: Which they hide, or :data:`.attack_groups.MEAN`.
        paint: Which they paint.
        clean: Measure of the same people without an attack.
        size: Diameter as a fraction of the height of the bbox; infinite
            values and ends are None.
        reached: Whether the greatest size of the suite loses half.
    """

    kind: str
    target: str
    paint: str
    clean: Estimate
    size: Estimate
    reached: bool


@dataclass(frozen=True)
class SuiteSummary:
    """A suite in few numbers, see :mod:`mmpose_occlusion.metrics.robustness`.

    Args:
        suite: Name.
        measure: Such as ``AP``.
        curves: Number of targets times paints, over which the means are.
        severities: All sizes.
        clean: Mean over the curves of the measure of their people without an
            attack.
        mpc: Mean over curves and sizes.
        rpc: ``mpc`` as a fraction of ``clean``.
        moe: Mean error relative to the first model of the report; None for
            that model and for other attacks than its.
        halves: S50 of each curve, means of several targets included.
    """

    suite: str
    measure: str
    curves: int
    severities: list[float]
    clean: Estimate
    mpc: Estimate
    rpc: Estimate
    moe: Estimate
    halves: list[HalfSeverity]


def suite_summaries(
    drawn: Sequence[CurveDraws],
    measure: str,
    reference: Sequence[CurveDraws] | None = None,
) -> list[SuiteSummary]:
    """A summary of each suite that has severities.

    Args:
        drawn: Of :func:`.attack_groups.curve_draws`.
        measure: Name of the main measure.
        reference: Curves of the first model.
    """
    own = [curve for curve in drawn if not curve.is_control]
    return [
        _summary(
            suite,
            measure,
            [c for c in own if c.suite == suite],
            [c for c in reference or () if c.suite == suite],
        )
        for suite in dict.fromkeys(curve.suite for curve in own)
    ]


def _summary(
    suite: str,
    measure: str,
    drawn: Sequence[CurveDraws],
    reference: Sequence[CurveDraws],
) -> SuiteSummary:
    curves, first = _by_name(drawn), _by_name(reference)
    clean = np.mean([c.values[0] for c in drawn if c.target != MEAN], axis=0)
    moe = np.full(len(clean), np.nan)
    same = {n: c.shape for n, c in curves.items()} == {
        n: c.shape for n, c in first.items()
    }
    if same:
        moe = mean_occlusion_error(curves, first)
    return SuiteSummary(
        suite=suite,
        measure=measure,
        curves=len(curves),
        severities=sorted({float(s) for c in drawn for s in c.severity[1:]}),
        clean=estimate(clean),
        mpc=estimate(mean_performance(curves)),
        rpc=estimate(relative_performance(curves, clean)),
        moe=estimate(moe),
        halves=[_half(curve) for curve in drawn],
    )


def _by_name(drawn: Sequence[CurveDraws]) -> dict[str, np.ndarray]:
    """Under attack, without the means."""
    return {
        f'{c.kind}:{c.target}:{c.paint}': c.values[1:]
        for c in drawn
        if c.target != MEAN
    }


def _half(curve: CurveDraws) -> HalfSeverity:
    size = half_severity(curve.severity[1:], curve.values[1:], curve.values[0])
    return HalfSeverity(
        kind=curve.kind,
        target=curve.target,
        paint=curve.paint,
        clean=estimate(curve.values[0]),
        size=censored_estimate(size),
        reached=bool(np.isfinite(size[0])),
    )
