"""The forced-occlusion comparison as a metric of an attacked run."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.metrics.coco import evaluate, ignored
from mmpose_occlusion.metrics.forced import compare, without_hidden
from mmpose_occlusion.metrics.functional import PCK_THRESHOLD

from .people import PeopleMetric
from .predictions import load_predictions, sample_key, save_predictions

RECORDS = 'occlusions'


@METRICS.register_module()
class ForcedOcclusionMetric(PeopleMetric):
    """What an attack did to the people whom it attacked.

    Takes two runs on the same boxes: one without attack, with
    ``save='clean.npz'``, which writes the predictions and gives no metric,
    and one under attack, with ``clean='clean.npz'``. For top-down models.

    Of the attacked people alone it gives (see :mod:`..forced` for clean,
    forced and attacked):

    - ``people``, ``hidden_joints`` and ``other_joints``: numbers of people
      and of labelled joints, hidden and in plain view;
    - ``AP_clean``, ``AP_forced``, ``AP_attacked``: COCO's AP, with everybody
      else ignored and their predictions dropped before NMS;
    - ``OKS_clean``, ``OKS_forced``, ``OKS_attacked`` and ``recovered``;
    - ``hidden_PCK_clean``, ``hidden_PCK_attacked``, ``other_PCK_clean`` and
      ``other_PCK_attacked``: which joints were lost.

    What nobody can say has no metric.

    Args:
        clean: File of the run without attack.
        save: File to write in a run without attack; must be new.
        pck_thr: Part of the box's longer side.
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
        """Who of a sample's people was painted, and which joints."""
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
        if self.save is not None and any(r['pixels'] for r in records):
            raise UsageError(
                f'ForcedOcclusionMetric is to save clean predictions, but '
                f'{where} was attacked; use clean=FILE in such a run'
            )
        index = self.dataset_meta['keypoint_name2id']
        hidden = np.zeros(self.dataset_meta['num_keypoints'], bool)
        for record in records:
            hidden[[index[joint] for _, joint in record['hidden']]] = True
        return dict(hidden=hidden, changed=any(r['pixels'] for r in records))

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
        owners = self.owners(found, people, results, one_to_one=True)
        row = {person['id']: i for i, person in enumerate(people)}
        mine = [
            (i, row[owner])
            for i, owner in enumerate(owners)
            if owner is not None and results[i][0]['changed']
        ]
        if not mine:
            return dict(people=0)
        joints = np.array([people[k]['keypoints'] for _, k in mine])
        joints = joints.reshape(len(mine), -1, 3)
        done = compare(
            clean=np.array([before[i]['keypoints'] for i, _ in mine]),
            attacked=np.array(
                [results[i][0]['keypoints'][0] for i, _ in mine]
            ),
            truth=joints[..., :2],
            labelled=joints[..., 2] > 0,
            hidden=np.array([results[i][0]['hidden'] for i, _ in mine]),
            changed=np.ones(len(mine), bool),
            sizes=np.array([max(people[k]['bbox'][2:]) for _, k in mine]),
            areas=np.array([people[k]['area'] for _, k in mine]),
            sigmas=self.dataset_meta['sigmas'],
            threshold=self.pck_thr,
        )
        owners = self.owners(found, people, results, one_to_one=False)
        attacked = {people[k]['id'] for _, k in mine}
        views = self._views(results, before, owners, attacked)
        truth = [p if p['id'] in attacked else ignored(p) for p in people]
        out = dict(
            people=done.people,
            hidden_joints=done.hidden.joints,
            other_joints=done.others.joints,
            **{
                f'AP_{name}': evaluate(
                    truth,
                    self.survivors(view) if view else [],
                    self.dataset_meta['sigmas'],
                ).ap
                for name, view in views.items()
            },
            OKS_clean=done.oks_clean,
            OKS_forced=done.oks_forced,
            OKS_attacked=done.oks_attacked,
            recovered=done.recovered,
            hidden_PCK_clean=done.hidden.pck_clean,
            hidden_PCK_attacked=done.hidden.pck_attacked,
            other_PCK_clean=done.others.pck_clean,
            other_PCK_attacked=done.others.pck_attacked,
        )
        known = {key: x for key, x in out.items() if x is not None}
        MMLogger.get_current_instance().info(_text(known))
        return known

    def _views(
        self,
        results: list,
        before: Sequence[dict],
        owners: Sequence[Any],
        attacked: set,
    ) -> dict[str, list]:
        """Results with clean, forced and attacked predictions, without those
        of people who were not attacked."""
        views: dict[str, list] = dict(clean=[], forced=[], attacked=[])
        for (pred, gt), old, owner in zip(
            results, before, owners, strict=True
        ):
            if owner is not None and owner not in attacked:
                continue
            clean = dict(
                pred,
                keypoints=old['keypoints'][None],
                keypoint_scores=old['keypoint_scores'][None],
            )
            hidden = pred['hidden'][None]
            forced = dict(
                clean,
                keypoints=without_hidden(clean['keypoints'], hidden),
                keypoint_scores=np.where(hidden, 0, clean['keypoint_scores']),
            )
            views['clean'].append((clean, gt))
            views['forced'].append((forced, gt))
            views['attacked'].append((pred, gt))
        return views

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
        """The clean prediction of the same box."""
        key = sample_key(pred['img_id'], pred['id'])
        clean = self._clean.get(key)
        if clean is None or not np.allclose(
            clean['bbox'], np.ravel(pred['bbox']), atol=0.01
        ):
            raise UsageError(
                f'{self.clean_file} has no prediction for sample {key[1]} of '
                f'image {key[0]} in the same box: save it from a run on the '
                'same data set and boxes'
            )
        return clean


def _text(known: dict[str, float]) -> str:
    """The comparison as lines of text."""
    rows = [
        ('', 'clean', 'forced', 'attacked'),
        ('AP', 'AP_clean', 'AP_forced', 'AP_attacked'),
        ('OKS', 'OKS_clean', 'OKS_forced', 'OKS_attacked'),
        ('PCK, hidden', 'hidden_PCK_clean', None, 'hidden_PCK_attacked'),
        ('PCK, others', 'other_PCK_clean', None, 'other_PCK_attacked'),
    ]
    lines = [
        f'The {known["people"]:,} people who were attacked; '
        f'{known["hidden_joints"]:,} of their joints were hidden, '
        f'{known["other_joints"]:,} others not'
    ]
    for number, (title, *names) in enumerate(rows):
        cells = names if not number else [_cell(known.get(n)) for n in names]
        lines.append(title.ljust(12) + ''.join(f'{c:>10}' for c in cells))
    return '\n'.join(lines)


def _cell(value: float | None) -> str:
    return '–' if value is None else f'{value:.3f}'
