"""What an occlusion reads from MMPose's ``results``, in one place."""

import math
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from mmpose_occlusion.occlusion import (
    CorrectedRules,
    Patch,
    Person,
    labelled_joints,
)
from mmpose_occlusion.occlusion.joints_under import (
    Extent,
    Joints,
    extents,
    hidden,
)
from mmpose_occlusion.skeleton import Skeleton

MATCHED_KEY = 'matched_person'
"""Key of the person in a detector's box, which carries dummy joints itself:
a dict with that person's ``keypoints``, ``keypoints_visible``, ``id``,
``bbox``, perhaps ``segmentation`` and, after a warp,
``transformed_keypoints``, or with the ``reason`` why there is
nobody. :class:`mmpose_occlusion.datasets.DetectionMatchedDataset` sets it."""

_names_of_dataset: WeakKeyDictionary = WeakKeyDictionary()


class Scene:
    """The people of one sample, in the pixels of ``results['img']``.

    Args:
        shape: ``(H, W, ...)`` of the picture.
        joints_key: Where the joints came from: ``transformed_keypoints``
            after an affine warp, ``keypoints`` on a whole image.
        count: How many people there are.
        matched: Whether they are in ``results['matched_person']``.
        reason: Why there are no people, where there are none.
        skeleton: Of the people; None without any.
        read: Reads the people. It is called when they are first asked for,
            since most samples of a training are left alone.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        joints_key: str,
        count: int = 0,
        matched: bool = False,
        reason: str = 'nobody is in this picture',
        skeleton: Skeleton | None = None,
        read: Callable[[], list[Person]] = list,
    ) -> None:
        self.shape = shape
        self.joints_key = joints_key
        self.count = count
        self.matched = matched
        self.reason = reason
        self.skeleton = skeleton
        self._read = read
        self._people: list[Person] | None = None
        self._extents: list[Extent] | None = None

    @property
    def people(self) -> list[Person]:
        """One per instance."""
        if self._people is None:
            self._people = self._read()
        return self._people

    def hidden(self, patch: Patch | None) -> Joints:
        """Available joints of everybody under a patch."""
        if self._extents is None:
            self._extents = extents(self.people)
        return hidden(self.people, self._extents, patch, self.shape)


class SceneReader:
    """Reads the people of samples.

    Args:
        who: The transform's name, for the error sentences.
        rules: The rules that say which joints can be hidden.
        parts: The user's own parts.
        crops_only: Refuse whole images.
    """

    def __init__(
        self,
        who: str,
        rules: CorrectedRules,
        parts: Mapping[str, Sequence[str]] | None,
        crops_only: bool,
    ) -> None:
        self._who = who
        self._rules = rules
        self._parts = parts
        self._crops_only = crops_only
        self._known: Skeleton | None = None

    def read(self, results: dict) -> Scene:
        """Read one.

        Args:
            results: MMPose's dict of the sample.

        Raises:
            ValueError: For a sample without joints, with dummy joints or
                without names for them.
            TypeError: Where ``results['img']`` is not one picture.
        """
        image = results.get('img')
        if not isinstance(image, np.ndarray) or image.ndim not in (2, 3):
            raise TypeError(
                f'{self._who} needs one picture, an array (H, W, C), in '
                f'results["img"], but found {type(image).__name__}; put it '
                'after LoadImage.'
            )
        cropped = results.get('transformed_keypoints') is not None
        if self._crops_only and not cropped:
            raise ValueError(
                f'{self._who} with paper_exact=True works on crops alone, as '
                'the reference did: put it after TopdownAffine.'
            )
        key = 'transformed_keypoints' if cropped else 'keypoints'
        matched = results.get(MATCHED_KEY)
        if matched is not None and 'reason' in matched:
            return Scene(image.shape, key, reason=matched['reason'])
        source = results if matched is None else matched
        xy = source.get(key)
        if xy is None and _is_empty_picture(results):
            return Scene(image.shape, key)
        self._check_joints(xy, key, results)
        skeleton = self._skeleton(results, xy.shape[1])
        if matched is None:
            _refuse_dummies(results, self._who)
        return Scene(
            image.shape,
            key,
            len(xy),
            matched is not None,
            skeleton=skeleton,
            read=lambda: self._people(
                results, source, xy, skeleton, image.shape
            ),
        )

    def _check_joints(self, xy: Any, key: str, results: Mapping) -> None:
        if xy is None and results.get(MATCHED_KEY) is not None:
            raise ValueError(
                f"{self._who}: the person in the detector's box of "
                f'{_sample(results)} was not taken into the crop; '
                'TopdownAffine must be in the pipeline of the data set inside '
                'DetectionMatchedDataset.'
            )
        if not isinstance(xy, np.ndarray) or xy.ndim != 3:
            raise ValueError(
                f'{self._who} needs the joints of the people (N, K, 2) in '
                f'results["{key}"], and {_sample(results)} has none: it can '
                'only be used with annotated people, not for plain inference.'
            )

    def _skeleton(self, results: Mapping, joints: int) -> Skeleton:
        names = joint_names(results, self._who)
        if self._known is None or self._known.names != names:
            self._known = Skeleton.from_names(names, self._parts)
        if len(names) != joints:
            raise ValueError(
                f'{self._who}: {_sample(results)} has {joints} joints, but '
                f'its metainfo names {len(names)}.'
            )
        return self._known

    def _people(
        self,
        results: Mapping,
        source: Mapping,
        joints: np.ndarray,
        skeleton: Skeleton,
        shape: tuple[int, ...],
    ) -> list[Person]:
        rules, names, count = self._rules, skeleton.names, len(joints)
        is_labelled = labelled_joints(source['keypoints_visible'])
        xy = rules.coordinates(
            joints[..., :2],
            is_labelled,
            _filed(source, joints.shape),
            mpii=skeleton.is_mpii,
            flipped=bool(results.get('flip')),
        ).tolist()
        labelled = is_labelled.tolist()
        if results.get('transformed_keypoints') is None:
            heights = _box_heights(results, self._who, count)
        else:
            heights = [float(shape[0])] * count
        box_heights = _box_heights_in_picture(results, source, count)
        return [
            Person(
                skeleton,
                xy[i],
                labelled[i],
                rules.available(names, xy[i], labelled[i], shape),
                heights[i],
                box_heights[i],
            )
            for i in range(count)
        ]


def annotated(results: Mapping) -> Mapping | None:
    """Where the annotations of a sample's people are.

    Returns:
        What has their ``keypoints`` (N, K, 2), ``keypoints_visible`` and
        ``bbox``: the sample itself, or the person matched to its detector's
        box; None if that box is nobody's.
    """
    person = results.get(MATCHED_KEY)
    if person is None:
        return results
    return None if 'reason' in person else person


def joint_names(results: Mapping, who: str) -> tuple[str, ...]:
    """The names of a sample's joints, in their order.

    From ``results['keypoint_id2name']`` (inference) or the metainfo of
    ``results['dataset']``, which is a deep copy at every access and is
    therefore read once per data set.

    Raises:
        ValueError: Where the sample has neither.
    """
    if 'keypoint_id2name' in results:
        return _in_order(results['keypoint_id2name'])
    dataset = results.get('dataset')
    if dataset is None:
        raise ValueError(
            f'{who} finds no joint names for {_sample(results)}: it has '
            'neither results["keypoint_id2name"] nor results["dataset"]; '
            'use a data set of MMPose, or add the former.'
        )
    try:
        names = _names_of_dataset.get(dataset)
        if names is None:
            names = _in_order(dataset.metainfo['keypoint_id2name'])
            _names_of_dataset[dataset] = names
        return names
    except TypeError:  # cannot be hashed or weakly referenced
        return _in_order(dataset.metainfo['keypoint_id2name'])


def _in_order(id2name: Mapping[int, str]) -> tuple[str, ...]:
    return tuple(id2name[i] for i in range(len(id2name)))


def _filed(source: Mapping, shape: tuple[int, ...]) -> np.ndarray | None:
    """Joints as the annotation file has them: the warp leaves them alone."""
    joints = source.get('keypoints')
    if joints is None or np.shape(joints)[:2] != shape[:2]:
        return None
    return np.asarray(joints)[..., :2]


def _sample(results: Mapping) -> str:
    where = results.get('img_id', results.get('img_path'))
    return 'this sample' if where is None else f'image {where}'


def _is_empty_picture(results: Mapping) -> bool:
    """A bottom-up test image that has no annotated people."""
    ids = results.get('id')
    return isinstance(ids, list) and not ids


def _refuse_dummies(results: Mapping, who: str) -> None:
    """Detector boxes carry zeros that are marked visible for joints."""
    joints = results.get('keypoints')
    if joints is None or not np.size(joints):
        return
    from_boxes = (
        getattr(results.get('dataset'), 'bbox_file', None)
        and 'raw_ann_info' not in results
    )
    if from_boxes or (
        not np.count_nonzero(joints)
        and np.shape(joints)[1] > 1
        and labelled_joints(results['keypoints_visible']).all()
    ):
        raise ValueError(
            f'{who} cannot hide the joints of {_sample(results)}: its boxes '
            'come from a detector (bbox_file) and carry dummy joints only; '
            'put the data set into a DetectionMatchedDataset, or test with '
            'the annotated boxes: bbox_file=None in the data set, or '
            '--gt-boxes of tools/test.py.'
        )


def _box_heights(results: Mapping, who: str, count: int) -> list[float]:
    boxes = results.get('bbox')
    if boxes is None or np.shape(boxes) != (count, 4):
        raise ValueError(
            f'{who} on a whole image scales with the height of each '
            'person\'s box, but results["bbox"] (N, 4) is missing or has '
            f'another number of people in {_sample(results)}.'
        )
    return [float(box[3] - box[1]) for box in boxes]


def _box_heights_in_picture(
    results: Mapping, source: Mapping, count: int
) -> list[float]:
    """Heights of the people's boxes in the picture's pixels, NaN where the
    sample does not say."""
    boxes = source.get('bbox')
    if boxes is None or np.shape(boxes) != (count, 4):
        return [math.nan] * count
    zoom = 1.0
    if results.get('transformed_keypoints') is not None:
        scale = results.get('input_scale')
        if scale is None:
            return [math.nan] * count
        zoom = results['input_size'][1] / float(scale[1])
    return [zoom * (y2 - y1) for _, y1, _, y2 in np.asarray(boxes).tolist()]


def keys_of(results: Mapping, count: int) -> list[tuple[int, int]]:
    """What identifies each of a sample's people in its data set: the numbers
    of the image and of the annotation."""
    ids: Any = (results.get(MATCHED_KEY) or results).get('id')
    image = as_number(results.get('img_id', results.get('img_path')))
    if not isinstance(ids, list | tuple | np.ndarray):
        ids = [ids] * count if count == 1 else [None] * count
    return [
        (image, i if ids[i] is None else as_number(ids[i]))
        for i in range(count)
    ]


def as_number(value) -> int:
    """A whole number >= 0 that stands for an id of any type."""
    if isinstance(value, int | np.integer):
        return int(value) % 2**64
    return zlib.crc32(str(value).encode())
