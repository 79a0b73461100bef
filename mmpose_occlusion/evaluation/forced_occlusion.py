"""The forced-occlusion comparison as a metric of an attacked run."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.metrics.annotations import UNMATCHED
from mmpose_occlusion.metrics.coco_evaluation import CocoEvaluation
from mmpose_occlusion.metrics.forced import compare_forced, without_hidden
from mmpose_occlusion.metrics.pck import GROUPS, PCK_THRESHOLD, box_size
from mmpose_occlusion.skeleton import Skeleton

from .people import PeopleMetric
from .predictions import load_predictions, sample_key, save_predictions

RECORDS = 'occlusions'


@METRICS.register_module()
class ForcedOcclusionMetric(PeopleMetric):
    """Effect of an attack on the attacked people.

    Takes two runs on the same bboxes: one without attack, with
    ``save='clean.npz'``, which writes the predictions and gives no metric,
    and one under attack, with ``clean='clean.npz'``. For top-down models.

    Of the attacked people alone it gives (see :mod:`..metrics.forced` for
    clean, forced and attacked, :mod:`..metrics.pck` for target,
    bystander and visible):

    - ``people``, ``target_joints``, ``bystander_joints``,
      ``visible_joints``: numbers of people and of their labelled joints;
    - ``AP_clean``, ``AP_forced``, ``AP_attacked``: COCO's AP, all other
      people ignored and their predictions dropped before NMS;
    - ``OKS_clean``, ``OKS_forced``, ``OKS_attacked`` and ``recovered``;
    - ``target_PCK_clean``, ``target_PCK_attacked``, and the same of
      ``bystander`` and ``visible``.

    Undefined metrics, such as the PCK of no joint, are left out.

    Args:
        clean: File of the run without attack.
        save: File to write in a run without attack; must not exist.
        pck_thr: Fraction of the bbox's longer side.
        **kwargs: See :class:`.people.PeopleMetric`.
    """

    default_prefix = 'occlusion'

    def __init__(
        self,
        clean: str | None = None,
        save: str | None = None,
        pck_thr: float = PCK_THRESHOLD,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if (clean is None) == (save is None):
            raise ValueError(
                'ForcedOcclusionMetric takes one of save=FILE, in a run '
                'without attack, and clean=FILE, in a run under attack, but '
                f'got clean={clean!r} and save={save!r}'
            )
        self.save = save
        self.pck_thr = pck_thr
        self.clean_file = clean
        self._clean = None if clean is None else load_predictions(clean)

    def also_keep(self, sample: dict) -> dict:
        """Whether a sample was painted, and its hidden joints."""
        where = f'image {sample["img_id"]}'
        if len(sample['pred_instances']['keypoints']) != 1:
            raise UsageError(
                f'ForcedOcclusionMetric is for top-down models, but {where} '
                'comes with all of its people at once'
            )
        if self._clean is not None and RECORDS not in sample:
            raise UsageError(
                f'ForcedOcclusionMetric compares with {self.clean_file}, but '
                f'{where} has no records of an attack; attack with '
                'tools/test.py --attack, or use save=FILE for a run without'
            )
        records = sample.get(RECORDS, [])
        changed = any(r['pixels'] for r in records)
        if self.save is not None and changed:
            raise UsageError(
                f'ForcedOcclusionMetric is to save clean predictions, but '
                f'{where} was attacked; use clean=FILE in such a run'
            )
        targets, bystanders = hidden_joints(
            records, Skeleton.from_metainfo(self.dataset_meta)
        )
        return dict(targets=targets, bystanders=bystanders, changed=changed)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """The metrics of all processed results; see the class."""
        if self._clean is None:
            self._save(results)
            return {}
        before = [self._clean_of(pred) for pred, _ in results]
        people = self.people(results)
        found = [
            dict(
                id=pred['id'],
                image_id=pred['img_id'],
                bbox=np.ravel(pred['bbox']).tolist(),
                score=float(pred['bbox_scores'][0]),
            )
            for pred, _ in results
        ]
        boxes = self.boxes(people, results)
        owners = self.owners(found, people, boxes, results, one_to_one=True)
        changed = np.array([pred['changed'] for pred, _ in results])
        rows = np.flatnonzero((owners != UNMATCHED) & changed)
        if not len(rows):
            return dict(people=0)
        mine = [results[i][0] for i in rows]
        attacked = owners[rows]
        joints = np.array([people[k]['keypoints'] for k in attacked])
        joints = joints.reshape(len(rows), -1, 3)
        done = compare_forced(
            clean=np.array([before[i]['keypoints'] for i in rows]),
            attacked=np.array([pred['keypoints'][0] for pred in mine]),
            truth=joints[..., :2],
            labelled=joints[..., 2] > 0,
            targets=np.array([pred['targets'] for pred in mine]),
            bystanders=np.array([pred['bystanders'] for pred in mine]),
            changed=np.ones(len(rows), bool),
            sizes=box_size(boxes[attacked]),
            areas=np.array([people[k]['area'] for k in attacked]),
            sigmas=self.dataset_meta['sigmas'],
            threshold=self.pck_thr,
        )
        who = np.isin(np.arange(len(people)), attacked)
        owners = self.owners(found, people, boxes, results, one_to_one=False)
        keep = np.append(who, True)[owners]  # the last for UNMATCHED
        views = _views(results, before, keep)
        out: dict[str, Any] = dict(people=done.people)
        for group in GROUPS:
            out[f'{group}_joints'] = getattr(done, group).joints
        for view, shown in views.items():
            poses = self.survivors(shown) if shown else []
            sigmas = self.dataset_meta['sigmas']
            evaluation = CocoEvaluation(people, poses, sigmas)
            out[f'AP_{view}'] = evaluation.precision(who=who).ap
        for view in views:
            out[f'OKS_{view}'] = getattr(done, f'oks_{view}')
        out['recovered'] = done.recovered
        for group in GROUPS:
            for view in ('clean', 'attacked'):
                value = getattr(getattr(done, group), f'pck_{view}')
                out[f'{group}_PCK_{view}'] = value
        known = {key: x for key, x in out.items() if x is not None}
        MMLogger.get_current_instance().info(_text(known))
        return known

    def _save(self, results: list) -> None:
        save_predictions(
            self.save,
            {
                sample_key(pred['img_id'], pred['id']): dict(
                    keypoints=np.float32(pred['keypoints'][0]),
                    keypoint_scores=np.float32(pred['keypoint_scores'][0]),
                    bbox=np.float32(np.ravel(pred['bbox'])),
                )
                for pred, _ in results
            },
        )

    def _clean_of(self, pred: dict) -> dict:
        """The clean prediction of the same bbox."""
        key = sample_key(pred['img_id'], pred['id'])
        clean = self._clean.get(key)
        if clean is None or not np.allclose(
            clean['bbox'], np.ravel(pred['bbox']), atol=0.01
        ):
            raise UsageError(
                f'{self.clean_file} has no prediction for sample {key[1]} of '
                f'image {key[0]} in the same bbox: save it from a run on the '
                'same data set and bboxes'
            )
        return clean


def hidden_joints(
    records: Iterable[Mapping], skeleton: Skeleton
) -> tuple[np.ndarray, np.ndarray]:
    """Targets and bystanders of an attack on one person.

    Args:
        records: Of the occlusions of a sample.
        skeleton: Of the data set.

    Returns:
        Two ``(K,)`` bool; a target of one record is no bystander of another.
    """
    targets, others = np.zeros((2, len(skeleton.names)), bool)
    for record in records:
        for mask, key in ((targets, 'targets'), (others, 'bystanders')):
            for _, joint in record.get(key, ()):
                mask[skeleton.joint_index(joint)] = True
    return targets, others & ~targets


def _views(
    results: list, before: Sequence[dict], keep: np.ndarray
) -> dict[str, list]:
    """Results with clean, forced and attacked predictions, of the samples in
    ``keep``."""
    views: dict[str, list] = dict(clean=[], forced=[], attacked=[])
    for (pred, gt), old, kept in zip(results, before, keep, strict=True):
        if not kept:
            continue
        clean = dict(
            pred,
            keypoints=old['keypoints'][None],
            keypoint_scores=old['keypoint_scores'][None],
        )
        hidden = (pred['targets'] | pred['bystanders'])[None]
        forced = dict(
            clean,
            keypoints=without_hidden(clean['keypoints'], hidden),
            keypoint_scores=np.where(hidden, 0, clean['keypoint_scores']),
        )
        views['clean'].append((clean, gt))
        views['forced'].append((forced, gt))
        views['attacked'].append((pred, gt))
    return views


def _text(known: dict[str, float]) -> str:
    """The comparison as lines of text."""
    views = ('clean', 'forced', 'attacked')
    rows = [('AP', 'AP'), ('OKS', 'OKS')]
    rows += [(f'PCK, {group}', f'{group}_PCK') for group in GROUPS]
    counts = ', '.join(
        f'{known[f"{group}_joints"]:,} {group}' for group in GROUPS
    )
    lines = [
        f'The {known["people"]:,} attacked people; joints: {counts}',
        ' ' * 14 + ''.join(f'{view:>10}' for view in views),
    ]
    for title, name in rows:
        cells = (_cell(known.get(f'{name}_{view}')) for view in views)
        lines.append(title.ljust(14) + ''.join(f'{c:>10}' for c in cells))
    return '\n'.join(lines)


def _cell(value: float | None) -> str:
    return '–' if value is None else f'{value:.3f}'
