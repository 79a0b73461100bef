"""Counts of the crops that the attacks of a test changed."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mmengine.dist import all_gather_object
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from mmpose_occlusion.engine.pipelines import RECORD_KEY


@HOOKS.register_module()
@dataclass(eq=False)
class OcclusionSummaryHook(Hook):
    """Log how many crops each attack of a test changed, with the reasons for
    unchanged ones: one line for each attack, after the metrics, over all
    processes.

    Args:
        names: Names of the attacks, in their order.
    """

    priority = 'LOWEST'

    names: Sequence[str] = ()

    def before_test_epoch(self, runner: Runner) -> None:
        """Start counting."""
        self._crops: list[dict[int, str | int]] = []

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: Sequence | None = None,
    ) -> None:
        """Count the samples of a batch."""
        for sample in outputs or ():
            self._crops.append(outcomes(sample.metainfo.get(RECORD_KEY, [])))

    def after_test_epoch(
        self, runner: Runner, metrics: dict | None = None
    ) -> None:
        """Gather the counts of all processes and log them."""
        parts = all_gather_object(self._crops)
        crops = [crop for part in parts for crop in part]
        for line in summarize(crops, self.names):
            runner.logger.info(line)


def outcomes(records: Iterable[Mapping]) -> dict[int, int | str]:
    """What each attack did in one image.

    Args:
        records: ``results['occlusions']``.

    Returns:
        Index of the attack -> number of painted pixels, or the reason why
        there are none.
    """
    done: dict[int, int | str] = {}
    for record in records:
        call, pixels = record['call'], record['pixels']
        earlier = done.get(call)
        if pixels:
            done[call] = pixels + (earlier if isinstance(earlier, int) else 0)
        elif earlier is None:
            done[call] = record['reason'] or 'no pixel was painted'
    return done


def summarize(
    crops: Sequence[Mapping[int, int | str]],
    names: Sequence[str] = (),
    word: str = 'Attack ',
) -> list[str]:
    """One line for each attack.

    Args:
        crops: Result of :func:`outcomes` for each image.
        names: Names of the attacks.
        word: Before each name.

    >>> summarize([{0: 113}, {0: 'nose is not labelled'}], ['keypoint:nose'])
    ['Attack keypoint:nose changed 1 of 2 crops (50 %), 113 px on average; \
1 unchanged: nose is not labelled (1).']
    """
    lines = []
    for call in range(
        1 + max((max(c, default=-1) for c in crops), default=-1)
    ):
        name = names[call] if call < len(names) else f'number {call + 1}'
        done = [crop.get(call, 'not attacked') for crop in crops]
        painted = [pixels for pixels in done if isinstance(pixels, int)]
        alike: dict[str, list[str]] = {}
        for reason in done:
            if isinstance(reason, str):
                key = re.sub(r'(?<!\w)-?\d+\.?\d*', '…', reason)
                alike.setdefault(key, []).append(reason)
        # reasons that differ in a number count together
        reasons = Counter(
            {
                found[0] if len(set(found)) == 1 else key: len(found)
                for key, found in alike.items()
            }
        )
        line = (
            f'{word}{name} changed {len(painted):,} of {len(done):,} crops '
            f'({100 * len(painted) / len(done):.0f} %)'
        )
        if painted:
            line += f', {sum(painted) / len(painted):,.0f} px on average'
        if reasons:
            ordered = sorted(reasons.items(), key=lambda r: (-r[1], r[0]))
            words = ', '.join(f'{r} ({n:,})' for r, n in ordered)
            line += f'; {reasons.total():,} unchanged: {words}'
        lines.append(f'{line}.')
    return lines
