"""The forced-occlusion comparison as a metric of an attacked run."""

import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.files import write_bytes
from mmpose_occlusion.metrics.annotations import UNMATCHED
from mmpose_occlusion.metrics.coco_evaluation import CocoEvaluation
from mmpose_occlusion.metrics.forced import compare_forced, without_hidden
from mmpose_occlusion.metrics.pck import GROUPS, PCK_THRESHOLD, box_size
from mmpose_occlusion.skeleton import Skeleton

from .people import PeopleMetric

RECORDS = 'occlusions'
VIEWS = ('clean', 'forced', 'attacked')

_ARRAYS = ('keypoints', 'keypoint_scores', 'bbox')

Key = tuple[str, str]
"""Image and sample: their ids as text."""


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
        model: Kept in that file, so that another model's is not compared.
        pck_thr: Fraction of the bbox's longer side.
        **kwargs: See :class:`.people.PeopleMetric`.
    """

    default_prefix = 'occlusion'

    def __init__(
        self,
        clean: str | None = None,
        save: str | None = None,
        pck_thr: float = PCK_THRESHOLD,
        model: str = '',
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if (clean is None) == (save is None):
            raise ValueError(
                'ForcedOcclusionMetric takes one of save=FILE, in a run '
                'without attack, and clean=FILE, in a run under attack, but '
                f'got clean={clean!r} and save={save!r}'
            )
        self.save, self.model = save, model
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
        sigmas = self.dataset_meta['sigmas']
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
            sigmas=sigmas,
            threshold=self.pck_thr,
        )
        who = np.isin(np.arange(len(people)), attacked)
        owners = self.owners(found, people, boxes, results, one_to_one=False)
        keep = np.append(who, True)[owners]  # the last for UNMATCHED
        groups = {group: getattr(done, group) for group in GROUPS}
        out: dict[str, Any] = dict(people=done.people)
        out |= {f'{name}_joints': each.joints for name, each in groups.items()}
        for view in VIEWS:
            shown = [
                (_seen_as(view, *pair), pair[0][1])
                for pair, kept in zip(
                    zip(results, before, strict=True), keep, strict=True
                )
                if kept
            ]
            poses = self.survivors(shown) if shown else []
            evaluation = CocoEvaluation(people, poses, sigmas)
            out[f'AP_{view}'] = evaluation.precision(who=who).ap
            out[f'OKS_{view}'] = getattr(done, f'oks_{view}')
        out['recovered'] = done.recovered
        for name, each in groups.items():
            out[f'{name}_PCK_clean'] = each.pck_clean
            out[f'{name}_PCK_attacked'] = each.pck_attacked
        known = {key: x for key, x in out.items() if x is not None}
        MMLogger.get_current_instance().info(_text(known))
        return known

    def _save(self, results: list) -> None:
        save_predictions(
            self.save,
            {
                _key(pred): dict(
                    keypoints=np.float32(pred['keypoints'][0]),
                    keypoint_scores=np.float32(pred['keypoint_scores'][0]),
                    bbox=np.float32(np.ravel(pred['bbox'])),
                )
                for pred, _ in results
            },
            self.model,
        )

    def _clean_of(self, pred: dict) -> dict:
        """The clean prediction of the same bbox."""
        clean = self._clean.get(_key(pred))
        if clean is None or not np.allclose(
            clean['bbox'], np.ravel(pred['bbox']), atol=0.01
        ):
            raise UsageError(
                f'{self.clean_file} has no prediction for sample '
                f'{pred["id"]} of image {pred["img_id"]} in the same bbox: '
                'save it from a run on the same data set and bboxes'
            )
        return clean


def save_predictions(
    path: str | Path,
    predictions: Mapping[Key, Mapping[str, np.ndarray]],
    model: str = '',
) -> Path:
    """Write a new ``.npz`` file.

    Args:
        path: The file.
        predictions: Key -> ``keypoints`` (K, 2), ``keypoint_scores`` (K,)
            and ``bbox`` (4,) xywh, all float32 in image pixels.
        model: A text that says whose they are.

    Raises:
        FileExistsError: The file exists.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        raise FileExistsError(
            f'predictions "{path}" exist already and are not overwritten: '
            'give another name, or delete them'
        ) from None
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        model=np.array(model),
        image=np.array([image for image, _ in predictions], str),
        id=np.array([number for _, number in predictions], str),
        **{
            name: np.array([entry[name] for entry in predictions.values()])
            for name in _ARRAYS
        },
    )
    return write_bytes(path, buffer.getvalue())


def load_predictions(path: str | Path) -> dict[Key, dict[str, np.ndarray]]:
    """Read a file of :func:`save_predictions`.

    Raises:
        ValueError: The file is not of this kind.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            data = dict(file)
        keys = zip(data['image'], data['id'], strict=True)
        return {
            (str(image), str(number)): {n: data[n][i] for n in _ARRAYS}
            for i, (image, number) in enumerate(keys)
        }
    except (ValueError, KeyError, zipfile.BadZipFile, EOFError) as error:
        raise ValueError(
            f'"{path}" holds no predictions of this package ({error}): make '
            'it with ForcedOcclusionMetric(save=...) in a run without attack'
        ) from error


def model_of(path: str | Path) -> str:
    """Whose predictions a file of :func:`save_predictions` holds; empty where
    it does not say."""
    with np.load(path, allow_pickle=False) as file:
        return str(file['model']) if 'model' in file else ''


def hidden_joints(
    records: Iterable[Mapping], skeleton: Skeleton
) -> tuple[np.ndarray, np.ndarray]:
    """Targets and bystanders of an attack on one person, two ``(K,)`` bool;
    a target of one record is no bystander of another."""
    targets, others = np.zeros((2, len(skeleton.names)), bool)
    for record in records:
        for mask, key in ((targets, 'targets'), (others, 'bystanders')):
            for _, joint in record.get(key, ()):
                mask[skeleton.joint_index(joint)] = True
    return targets, others & ~targets


def _key(pred: Mapping) -> Key:
    return str(pred['img_id']), str(pred['id'])


def _seen_as(view: str, result: tuple[dict, dict], old: dict) -> dict:
    """The clean, forced or attacked prediction, from a result of the attacked
    run and the clean prediction of the same bbox."""
    pred, _ = result
    if view == 'attacked':
        return pred
    keypoints = old['keypoints'][None]
    scores = old['keypoint_scores'][None]
    if view == 'forced':
        hidden = (pred['targets'] | pred['bystanders'])[None]
        keypoints = without_hidden(keypoints, hidden)
        scores = np.where(hidden, 0, scores)
    return dict(pred, keypoints=keypoints, keypoint_scores=scores)


def _text(known: dict[str, float]) -> str:
    """The comparison as lines of text."""
    rows = [('AP', 'AP'), ('OKS', 'OKS')]
    rows += [(f'PCK, {group}', f'{group}_PCK') for group in GROUPS]
    counts = ', '.join(
        f'{known[f"{group}_joints"]:,} {group}' for group in GROUPS
    )
    lines = [
        f'The {known["people"]:,} attacked people; joints: {counts}',
        ' ' * 14 + ''.join(f'{view:>10}' for view in VIEWS),
    ]
    for title, name in rows:
        values = [known.get(f'{name}_{view}') for view in VIEWS]
        cells = ('–' if x is None else f'{x:.3f}' for x in values)
        lines.append(title.ljust(14) + ''.join(f'{c:>10}' for c in cells))
    return '\n'.join(lines)
