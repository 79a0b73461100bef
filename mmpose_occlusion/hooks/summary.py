"""Counts of the crops that the attacks of a test changed."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import torch.distributed
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from mmpose_occlusion.engine.pipelines import RECORD_KEY


@HOOKS.register_module()
class OcclusionSummaryHook(Hook):
    """Log how many crops each attack of a test changed, with the reasons for
    unchanged ones.

    It reads the records in the data samples' metainfo, in every process,
    and logs one line for each attack after the metrics.

    Args:
        names: Names of the attacks, in their order.
    """

    priority = 'LOWEST'

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.names = list(names)
        self._crops: list[dict[int, str | int]] = []

    def before_test_epoch(self, runner: Runner) -> None:
        """Start counting."""
        self._crops = []

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
        crops = self._crops
        if torch.distributed.is_initialized():
            gathered: list = [None] * torch.distributed.get_world_size()
            torch.distributed.all_gather_object(gathered, crops)
            crops = [crop for part in gathered for crop in part]
        for line in summarize(crops, self.names):
            runner.logger.info(line)


def outcomes(records: Iterable[Mapping]) -> dict[int, int | str]:
    """Painted pixels of each attack in one image, or the reason for none.

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
            painted = earlier if isinstance(earlier, int) else 0
            done[call] = painted + pixels
        elif earlier is None:
            done[call] = record['reason'] or 'no pixel was painted'
    return done


def summarize(
    crops: Sequence[Mapping[int, int | str]],
    names: Sequence[str] = (),
    view: str = '',
) -> list[str]:
    """One line for each attack.

    Args:
        crops: Result of :func:`outcomes` for each image.
        names: Names of the attacks.
        view: Name of the view that attacks without a name belong to; '' for
            those of the pipeline.

    >>> summarize([{0: 113}, {0: 'nose is not labelled'}], ['keypoint:nose'])
    ['Attack keypoint:nose changed 1 of 2 crops (50 %), 113 px on average; \
1 unchanged: nose is not labelled (1).']
    """
    lines = []
    for call in range(
        max((max(crop, default=-1) for crop in crops), default=-1) + 1
    ):
        number = f'{view} number {call + 1}'.lstrip()
        name = names[call] if call < len(names) else number
        done = [crop.get(call, 'not attacked') for crop in crops]
        painted = [pixels for pixels in done if isinstance(pixels, int)]
        reasons = Counter(
            general(reason) for reason in done if isinstance(reason, str)
        )
        line = (
            f'Attack {name} changed {len(painted):,} of {len(done):,} crops '
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


def general(reason: str) -> str:
    """A reason without its numbers, so that equal ones count together."""
    return re.sub(r'(?<!\w)-?\d+\.?\d*', '…', reason)
