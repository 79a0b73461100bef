"""Counts and images of the crops that the attacks of a test changed."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mmcv
import numpy as np
from mmengine.dist import all_gather_object
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from mmpose_occlusion.engine.crop_frame import to_crop
from mmpose_occlusion.engine.crops import view_of
from mmpose_occlusion.engine.insertion import BEFORE, IMAGES
from mmpose_occlusion.engine.pipelines import RECORD_KEY
from mmpose_occlusion.transforms.results_reader import MATCHED_KEY
from mmpose_occlusion.visualization import CropPair, PoseStyle, draw_pair


@HOOKS.register_module()
@dataclass(eq=False)
class AttackedCropsHook(Hook):
    """Log how many crops each attack of a test changed, with the reasons for
    unchanged ones: one line for each attack, after the metrics, over all
    processes; and draw the model's input and predictions.

    The images are those that
    :func:`mmpose_occlusion.engine.insertion.attack_config` keeps; MMPose's own
    hook loads the image again, without attacks.

    Args:
        names: Names of the attacks, in their order.
        out_dir: Folder of drawn images; None writes none.
        interval: Draw every N-th sample.
        show: Whether to draw in a window.
        wait_time: Seconds a window stays; 0 until a key is pressed.
    """

    priority = 'LOWEST'

    names: Sequence[str] = ()
    out_dir: str | None = None
    interval: int = 1
    show: bool = False
    wait_time: float = 0.0

    def before_test_epoch(self, runner: Runner) -> None:
        """Start counting."""
        self._crops: list[dict[int, str | int]] = []
        self._seen = 0

    def before_test_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None
    ) -> None:
        """Take images and matched people out of the samples, before they are
        passed to the model and the metrics."""
        self._kept: dict[int, dict] = {}
        if not (self.out_dir or self.show):
            return
        for index, sample in enumerate(data_batch['data_samples']):
            keys = *IMAGES, MATCHED_KEY
            kept = {key: sample.pop(key, None) for key in keys}
            if self._seen % self.interval == 0:
                self._kept[index] = kept
            self._seen += 1

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Sequence = (),
    ) -> None:
        """Count and draw the samples of a batch."""
        name = '+'.join(self.names) or 'clean'
        for index, sample in enumerate(outputs):
            self._crops.append(outcomes(sample.metainfo.get(RECORD_KEY, [])))
            if index not in self._kept:
                continue
            view = view_of_sample(sample, self._kept[index])
            style = PoseStyle.from_metainfo(runner.test_evaluator.dataset_meta)
            image = draw_pair(view, style, heading=name)
            if self.out_dir:
                path = Path(self.out_dir, file_name(sample, name))
                mmcv.imwrite(image[..., ::-1], str(path))
            if self.show:
                runner.visualizer.show(
                    image, win_name=view.title, wait_time=self.wait_time
                )

    def after_test_epoch(
        self, runner: Runner, metrics: dict | None = None
    ) -> None:
        """Gather the counts of all processes and log them."""
        parts = all_gather_object(self._crops)
        crops = [crop for part in parts for crop in part]
        for line in summarize(crops, self.names):
            runner.logger.info(line)


def outcomes(records: Iterable[Mapping]) -> dict[int, int | str]:
    """What each attack did in one image, from its records: index of the attack
    -> number of painted pixels, or the reason why there are none."""
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
    """One line for each attack, from the :func:`outcomes` of images.

    >>> summarize([{0: 113}, {0: 'nose is not labelled'}], ['keypoint:nose'])
    ['Attack keypoint:nose changed 1 of 2 crops (50 %), 113 px on average; \
1 unchanged: nose is not labelled (1).']
    """
    lines = []
    last = max((max(c, default=-1) for c in crops), default=-1)
    for call in range(1 + last):
        name = names[call] if call < len(names) else f'number {call + 1}'
        done = [crop.get(call, 'not attacked') for crop in crops]
        painted = [pixels for pixels in done if isinstance(pixels, int)]
        line = (
            f'{word}{name} changed {len(painted):,} of {len(done):,} crops '
            f'({100 * len(painted) / len(done):.0f} %)'
        )
        if painted:
            line += f', {sum(painted) / len(painted):,.0f} px on average'
        reasons = [reason for reason in done if isinstance(reason, str)]
        if reasons:
            line += f'; {len(reasons):,} unchanged: {_counted(reasons)}'
        lines.append(f'{line}.')
    return lines


def _counted(reasons: Sequence[str]) -> str:
    """Each reason with its number, the most frequent first; those that differ
    in figures alone count together."""
    alike: dict[str, list[str]] = {}
    for reason in reasons:
        key = re.sub(r'(?<!\w)-?\d+\.?\d*', '…', reason)
        alike.setdefault(key, []).append(reason)
    ranked = sorted(
        (-len(found), found[0] if len(set(found)) == 1 else key)
        for key, found in alike.items()
    )
    return ', '.join(f'{reason} ({-number:,})' for number, reason in ranked)


def file_name(sample: Any, name: str) -> str:
    """File name of a sample's image, the same in every run."""
    img_id, ann_id = sample.metainfo.get('img_id'), sample.metainfo.get('id')
    parts = [f'{img_id:012d}' if isinstance(img_id, int) else str(img_id)]
    if ann_id is not None and np.isscalar(ann_id):
        parts.append(str(ann_id))
    slug = re.sub(r'[^\w.+=-]+', '-', '_'.join([*parts, name]))
    return f'{slug[:200]}.png'


def view_of_sample(sample: Any, kept: Mapping[str, Any]) -> CropPair:
    """Images, keypoints and records of a tested sample, in the pixels of the
    kept images, (H, W, 3) BGR. The joints of the person matched to a
    detector's box are the ground truth. On whole images (bottom-up models)
    predictions and people are not matched."""
    meta, truth = sample.metainfo, dict(sample.gt_instances.items())
    guess = sample.pred_instances
    predicted = np.asarray(guess.keypoints, float)[..., :2]
    if kept[BEFORE].shape[1::-1] == tuple(meta.get('input_size') or ()):
        predicted = to_crop(predicted, meta)
    else:  # a whole image
        truth.pop('transformed_keypoints', None)
    view = view_of(
        {**meta, **truth, **kept},
        predicted=predicted,
        scores=np.asarray(guess.keypoint_scores, float),
    )
    if kept.get(MATCHED_KEY) is None and not np.any(truth['keypoints']):
        view.labelled[:] = False  # dummies of a detector's box
    return view
