"""The data set of a benchmark: crops, people, and how to build it again."""

import contextlib
import copy
import inspect
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from mmengine.dataset import BaseDataset
from mmengine.registry import Registry, init_default_scope
from mmengine.utils import import_modules_from_strings
from mmpose import registry
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS, METRICS

from mmpose_occlusion.benchmark.data import (
    BenchmarkRun,
    Boxes,
    Joints,
    to_arrays,
)
from mmpose_occlusion.benchmark.work import order_by_image
from mmpose_occlusion.datasets import DetectionMatchedDataset
from mmpose_occlusion.engine.config import (
    class_of,
    scoring_metric,
    type_name,
    walk_metrics,
)
from mmpose_occlusion.engine.crops import to_crop
from mmpose_occlusion.engine.pipelines import (
    CROP,
    makes_crop,
    split_pipeline,
    with_defaults,
)
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.metrics.annotations import AREA_RATIO, make_person
from mmpose_occlusion.metrics.oks_pck import sigmas_or_default
from mmpose_occlusion.occlusion import labelled_joints
from mmpose_occlusion.skeleton import Skeleton

from .mmpose_crops import CropAttack, CropMaker

if TYPE_CHECKING:
    from mmpose_occlusion.benchmark.report.cases import Case, CaseImages

_CODE = ('.py', '.pkl', '.pickle', '.pth', '.yml', '.yaml')
"""Endings of files whose readers in MMEngine run the code in them."""

_METRIC_ARGUMENTS = (
    *('score_mode', 'keypoint_score_thr', 'nms_mode', 'nms_thr', 'use_area'),
    *('iou_type', 'thr', 'offset', 'norm_item'),
)
"""Arguments of a metric that the analysis may use."""


class BenchmarkDataset:
    """A top-down data set, whose images are not read: ``dataset``, whose
    pipeline ends with the crop; ``pipeline``, configs up to the crop and of
    the rest; ``order`` ``(N,)``, number of a crop -> index in the data set;
    ``paths`` of the N images; ``boxes``; ``arrays``, ``info`` for the store.

    Args:
        config: Config of the data set, or of a wrapper of one; the pipeline
            in it is replaced by its first part.
        skeleton: Its joints and parts.
        evaluator: Config of the metric.
        max_images: Use the first images only.

    Raises:
        UsageError: The data are not top-down, or there are none.
    """

    def __init__(
        self,
        config: dict,
        skeleton: Skeleton,
        evaluator: Any,
        max_images: int | None = None,
    ) -> None:
        source = config.get('dataset', config)
        pipeline = source.get('pipeline') or []
        if not makes_crop(pipeline):
            raise UsageError(
                f'the test pipeline has no "{CROP}", so there are no crops to '
                'attack: give the config of a top-down model, or benchmark '
                'this one on whole images as mmpose:CONFIG,CHECKPOINT'
            )
        try:
            self.pipeline = before, _ = split_pipeline(pipeline)
        except ValueError as error:
            raise UsageError(f'test_dataloader.dataset: {error}') from error
        source['pipeline'] = before
        self.dataset = DATASETS.build(config)
        inner = getattr(self.dataset, 'dataset', self.dataset)
        coco_style = isinstance(inner, BaseCocoStyleDataset)
        if not coco_style or inner.data_mode != 'topdown':
            raise UsageError(
                'test_dataloader.dataset is of type '
                f'"{type(self.dataset).__name__}", and the benchmark works on '
                'single top-down data sets of MMPose: give the config of a '
                'top-down model on one of them'
            )
        infos = infos_of(self.dataset)
        ids = np.array([info['img_id'] for info in infos])
        self.order = order_by_image(ids)
        if max_images is not None:
            chosen = list(dict.fromkeys(ids[self.order].tolist()))
            here = np.isin(ids[self.order], chosen[:max_images])
            self.order = self.order[here]
        infos = [infos[i] for i in self.order]
        if not infos:
            raise UsageError(
                'the test data has no crop: check test_dataloader.dataset '
                'and --max-images'
            )
        self.paths = [info['img_path'] for info in infos]
        joints, metainfo = len(skeleton.names), self.dataset.metainfo
        evaluation = dict(describe_metric(evaluator), padding=_padding(before))
        people = read_people(source)
        self.boxes = make_boxes(infos, people, joints)
        if max_images is not None or source.get('indices') is not None:
            here = set(self.boxes.image_ids.tolist())
            people = {k: p for k, p in people.items() if p['img_id'] in here}
        scored = people.values() if len(metainfo['sigmas']) else ()
        use_area = evaluation.get('use_area', True)
        annotated = _coco_people(scored, joints, use_area)
        self.arrays = to_arrays(self.boxes, annotated)
        stem = Path(source.get('ann_file') or '').stem
        sizes = [s['input_size'] for s in before if 'input_size' in s]
        self.info = dict(
            data=metainfo['dataset_name'] + (f' ({stem})' if stem else ''),
            joints=Joints.of(
                skeleton,
                sigmas_or_default(metainfo['sigmas'], skeleton.names),
                np.asarray(metainfo['flip_indices'], int),
                metainfo['skeleton_links'],
            ),
            evaluation=evaluation,
            crop_size=[int(x) for x in sizes[-1]],
        )


def infos_of(dataset: Any) -> list[dict]:
    """The data info of each crop; images are not read."""
    if isinstance(dataset, DetectionMatchedDataset):
        return [dataset.get_data_info(i) for i in range(len(dataset))]
    # MMPose's own adds a copy of the metainfo to each crop
    inner = getattr(dataset, 'dataset', dataset)
    return [BaseDataset.get_data_info(inner, i) for i in range(len(inner))]


def read_people(config: Mapping) -> dict[int, dict]:
    """Annotation id -> data info of all people in the annotations of a
    top-down data set's config; its ``bbox_file`` is ignored."""
    # a wrapper has nothing that the inner data set has not
    while isinstance(config.get('dataset'), Mapping):
        config = config['dataset']
    config = dict(config, bbox_file=None, pipeline=[], lazy_init=True)
    people, _ = DATASETS.build(config)._load_annotations()
    return {int(person['id']): person for person in people}


def make_boxes(
    infos: Iterable[Mapping], people: Mapping[int, Mapping], joints: int
) -> Boxes:
    """The bboxes of :func:`infos_of`, with people of :func:`read_people`."""
    rows = []
    for info in infos:
        source = info.get('matched_person') or info
        person = people.get(int(source['id'])) if 'id' in source else None
        box = np.asarray(info['bbox'], np.float64)[0]
        found = None if person is None else _person_of(person, joints)
        try:
            image = int(info['img_id'])
        except (TypeError, ValueError):
            raise UsageError(
                f'image {info["img_id"]!r} ({info.get("img_path")}) has an '
                'id that is not a number, which the benchmark cannot store: '
                'number the images in the annotation file'
            ) from None
        rows.append((image, found, box, _first(info['bbox_score'])))
    return Boxes.from_rows(rows, joints)


def _first(value: Any) -> float:
    return float(np.ravel(value)[0])


def _person_of(person: Mapping, joints: int) -> dict[str, Any]:
    """As :meth:`.data.Boxes.from_rows` takes it."""
    labelled = labelled_joints(person['keypoints_visible'])[0]
    visible = 2 * labelled
    raw = person.get('raw_ann_info')
    if raw is not None:
        flags = make_person(raw, joints)['keypoints'][2::3]
        visible = np.where(labelled, np.clip(flags, 1, 2), 0)
    box = np.asarray(person['bbox'], np.float64)[0]
    extent = (box[2] - box[0]) * (box[3] - box[1])
    return dict(
        id=int(person['id']),
        keypoints=np.c_[person['keypoints'][0, :, :2], visible],
        area=_first(person.get('area', AREA_RATIO * extent)),
        box=box,
        head_size=_first(person.get('head_size', np.nan)),
    )


def _coco_people(
    people: Iterable[Mapping], joints: int, use_area: bool
) -> list[dict[str, Any]]:
    """People as COCO annotations; empty for data sets in another format.
    Without ``use_area``, areas are computed from bboxes, as by the metric."""
    out = []
    for raw in (person.get('raw_ann_info') for person in people):
        if raw is not None:
            entry = make_person(raw, joints, use_area)
            labelled = sum(v > 0 for v in entry['keypoints'][2::3])
            count = int(raw.get('num_keypoints', labelled))
            out.append(dict(entry, num_keypoints=count))
    return out


def describe_metric(evaluator: Any) -> dict[str, Any]:
    """How a config's evaluator, the first of a list, scores: ``metric``, its
    class, and the arguments that the analysis may use, with defaults; and
    ``pck``, prefix and threshold of each ``PCKAccuracy``."""
    metric = scoring_metric(evaluator)
    if not metric:
        return {}
    cls, found = class_of(metric, METRICS), {}
    for base in reversed(cls.__mro__ if cls else ()):
        if '__init__' in vars(base):
            for parameter in inspect.signature(base).parameters.values():
                if parameter.default is not parameter.empty:
                    found[parameter.name] = parameter.default
    found.update(metric)
    out = {name: found[name] for name in _METRIC_ARGUMENTS if name in found}
    out['metric'] = type_name(metric)
    pck = [
        dict(prefix=m.get('prefix') or '', thr=float(m.get('thr', 0.05)))
        for _, m in walk_metrics(evaluator)
        if type_name(m) == 'PCKAccuracy'
    ]
    if pck:
        out['pck'] = pck
    if out['metric'] == 'MpiiPCKAccuracy':
        out['offset'] = 1  # it counts pixels from one, as MPII's own code
    return out


def _padding(pipeline: Sequence[Mapping]) -> float:
    """Of bboxes, which the areas that MMPose's NMS takes include."""
    for step in pipeline:
        if 'BBoxCenterScale' in type_name(step):
            return float(with_defaults(step).get('padding', 1.0))
    return 1.0


def case_crops(
    run: BenchmarkRun, cases: 'Sequence[Case]', trusted: bool = True
) -> 'dict[Case, CaseImages]':
    """The crops of a run's cases, made again through MMPose's data set.

    Unless this process made the run (``trusted``), what it names must be a
    class that is registered already, and no file that holds code.

    Raises:
        LookupError: The data set is missing or has changed, or an attack
            cannot be applied; the message names it.
    """
    from mmpose_occlusion.benchmark.report.cases import CaseImages

    if not trusted:
        _refuse_code(run.dataset)
        _refuse_code([attack.config for attack in run.attacks])
    with _lookup('the data set cannot be read again'):
        maker = _maker_of(run)
    attacks = {attack.name: attack for attack in run.attacks}
    out = {}
    for case in cases:
        image = run.boxes.image_ids[case.row]
        with _lookup(f'image {image} cannot be read again'):
            crop = next(maker.crops(case.row, case.row + 1))
        with _lookup(f'the attack "{case.attack}" cannot be painted again'):
            painted = CropAttack(attacks[case.attack].config, run.seed)(crop)
        origin, x, y = to_crop(np.array([[0, 0], [1, 0], [0, 1]]), crop)
        matrix = np.stack([x - origin, y - origin, origin], axis=1)
        out[case] = CaseImages(crop['img'], painted['img'], matrix)
    return out


def _maker_of(run: BenchmarkRun) -> CropMaker:
    """Of a stored run's data set, without attacks."""
    recipe = copy.deepcopy(run.dataset)
    custom = recipe.get('custom_imports') or {}
    if custom.get('imports'):
        import_modules_from_strings(**custom)
    init_default_scope(recipe['default_scope'])
    config = recipe['dataset']
    source = config.get('dataset', config)
    source['pipeline'], after = split_pipeline(source['pipeline'])
    with contextlib.redirect_stdout(io.StringIO()):
        dataset = DATASETS.build(config)
    ids = np.array([info['img_id'] for info in infos_of(dataset)])
    order = order_by_image(ids)
    if not np.array_equal(ids[order][: len(run.boxes)], run.boxes.image_ids):
        raise LookupError('the data set has changed since the predictions')
    skeleton = Skeleton(tuple(run.joints.names))
    return CropMaker(dataset, after, {}, skeleton, order)


@contextlib.contextmanager
def _lookup(what: str) -> Iterator[None]:
    """Turn exceptions into LookupError."""
    try:
        yield
    except Exception as error:
        if type(error) is LookupError:  # not a KeyError
            raise
        words = str(error).strip().splitlines() or [type(error).__name__]
        raise LookupError(f'{what} ({words[0]})') from error


def _refuse_code(node: Any) -> None:
    """Refuse what building a stored config would import or execute."""
    refused = []
    if isinstance(node, Mapping):
        named = [str(node['type'])] if 'type' in node else []
        imports = (node.get('custom_imports') or {}).get('imports') or []
        refused += [name for name in named if not _is_registered(name)]
        refused += [name for name in imports if name != 'mmpose_occlusion']
        node = list(node.values())
    if isinstance(node, str) and node.lower().endswith(_CODE):
        refused.append(node)
    if refused:
        raise LookupError(
            f'the data need "{refused[0]}", and a report neither runs code '
            'that a folder names nor reads files that may hold code: run the '
            "benchmark's command again, which predicts nothing again"
        )
    for value in node if isinstance(node, list | tuple) else ():
        _refuse_code(value)


def _is_registered(name: str) -> bool:
    """Whether a class is in a registry; another name would be imported."""
    last = name.rpartition('.')[2]
    return name in (last, f'mmpose.{last}', f'mmcv.{last}') and any(
        last in each.module_dict
        for known in vars(registry).values()
        if isinstance(known, Registry)
        for each in (known, known.parent)
        if each is not None
    )
