"""A run with resampled sets of its images, and the measures of its
predictions."""

from functools import cached_property

import numpy as np

from mmpose_occlusion.benchmark.data import UNMATCHED, Attacked, BenchmarkRun
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.metrics.annotations import People, make_person
from mmpose_occlusion.metrics.average_precision import PosePairs
from mmpose_occlusion.metrics.pck import box_size

from .bootstrap import DRAWS, Draws, difference, draw_weights
from .prediction_measures import PredictionMeasures

MAIN = ('AP', 'PCKh', 'PCK')
"""The first that the data has is a report's main measure."""

CHOICES = ('AP', 'AR', 'PCKh', 'PCK', 'OKS50')
"""Measures that a report can be led by."""

FLOOR, CEILING = 0.05, 0.995
"""A report is not led by a measure that is below the former without an
attack, or above the latter under all attacks, if there is another."""

OCCLUDED, VISIBLE = 1, 2
"""COCO's flags of labelled keypoints."""

LOWER_IS_BETTER = frozenset(('EPE', 'EPE_px'))

PADDING = 1.25
"""Of bboxes, as in MMPose's ``GetBBoxCenterScale``."""


class RunMeasures:
    """Measures of one run's predictions.

    Args:
        run: The run.
        draws: B, resampled sets of images; runs on the same images with the
            same seed are resampled alike.
        seed: Of the resampling.
        measure: Main measure, one of :data:`CHOICES`; by default chosen by
            :data:`MAIN`, :data:`FLOOR` and :data:`CEILING`.

    Attributes: people: All annotated people; none for data without COCO's
    evaluation. image: ``(N,)`` index of each bbox's image. owner: ``(N,)``
    index of each bbox's person, or ``UNMATCHED``. pairs: Bboxes with the
    people of their images. weights: ``(1 + B, I)``, see
    :func:`.bootstrap.draw_weights`. labelled: ``(N, K)`` bool, joints with a
    label. sizes: ``(N,)`` longer side of the annotated bboxes, NaN if
    unmatched."""

    def __init__(
        self,
        run: BenchmarkRun,
        draws: int = DRAWS,
        seed: int = 0,
        measure: str | None = None,
    ) -> None:
        self.run = run
        self._measure = measure
        boxes, joints = run.boxes, len(run.joints.names)
        use_area = run.evaluation.get('use_area', True)
        self.people = People.from_dicts(
            [
                make_person(ann, joints, use_area)
                for ann in run.people
                if 'keypoints' in ann and 'bbox' in ann
            ],
            boxes.image_ids.tolist(),
            joints,
        )
        self.image = np.searchsorted(self.people.images, boxes.image_ids)
        index = {n: i for i, n in enumerate(self.people.ids.tolist())}
        self.owner = np.array(
            [index.get(n, UNMATCHED) for n in boxes.instance_ids.tolist()], int
        )
        categories = self.people.categories.tolist()
        person = categories.index(1) if 1 in categories else 0
        category = np.full(len(boxes), person)
        known = self.owner != UNMATCHED
        category[known] = self.people.category[self.owner[known]]
        self.pairs = PosePairs(self.people, self.image, category)
        self.weights = draw_weights(len(self.people.images), draws, seed)
        truth = np.isfinite(boxes.truth).all(axis=-1)
        self.labelled = (boxes.visible > 0) & truth
        self.sizes = box_size(boxes.person_boxes)
        self._of_all: Draws = {}
        self._last: PredictionMeasures | None = None
        self._known: dict[tuple[str, bytes], Draws] = {}

    @cached_property
    def measures(self) -> tuple[str, ...]:
        """Names of the measures that the data has."""
        out = ['PCK', 'OKS50', 'EPE', 'EPE_px']
        if np.isfinite(self.run.boxes.head_sizes).any():
            out = ['PCKh', *out]
        if len(self.people):
            out = ['AP', 'AR', *out]
        return tuple(out)

    @cached_property
    def main(self) -> str:
        """The measure that figures show.

        Raises:
            UsageError: The data lacks the chosen one.
        """
        if self._measure is None:
            first = next(name for name in MAIN if name in self.measures)
            fitting = (
                name
                for name in dict.fromkeys((first, 'OKS50', 'PCK'))
                if not self._why_not(name)
            )
            return next(fitting, first)
        if self._measure not in self.measures:
            known = ', '.join(m for m in CHOICES if m in self.measures)
            raise UsageError(
                f'"{self.run.data}" has no {self._measure}: give --measure '
                f'one of {known}'
            )
        return self._measure

    @property
    def why_main(self) -> str:
        """Why this is not the usual main measure; empty where it is."""
        usual = next(name for name in MAIN if name in self.measures)
        why = '' if self.main == usual else self._why_not(usual)
        return why and f'{why}: this report is led by another measure.'

    def _why_not(self, name: str) -> str:
        """Why a report should not be led by a measure, or an empty string."""
        clean = float(self.all_people()[name][0])
        if np.isnan(clean) or not self.run.attacks:
            return ''
        if clean < FLOOR:
            return (
                f'{name} is {clean:.3f} without occlusion, so low that it can '
                'hardly fall'
            )
        under = [clean]
        for attack in self.run.attacks if clean > CEILING else ():
            who = self.attacked_people(attack)
            under.append(float(self.attacked(attack, who)[name][0]))
        if np.nanmin(under) > CEILING:
            return f'{name} is above {CEILING} under every attack'
        return ''

    def all_people(self) -> Draws:
        """Measures of the clean predictions as the data set's own metric
        has them: people without a bbox count as missed."""
        if not self._of_all:
            clean = self.clean_predictions
            everyone = np.ones(len(self.run.boxes), bool)
            self._of_all = clean.measures(
                *clean.survivors(everyone),
                np.ones(len(self.people), bool),
                self.labelled,
            )
        return self._of_all

    def clean(self, who: np.ndarray) -> Draws:
        """Measures of the clean predictions of chosen ``(N,)`` bboxes."""
        return self._measures('', self.clean_predictions, who)

    def attacked(self, attack: Attacked, who: np.ndarray) -> Draws:
        """Measures of the attacked predictions of chosen bboxes."""
        return self._measures(attack.name, self.under(attack), who)

    def attacked_people(self, attack: Attacked) -> np.ndarray:
        """``(N,)`` bool: changed crops of people with a labelled joint."""
        return attack.changed & self.labelled.any(axis=1)

    def change(self, attack: Attacked) -> Draws:
        """Attacked minus clean measures of the attacked people."""
        who = self.attacked_people(attack)
        return difference(self.attacked(attack, who), self.clean(who))

    def under(self, attack: Attacked) -> PredictionMeasures:
        """Of the predictions under an attack; that of the last is kept."""
        if self._last is None or self._last.predictions is not (
            attack.predictions
        ):
            self._last = PredictionMeasures(self, attack.predictions)
        return self._last

    @cached_property
    def clean_predictions(self) -> PredictionMeasures:
        """Of the clean predictions."""
        return PredictionMeasures(self, self.run.clean)

    def _measures(
        self, name: str, measures: PredictionMeasures, who: np.ndarray
    ) -> Draws:
        key = name, who.tobytes()
        if key not in self._known:
            self._known[key] = measures.measures(
                *measures.survivors(who),
                self.people_in(who),
                self.labelled & who[:, None],
            )
        return self._known[key]

    def people_in(self, who: np.ndarray) -> np.ndarray:
        """``(P,)`` bool: the people of chosen ``(N,)`` bboxes."""
        owner = self.owner[who]
        counts = np.zeros(len(self.people), bool)
        counts[owner[owner != UNMATCHED]] = True
        return counts

    @cached_property
    def input_areas(self) -> np.ndarray:
        """``(N,)`` square pixels of the image that go into the model, which
        MMPose's NMS takes as the poses' areas."""
        boxes = self.run.boxes.boxes
        padding = self.run.evaluation.get('padding', PADDING)
        width, height = ((boxes[:, 2:] - boxes[:, :2]) * padding).T
        ratio = self.run.crop_size[0] / self.run.crop_size[1]
        wide = np.maximum(width, height * ratio)
        return wide * np.maximum(height, width / ratio)

    @property
    def frame_areas(self) -> np.ndarray | float:
        """Square pixels of which painted pixels are a fraction: of the crop,
        or of the image in the region around each bbox."""
        if self.run.evaluation.get('frame') == 'image':
            return self.input_areas
        return float(np.prod(self.run.crop_size))

    @cached_property
    def row_order(self) -> np.ndarray:
        """``(N,)`` bboxes by image, and there in the order of CocoMetric: by
        annotation ids, if each bbox has its own."""
        ids = self.run.boxes.instance_ids
        by_id = UNMATCHED not in ids and len(np.unique(ids)) == len(ids)
        return np.lexsort((ids if by_id else np.arange(len(ids)), self.image))
