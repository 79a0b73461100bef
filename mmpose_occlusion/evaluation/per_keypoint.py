"""AP, AR and PCK of every joint."""

from collections.abc import Sequence

import numpy as np
from mmengine.logging import MMLogger
from mmengine.utils import track_iter_progress
from mmpose.registry import METRICS

from mmpose_occlusion.metrics.coco import (
    Precision,
    evaluate,
    evaluate_zeroed,
    has_joint,
    only_joint,
)
from mmpose_occlusion.metrics.functional import (
    PCK_THRESHOLD,
    joint_errors,
    pck,
)

from .people import PeopleMetric
from .results import CLEAN, write_result

MEASURES = ('AP', 'AR', 'PCK')

MANY = 10_000
"""From so many predictions on it takes long enough to show progress."""


@METRICS.register_module()
class PerKeypointMetric(PeopleMetric):
    """AP, AR and PCK of every joint by itself.

    - AP and AR of a joint are COCOeval's on people and predictions that
      consist of this joint alone: its sigma, the number of labelled joints
      and the ignore flags are those of the joint, and predictions of people
      who lack it are dropped. A perfect model scores 1 on every joint.
    - PCK of a joint is the part of the people who have it in whose
      prediction it is nearer to the truth than ``pck_thr`` times the longer
      side of the annotated box. A person without a prediction is a miss;
      NMS is not asked.

    Works for every data set whose joints have names and sigmas, with
    annotated and with detector boxes. Not for models that say which joints
    are not in the picture: it asks for the place alone.

    The metrics are ``<joint>/AP``, ``<joint>/AR``, ``<joint>/PCK`` and their
    means over joints, ``mean/AP`` and so on; what nobody's labels can say
    has no metric, and is null in the file.

    Args:
        pck_thr: Part of the box's longer side.
        paper_exact: AP and AR as the reference counts them (its defect 9,
            see :func:`..coco.evaluate_zeroed`); PCK is the same.
        result_dir: Folder for a JSON file of the result, named by model,
            data, attack and time; None writes none.
        model: Name of the model, for that file.
        attack: Name of the attack, for that file.
        **kwargs: See :class:`.people.PeopleMetric`.
    """

    def __init__(
        self,
        pck_thr: float = PCK_THRESHOLD,
        paper_exact: bool = False,
        result_dir: str | None = None,
        model: str = 'model',
        attack: str = CLEAN,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if not pck_thr > 0:
            raise ValueError(
                f'PerKeypointMetric: pck_thr={pck_thr!r} must be a part of '
                'the box above 0, such as 0.2'
            )
        self.pck_thr = pck_thr
        self.paper_exact = paper_exact
        self.result_dir = result_dir
        self.model = model
        self.attack = attack

    def compute_metrics(self, results: list) -> dict[str, float]:
        """The metrics of all processed results; see the class."""
        people = self.people(results)
        found = self.survivors(results)
        owners = self.owners(found, people, results, one_to_one=False)
        labelled = np.array(
            [
                [has_joint(person, j) for j in range(len(self._names))]
                for person in people
            ]
        )
        scores = self._pck(people, labelled, results)
        table = {}
        names = self._names
        if len(found) > MANY:
            names = track_iter_progress(names)
        for j, name in enumerate(names):
            precision = self._precision(people, found, owners, j)
            table[name] = dict(
                zip(MEASURES, (*precision, scores[j]), strict=True),
                people=int(labelled[:, j].sum()),
            )
        mean = {m: _mean([row[m] for row in table.values()]) for m in MEASURES}
        logger = MMLogger.get_current_instance()
        heading = 'AP, AR and PCK of every joint'
        if self.paper_exact:
            heading += ', AP and AR as the reference counts them'
        logger.info(_text(heading, dict(table, mean=mean)))
        if self.result_dir is not None:
            path = write_result(
                self.result_dir,
                dict(
                    paper_exact=self.paper_exact,
                    pck_threshold=self.pck_thr,
                    joints=table,
                    mean=mean,
                ),
                model=self.model,
                data=self.dataset_meta['dataset_name'],
                attack=self.attack,
            )
            logger.info(f'The result of every joint is in {path}')
        return {
            f'{name}/{measure}': row[measure]
            for name, row in dict(table, mean=mean).items()
            for measure in MEASURES
            if row[measure] is not None
        }

    @property
    def _names(self) -> list[str]:
        id2name = self.dataset_meta['keypoint_id2name']
        return [id2name[j] for j in range(len(id2name))]

    def _precision(
        self,
        people: Sequence[dict],
        found: Sequence[dict],
        owners: Sequence,
        joint: int,
    ) -> Precision:
        sigmas = np.asarray(self.dataset_meta['sigmas'])
        if self.paper_exact:
            return evaluate_zeroed(people, found, sigmas, joint)
        lacking = {p['id'] for p in people if not has_joint(p, joint)}
        return evaluate(
            [only_joint(person, joint) for person in people],
            [
                only_joint(entry, joint)
                for entry, owner in zip(found, owners, strict=True)
                if owner not in lacking
            ],
            sigmas[[joint]],
        )

    def _pck(
        self, people: Sequence[dict], labelled: np.ndarray, results: list
    ) -> list[float | None]:
        truth = np.array([person['keypoints'] for person in people])
        truth = truth.reshape(len(people), -1, 3)[..., :2]
        errors = joint_errors(self.predicted(people, results), truth)
        sizes = np.array([max(person['bbox'][2:]) for person in people])
        return [
            pck(errors[:, [j]], sizes, labelled[:, [j]], self.pck_thr)
            for j in range(len(self._names))
        ]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _text(heading: str, table: dict[str, dict]) -> str:
    """The table as lines of text."""
    width = max(len(name) for name in table)
    lines = [''.join([' ' * width, *(f'{m:>8}' for m in MEASURES)])]
    for name, row in table.items():
        cells = ('–' if row[m] is None else f'{row[m]:.3f}' for m in MEASURES)
        lines.append(''.join([name.ljust(width), *(f'{c:>8}' for c in cells)]))
    return '\n'.join([heading, *lines])
