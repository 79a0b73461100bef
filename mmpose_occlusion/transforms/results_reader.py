"""What an occlusion reads from MMPose's ``results``, in one place."""

import math
import zlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NoReturn

import numpy as np
from mmpose.datasets.transforms import LoadImage
from mmpose.structures.bbox import get_warp_matrix

from mmpose_occlusion.engine.crop_frame import to_crop
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.occlusion import Occlusion, labelled_joints, placement
from mmpose_occlusion.occlusion.paints import Donor
from mmpose_occlusion.occlusion.rules import person_from_joints
from mmpose_occlusion.occlusion.targets import CELL, PART, Person, Target
from mmpose_occlusion.skeleton import MIXED_PARTS, Skeleton

MATCHED_KEY = 'matched_person'
"""Key of the person in a detector's box, whose sample has dummy joints: a dict
with that person's ``keypoints``, ``keypoints_visible``, ``id``, ``bbox``,
perhaps ``segmentation`` and, after a warp, ``transformed_keypoints``; or with
the ``reason`` why no person is matched.
:class:`mmpose_occlusion.datasets.DetectionMatchedDataset` sets it."""

IMAGE_TYPES = ('uint8', 'uint16', 'int16', 'float32', 'float64')
"""Types of pixels that OpenCV filters and resizes."""

DONOR_TRIES = 8  # for a patch of a fill 'donor'
_NAMES = '_occlusion_joint_names'  # attribute of data sets


class Sample(placement.Surroundings):
    """A sample of MMPose's, its dict ``results``, as an occlusion sees it.

    ``source`` is the sample, or the person matched to its detector's box; its
    joints, of ``count`` people, are under ``key``.

    Raises:
        UsageError: It cannot be occluded.
    """

    skeleton: Any = None  # None without people, for a reason
    reason = 'there is no person in this image'

    def __init__(
        self, results: Mapping, occlusion: Occlusion, parts: Mapping | None
    ) -> None:
        self._results, self._occlusion = results, occlusion
        self._links = results.get('skeleton_links', ())
        image: Any = results.get('img')
        kind = getattr(image, 'dtype', type(image).__name__)
        dimensions = getattr(image, 'ndim', 0)
        if dimensions not in (2, 3) or kind not in IMAGE_TYPES:
            self._refuse(
                'results["img"] must be one image, an array (H, W, C) of '
                f'{", ".join(IMAGE_TYPES)}, and is of {kind}: put it after '
                'LoadImage, or convert it before'
            )
        self._shape = image.shape[:2]
        self.cropped = results.get('transformed_keypoints') is not None
        self.key = 'transformed_keypoints' if self.cropped else 'keypoints'
        if occlusion.rules.paper and not self.cropped:
            self._refuse(
                'paper_exact=True works on crops alone, as the reference '
                'did: put it after TopdownAffine'
            )
        self.source: Mapping = results.get(MATCHED_KEY) or results
        self.matched = self.source is not results
        if self.matched and 'reason' in self.source:
            self.reason = self.source['reason']
            return
        xy = self.source.get(self.key)
        if xy is None and results.get('id') == []:
            return  # a bottom-up test image
        if not isinstance(xy, np.ndarray) or xy.ndim != 3:
            self._refuse(
                f'results["{self.key}"] must be the joints of the people, an '
                'array (N, K, 2), and {} has none: use it with annotated '
                'people, not for plain inference, and with TopdownAffine in '
                'the data set inside a DetectionMatchedDataset'
            )
        self.count = len(xy)
        names = joint_names(results, occlusion.name)
        if len(names) != xy.shape[1]:
            self._refuse(
                f'{{}} has {xy.shape[1]} joints, but its metainfo names '
                f'{len(names)}'
            )
        if 'keypoints_visible' not in self.source:
            self._refuse(
                'results["keypoints_visible"] (N, K) is missing in {}: mark '
                'every labelled joint 1'
            )
        if not self.matched and _has_dummies(results):
            self._refuse(
                'the joints of {} cannot be hidden: its boxes come from a '
                'detector (bbox_file) and carry dummy joints only; put the '
                'data set into a DetectionMatchedDataset, or test with the '
                'annotated boxes: bbox_file=None in the data set, or '
                '--gt-boxes of tools/test.py'
            )
        self.skeleton = Skeleton(names, parts or {})

    def _refuse(self, why: str) -> NoReturn:
        """Raise an error; ``{}`` stands for the sample."""
        image = self._results.get('img_id', self._results.get('img_path'))
        sample = 'this sample' if image is None else f'image {image}'
        text = why.replace('{}', sample)
        raise UsageError(f'{self._occlusion.name}: {text}.')

    @cached_property
    def people(self) -> list[Person]:  # type: ignore[override]
        results, rules = self._results, self._occlusion.rules
        flags = labelled_joints(self.source['keypoints_visible'])
        xy = rules.coordinates(
            np.asarray(self.source[self.key])[..., :2],
            flags,
            self.source.get('keypoints'),  # the warp leaves them alone
            self.skeleton,
            bool(results.get('flip')),
        )
        boxes = _xyxy(self.source.get('bbox'), self.count)
        heights, zoom = [float(self._shape[0])] * self.count, 1.0
        scale = results.get('input_scale')
        if not self.cropped:
            own = _xyxy(results.get('bbox'), self.count)
            if own is None:
                self._refuse(
                    'on a whole image it scales with the height of each '
                    'person\'s box, but results["bbox"] (N, 4) is missing or '
                    'has another number of people in {}'
                )
            heights = (own[:, 3] - own[:, 1]).tolist()
        elif scale is None:
            boxes = None
        else:
            zoom = results['input_size'][1] / float(scale[1])
        people = []
        for i, height in enumerate(heights):
            boxed: Any = [height]
            if boxes is not None:
                _, y1, _, y2 = boxes[i].tolist()
                boxed.append(zoom * (y2 - y1))
                if self._occlusion.chooser.label[0].kind == CELL:
                    corners = boxes[i].reshape(2, 2)
                    if self.cropped:
                        corners = to_crop(corners, results)
                    boxed.append(corners.ravel().tolist())
            person = self.skeleton, xy[i], flags[i], self._shape, *boxed
            people.append(person_from_joints(rules, *person))
        return people

    def _ids(self) -> Sequence[Any]:
        """Ids of the people's annotations, None where they are unknown."""
        ids: Any = self.source.get('id')
        if isinstance(ids, list | tuple | np.ndarray):
            return ids
        return [ids] if self.count == 1 else [None] * self.count

    def keys(self) -> list[tuple[int, int]]:
        """Numbers of the image and of the annotation of each person, to which
        random draws are keyed."""
        results, people = self._results, range(self.count)
        image = _number(results.get('img_id', results.get('img_path')))
        ids = zip(people, self._ids(), strict=False)
        return [(image, n if i is None else _number(i)) for n, i in ids]

    def segment(self, index: int) -> np.ndarray | None:
        results = self._results
        segment = self.source.get('segmentation')
        if isinstance(results.get('id'), list):  # an image of several people
            segment = segment[index] if segment else None
        warp = self._warp() if self.cropped else np.eye(3)[:2]
        if not segment or results.get('flip') or warp is None:
            return None
        return placement.segment_mask(segment, self._shape, warp)

    def photo_mask(self) -> np.ndarray:
        """The photograph's pixels; all where the sample does not say."""
        warp, size = self._warp(), self._results.get('ori_shape')
        if warp is None or size is None:
            return super().photo_mask()
        bottom, right = size[0] - 1, size[1] - 1
        corners = [[0, 0], [right, 0], [right, bottom], [0, bottom]]
        ring = corners @ warp[:, :2].T + warp[:, 2]
        return placement.filled([ring], self._shape)

    def _warp(self) -> np.ndarray | None:
        """Image to crop, (2, 3), as ``TopdownAffine`` did it (UDP's differs
        by less than half a pixel)."""
        results = self._results
        if results.get('input_center') is None:
            return None
        rotation = results.get('bbox_rotation')
        return get_warp_matrix(
            np.asarray(results['input_center'], np.float32),
            np.asarray(results['input_scale'], np.float32),
            0.0 if rotation is None else float(rotation[0]),
            output_size=results['input_size'],
        )

    def donor(
        self,
        index: int,
        target: Target,
        numbers: Any,
        rng: np.random.Generator,
    ) -> Donor | str:
        """Pixels of another person for a target of the ``index``-th, or why
        there are none: of the first of the drawn donors of whom another joint
        or part can be cut out. PartMix draws from ``numbers``, the person's, a
        fill 'donor' from ``rng``."""
        occlusion, rules = self._occlusion, self._occlusion.rules
        donors = getattr(self._results.get('dataset'), 'donors', None)
        if donors is None:
            raise ValueError(
                f'{occlusion.name} finds no donors: wrap the data set, '
                "dataset = dict(type='DonorDataset', dataset=<the data set>)."
            )
        person, (kind, name) = self.people[index], target
        skeleton, paper = person.skeleton, rules.paper
        mixes = occlusion.chooser.drawn == 'mixed'
        names = skeleton.parts if kind == PART else skeleton.names
        others = [other for other in names if other != name]
        if kind == PART:
            others = [one for one in MIXED_PARTS if one in others] or others
        if mixes and not paper:
            others = [p for p in others if len(donors.with_part(skeleton, p))]
        if not others:
            return f'there is no person with all joints of another {kind}'
        if mixes:
            other = Target(PART, others[int(numbers[2] * len(others))])
            rows = donors.with_part(skeleton, other.name, paper)
            drawn, zoom = numbers[3:4] if paper else numbers[3:], 1.0
        else:
            other = Target(kind, others[rng.integers(len(others))])
            rows = donors.rows_with(other.joints(skeleton))
            drawn = rng.random(DONOR_TRIES).tolist()
            # height of the frame as a multiple of the box's
            box = person.box_height
            zoom = person.height / box if 0 < box < math.inf else 1.0
        itself = self._results.get('img_path'), self._ids()[index]
        for number in drawn if len(rows) else ():
            donor = donors[rows[int(number * len(rows))]]
            if donor[:2] == itself and not paper:  # which may be the person
                continue
            try:
                source = LoadImage()(dict(img_path=donor.image_path))['img']
            except Exception as error:
                words = f'cannot read the donor {donor.image_path}: {error}'
                raise OSError(f'{occlusion.name} {words}') from error
            xy, known = donor.xy, donor.labelled
            xy = rules.coordinates(xy, known, None, skeleton, False)
            joints = skeleton, xy, known, source.shape
            boxed = zoom * donor.height, donor.height
            they = person_from_joints(rules, *joints, *boxed)
            region = occlusion.region(they, other, source.shape)
            box = isinstance(region, str) or region.bounds(source.shape)
            if isinstance(box, tuple):
                # the reference's donors have red and blue swapped
                return Donor(other.name, *donor[:2], box, paper, source)
        return f'no donor of a {other.name} found in {len(drawn)} tries'


def annotated(results: Mapping) -> Mapping | None:
    """What has the annotations of a sample's people: the sample, or the person
    matched to its detector's box, or None without such a one."""
    person = results.get(MATCHED_KEY)
    if person is None:
        return results
    return None if 'reason' in person else person


def joint_names(results: Mapping, who: str) -> tuple[str, ...]:
    """The names of a sample's joints, in their order, for a step named
    ``who``: from ``results['keypoint_id2name']`` (inference) or the data set's
    metainfo, read once, since it is a deep copy at every access; a UsageError
    without either."""
    names, dataset = results.get('keypoint_id2name'), results.get('dataset')
    if names is None and dataset is None:
        raise UsageError(
            f'{who} finds no joint names: the sample has neither '
            'results["keypoint_id2name"] nor results["dataset"]; use a data '
            'set of MMPose, or add the former.'
        )
    if names is not None:
        return Skeleton.from_metainfo(results).names
    if not hasattr(dataset, _NAMES):
        names = Skeleton.from_metainfo(dataset.metainfo).names
        setattr(dataset, _NAMES, names)
    return getattr(dataset, _NAMES)


def _xyxy(boxes: Any, count: int) -> np.ndarray | None:
    """Boxes of ``count`` people as (N, 4), if they are that;
    ``BottomupRandomAffine`` leaves corners (N, 4, 2)."""
    if np.ndim(boxes) == 3:
        corners = np.asarray(boxes)
        boxes = np.hstack([corners.min(axis=1), corners.max(axis=1)])
    return np.asarray(boxes) if np.shape(boxes) == (count, 4) else None


def _number(value: Any) -> int:
    """A whole number >= 0 for an id of any type."""
    if isinstance(value, int | np.integer):
        return int(value) % 2**64
    return zlib.crc32(str(value).encode())


def _has_dummies(results: Mapping) -> bool:
    """Whether its boxes are a detector's, which carry zeros that are marked
    visible for joints."""
    joints = results.get('keypoints')
    if joints is None or not np.size(joints):
        return False
    dataset = results.get('dataset')
    if getattr(dataset, 'bbox_file', None) and 'raw_ann_info' not in results:
        return True
    nothing = not np.count_nonzero(joints) and np.shape(joints)[1] > 1
    return nothing and labelled_joints(results['keypoints_visible']).all()
