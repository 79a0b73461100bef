"""What an occlusion reads from MMPose's ``results``, in one place."""

import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.occlusion import Person, Rules, labelled_joints
from mmpose_occlusion.skeleton import Skeleton

MATCHED_KEY = 'matched_person'
"""Key of the person in a detector's box, whose sample has dummy joints: a dict
with that person's ``keypoints``, ``keypoints_visible``, ``id``, ``bbox``,
perhaps ``segmentation`` and, after a warp, ``transformed_keypoints``; or with
the ``reason`` why no person is matched.
:class:`mmpose_occlusion.datasets.DetectionMatchedDataset` sets it."""

IMAGE_TYPES = ('uint8', 'uint16', 'int16', 'float32', 'float64')
"""Types of pixels that OpenCV filters and resizes."""

_names_of_dataset: WeakKeyDictionary = WeakKeyDictionary()


class SampleJoints(NamedTuple):
    """The joints of the people of one sample, in pixels of its image.

    Args:
        shape: ``(H, W, ...)`` of the image.
        key: ``transformed_keypoints`` after an affine warp, ``keypoints`` on
            a whole image.
        source: The sample, or the person matched to its detector's box.
        matched: Whether it is the latter.
        skeleton: Of the people; None without any.
        reason: Why there are no people.
    """

    shape: tuple[int, ...]
    key: str
    source: Mapping[str, Any] = {}
    matched: bool = False
    skeleton: Skeleton | None = None
    reason: str = 'there is no person in this image'

    @property
    def count(self) -> int:
        """Number of people."""
        return len(self.source[self.key]) if self.skeleton else 0

    def people(self, results: Mapping, rules: Rules, who: str) -> list[Person]:
        """The people as the core has them, for a transform named ``who``.

        Raises:
            UsageError: A whole image without boxes.
        """
        assert self.skeleton is not None
        joints = np.asarray(self.source[self.key])
        is_labelled = labelled_joints(self.source['keypoints_visible'])
        xy = rules.coordinates(
            joints[..., :2],
            is_labelled,
            self.source.get('keypoints'),  # the warp leaves them alone
            mpii=self.skeleton.is_mpii,
            flipped=bool(results.get('flip')),
        ).tolist()
        labelled = is_labelled.tolist()
        count = len(joints)
        cropped = self.key == 'transformed_keypoints'
        heights = [float(self.shape[0])] * count
        if not cropped:
            boxes = _xyxy(results.get('bbox'))
            if np.shape(boxes) != (count, 4):
                raise UsageError(
                    f'{who} on a whole image scales with the height of each '
                    'person\'s box, but results["bbox"] (N, 4) is missing or '
                    'has another number of people in '
                    f'{sample_name(results)}.'
                )
            heights = [float(box[3] - box[1]) for box in boxes]
        zoom = 1.0  # from image pixels
        if cropped:
            scale = results.get('input_scale')
            zoom = math.nan
            if scale is not None:
                zoom = results['input_size'][1] / float(scale[1])
        boxes = _xyxy(self.source.get('bbox'))
        if np.shape(boxes) != (count, 4):
            boxes = np.full((count, 4), np.nan)
        corners = np.reshape(boxes, (count, 2, 2))
        if math.isnan(zoom):
            corners = np.full(corners.shape, np.nan)
        elif cropped:
            # which imports this module
            from mmpose_occlusion.engine.crops import to_crop

            corners = to_crop(corners, results)
        names = self.skeleton.names
        return [
            Person(
                self.skeleton,
                xy[i],
                labelled[i],
                rules.available(names, xy[i], labelled[i], self.shape),
                heights[i],
                zoom * (y2 - y1),
                corners[i].ravel().tolist(),
            )
            for i, (_, y1, _, y2) in enumerate(np.asarray(boxes).tolist())
        ]


def _xyxy(boxes: Any) -> Any:
    """Boxes as (N, 4); ``BottomupRandomAffine`` leaves corners (N, 4, 2)."""
    if np.ndim(boxes) != 3:
        return boxes
    corners = np.asarray(boxes)
    return np.hstack([corners.min(axis=1), corners.max(axis=1)])


def read_sample(
    results: Mapping,
    who: str,
    parts: Mapping[str, Sequence[str]] | None = None,
    crops_only: bool = False,
) -> SampleJoints:
    """Read a sample of MMPose's.

    Args:
        results: The sample.
        who: The transform's name, for messages.
        parts: The user's own parts.
        crops_only: Whether whole images are refused.

    Raises:
        UsageError: The sample has no joints, dummy joints or no names for
            them.
    """
    image = results.get('img')
    if not isinstance(image, np.ndarray) or image.ndim not in (2, 3):
        raise UsageError(
            f'{who} needs one image, an array (H, W, C), in '
            f'results["img"], but found {type(image).__name__}; put it '
            'after LoadImage.'
        )
    if image.dtype not in IMAGE_TYPES:
        raise UsageError(
            f'{who} paints images of {", ".join(IMAGE_TYPES)}, and '
            f'results["img"] is of {image.dtype}: convert it before.'
        )
    cropped = results.get('transformed_keypoints') is not None
    if crops_only and not cropped:
        raise UsageError(
            f'{who} with paper_exact=True works on crops alone, as '
            'the reference did: put it after TopdownAffine.'
        )
    key = 'transformed_keypoints' if cropped else 'keypoints'
    matched = results.get(MATCHED_KEY)
    if matched is not None and 'reason' in matched:
        return SampleJoints(image.shape, key, reason=matched['reason'])
    source = results if matched is None else matched
    xy = source.get(key)
    if xy is None and results.get('id') == []:
        return SampleJoints(image.shape, key)  # a bottom-up test image
    if xy is None and matched is not None:
        raise UsageError(
            f"{who}: the person in the detector's box of "
            f'{sample_name(results)} was not taken into the crop; '
            'TopdownAffine must be in the pipeline of the data set inside '
            'DetectionMatchedDataset.'
        )
    if not isinstance(xy, np.ndarray) or xy.ndim != 3:
        raise UsageError(
            f'{who} needs the joints of the people, an array (N, K, 2), in '
            f'results["{key}"], and {sample_name(results)} has none: it can '
            'only be used with annotated people, not for plain inference.'
        )
    names = joint_names(results, who)
    if len(names) != xy.shape[1]:
        raise UsageError(
            f'{who}: {sample_name(results)} has {xy.shape[1]} joints, but '
            f'its metainfo names {len(names)}.'
        )
    if 'keypoints_visible' not in source:
        raise UsageError(
            f'{who} needs results["keypoints_visible"] (N, K), and '
            f'{sample_name(results)} has none: mark every labelled joint 1.'
        )
    if matched is None:
        _refuse_dummies(results, who)
    return SampleJoints(
        image.shape,
        key,
        source,
        matched is not None,
        Skeleton.from_names(names, parts),
    )


def annotated(results: Mapping) -> Mapping | None:
    """What has the annotations of a sample's people: the sample itself, or
    the person matched to its detector's box, or None without such a one."""
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
        UsageError: The sample has neither.
    """
    if 'keypoint_id2name' in results:
        return _in_order(results['keypoint_id2name'])
    dataset = results.get('dataset')
    if dataset is None:
        raise UsageError(
            f'{who} finds no joint names for {sample_name(results)}: it has '
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


def sample_keys(results: Mapping, count: int) -> list[tuple[int, int]]:
    """Numbers of the image and of the annotation of each person, to which
    random draws are keyed."""
    ids: Any = (results.get(MATCHED_KEY) or results).get('id')
    image = as_number(results.get('img_id', results.get('img_path')))
    if not isinstance(ids, list | tuple | np.ndarray):
        ids = [ids] * count if count == 1 else [None] * count
    return [
        (image, i if ids[i] is None else as_number(ids[i]))
        for i in range(count)
    ]


def as_number(value: Any) -> int:
    """A whole number >= 0 for an id of any type."""
    if isinstance(value, int | np.integer):
        return int(value) % 2**64
    return zlib.crc32(str(value).encode())


def sample_name(results: Mapping) -> str:
    """What a message calls the sample."""
    where = results.get('img_id', results.get('img_path'))
    return 'this sample' if where is None else f'image {where}'


def _in_order(id2name: Mapping[int, str]) -> tuple[str, ...]:
    return tuple(id2name[i] for i in range(len(id2name)))


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
        raise UsageError(
            f'{who} cannot hide the joints of {sample_name(results)}: its '
            'boxes come from a detector (bbox_file) and carry dummy joints '
            'only; put the data set into a DetectionMatchedDataset, or test '
            'with the annotated boxes: bbox_file=None in the data set, or '
            '--gt-boxes of tools/test.py.'
        )
