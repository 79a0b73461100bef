"""What an occlusion reads from MMPose's ``results``, in one place."""

import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from mmpose.datasets.transforms import LoadImage
from mmpose.structures.bbox import get_warp_matrix

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.occlusion import (
    Occlusion,
    Person,
    Target,
    labelled_joints,
)
from mmpose_occlusion.occlusion.paints import Donor
from mmpose_occlusion.occlusion.placement import (
    Surroundings,
    filled,
    segment_mask,
)
from mmpose_occlusion.occlusion.targets import PART, Mixed
from mmpose_occlusion.skeleton import MIXED_PARTS, Skeleton

MATCHED_KEY = 'matched_person'
"""Key of the person in a detector's box, whose sample has dummy joints: a dict
with that person's ``keypoints``, ``keypoints_visible``, ``id``, ``bbox``,
perhaps ``segmentation`` and, after a warp, ``transformed_keypoints``; or with
the ``reason`` why no person is matched.
:class:`mmpose_occlusion.datasets.DetectionMatchedDataset` sets it."""

IMAGE_TYPES = ('uint8', 'uint16', 'int16', 'float32', 'float64')
"""Types of pixels that OpenCV filters and resizes."""

DONOR_TRIES = 8
"""Donors that are tried for a patch of a fill 'donor'."""

_names_of_dataset: WeakKeyDictionary = WeakKeyDictionary()


class Sample(Surroundings):
    """A sample of MMPose's as an occlusion sees it.

    Args:
        results: MMPose's dict.
        occlusion: Its rules and regions apply to donors, too.
        load: Loads a donor's image.
        parts: The user's own parts.

    Attributes:
        key: ``transformed_keypoints`` after an affine warp, ``keypoints`` on
            a whole image.
        source: The sample, or the person matched to its detector's box.
        skeleton: Of the people; None without any.
        reason: Why there are no people.

    Raises:
        UsageError: The sample has no joints, dummy joints or no names for
            them.
    """

    skeleton: Skeleton | None = None
    reason = 'there is no person in this image'

    def __init__(
        self,
        results: Mapping,
        occlusion: Occlusion,
        load: LoadImage,
        parts: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        who, image = occlusion.name, results.get('img')
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
        super().__init__(image.shape, (), results.get('skeleton_links', ()))
        self._results, self._occlusion, self._load = results, occlusion, load
        self.cropped = results.get('transformed_keypoints') is not None
        if occlusion.in_turn and not self.cropped:
            raise UsageError(
                f'{who} with paper_exact=True works on crops alone, as '
                'the reference did: put it after TopdownAffine.'
            )
        self.key = 'transformed_keypoints' if self.cropped else 'keypoints'
        matched = results.get(MATCHED_KEY)
        self.matched = matched is not None
        self.source: Mapping = results if matched is None else matched
        if matched is not None and 'reason' in matched:
            self.reason = matched['reason']
            return
        xy = self.source.get(self.key)
        if xy is None and results.get('id') == []:
            return  # a bottom-up test image
        if xy is None and self.matched:
            raise UsageError(
                f"{who}: the person in the detector's box of "
                f'{_called(results)} was not taken into the crop; '
                'TopdownAffine must be in the pipeline of the data set inside '
                'DetectionMatchedDataset.'
            )
        if not isinstance(xy, np.ndarray) or xy.ndim != 3:
            raise UsageError(
                f'{who} needs the joints of the people, an array (N, K, 2), '
                f'in results["{self.key}"], and {_called(results)} has none: '
                'it can only be used with annotated people, not for plain '
                'inference.'
            )
        names = joint_names(results, who)
        if len(names) != xy.shape[1]:
            raise UsageError(
                f'{who}: {_called(results)} has {xy.shape[1]} joints, but '
                f'its metainfo names {len(names)}.'
            )
        if 'keypoints_visible' not in self.source:
            raise UsageError(
                f'{who} needs results["keypoints_visible"] (N, K), and '
                f'{_called(results)} has none: mark every labelled joint 1.'
            )
        if not self.matched:
            _refuse_dummies(results, who)
        self.skeleton = Skeleton.from_names(names, parts)

    @property
    def count(self) -> int:
        """Number of people."""
        return len(self.source[self.key]) if self.skeleton else 0

    def read_people(self) -> Sequence[Person]:
        """The people as the core has them.

        Raises:
            UsageError: A whole image without boxes.
        """
        results, rules = self._results, self._occlusion.rules
        assert self.skeleton is not None
        joints = np.asarray(self.source[self.key])
        flags = labelled_joints(self.source['keypoints_visible'])
        xy = rules.coordinates(
            joints[..., :2],
            flags,
            self.source.get('keypoints'),  # the warp leaves them alone
            mpii=self.skeleton.is_mpii,
            flipped=bool(results.get('flip')),
        )
        count = len(joints)
        boxes = _xyxy(self.source.get('bbox'), count)
        heights, zoom = [float(self._shape[0])] * count, 1.0
        if not self.cropped:
            own = _xyxy(results.get('bbox'), count)
            if own is None:
                raise UsageError(
                    f'{self._occlusion.name} on a whole image scales with the '
                    'height of each person\'s box, but results["bbox"] (N, 4) '
                    'is missing or has another number of people in '
                    f'{_called(results)}.'
                )
            heights = (own[:, 3] - own[:, 1]).tolist()
        scale = results.get('input_scale')
        if boxes is None or (self.cropped and scale is None):
            boxes = np.full((count, 4), np.nan)
        corners = boxes.reshape(count, 2, 2)
        if self.cropped and scale is not None:
            # which imports this module
            from mmpose_occlusion.engine.crops import to_crop

            zoom = results['input_size'][1] / float(scale[1])
            corners = to_crop(corners, results)
        self.people = [
            self._person(
                xy[i],
                flags[i],
                self._shape,
                heights[i],
                zoom * (y2 - y1),
                corners[i].ravel().tolist(),
            )
            for i, (_, y1, _, y2) in enumerate(boxes.tolist())
        ]
        return self.people

    def _person(
        self, xy: np.ndarray, flags: np.ndarray, shape: tuple, *heights: Any
    ) -> Person:
        skeleton, rules = self.skeleton, self._occlusion.rules
        joints = xy.tolist(), flags.tolist()
        points = rules.available(skeleton.names, *joints, shape)
        return Person(skeleton, *joints, points, *heights)

    def keys(self) -> list[tuple[int, int]]:
        """Numbers of the image and of the annotation of each person, to which
        random draws are keyed."""
        results, count = self._results, self.count
        ids: Any = self.source.get('id')
        image = _number(results.get('img_id', results.get('img_path')))
        if not isinstance(ids, list | tuple | np.ndarray):
            ids = [ids] * count if count == 1 else [None] * count
        return [
            (image, i if ids[i] is None else _number(ids[i]))
            for i in range(count)
        ]

    def segment(self, index: int) -> np.ndarray | None:
        """The annotated segment in the image; None where there is none."""
        results = self._results
        segment = self.source.get('segmentation')
        if isinstance(results.get('id'), list):  # an image of several people
            segment = segment[index] if segment else None
        if not segment or results.get('flip'):
            return None
        warp = self._warp() if self.cropped else np.eye(3)[:2]
        if warp is None:
            return None
        return segment_mask(segment, self._shape, warp)

    def photo_mask(self) -> np.ndarray:
        """The pixels that show the photograph, not its padding; all of them
        where the sample does not say."""
        warp, size = self._warp(), self._results.get('ori_shape')
        if warp is None or size is None:
            return super().photo_mask()
        bottom, right = size[0] - 1, size[1] - 1
        corners = [[0, 0], [right, 0], [right, bottom], [0, bottom]]
        return filled([corners @ warp[:, :2].T + warp[:, 2]], self._shape)

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
        numbers: Sequence[float],
        rng: np.random.Generator,
    ) -> Donor | str:
        """Pixels of another joint or part of another person of the data set:
        of the first of the drawn donors of whom it can be cut out. PartMix
        draws from the person's numbers, a fill 'donor' from ``rng``.

        Raises:
            ValueError: The data set offers no donors.
            OSError: A donor's file cannot be read; the message names it.
        """
        occlusion, chooser = self._occlusion, self._occlusion.chooser
        donors = getattr(self._results.get('dataset'), 'donors', None)
        if donors is None:
            raise ValueError(
                f'{occlusion.name} finds no donors: wrap the data set, '
                "dataset = dict(type='DonorDataset', dataset=<the data set>)."
            )
        person, kind = self.people[index], target.kind
        skeleton = person.skeleton
        names = skeleton.parts if kind == PART else skeleton.names
        known = [name for name in names if name != target.name]
        if kind == PART:
            known = [part for part in MIXED_PARTS if part in known] or known
        mixes = isinstance(chooser, Mixed)
        paper = mixes and occlusion.in_turn
        if mixes and not paper:
            known = [p for p in known if len(donors.with_part(skeleton, p))]
        if not known:
            if mixes:
                return 'there is no person with all joints of another part'
            return f'there is no other {kind}'
        if mixes:
            other = Target(PART, known[int(numbers[2] * len(known))])
            rows = donors.with_part(skeleton, other.name, paper)
            tries, zoom = 1 if paper else chooser.tries, 1.0
            drawn, missed = numbers[3 : 3 + tries], f'(tries={tries})'
        else:
            other = Target(kind, known[rng.integers(len(known))])
            rows = donors.rows_with(other.joints(skeleton))
            drawn = rng.random(DONOR_TRIES).tolist()
            missed = f'in {DONOR_TRIES} tries'
            # height of the frame as a multiple of the box's
            box = person.box_height
            zoom = person.height / box if 0 < box < math.inf else 1.0
        ids: Any = self.source.get('id')
        own = (
            self._results.get('img_path'),
            ids[index] if isinstance(ids, list | tuple) else ids,
        )
        for number in drawn if len(rows) else ():
            donor = donors[rows[int(number * len(rows))]]
            # the reference does not exclude the person itself
            if not paper and donor[:2] == own:
                continue
            source = donors.read(donor.image_path, self._load, occlusion.name)
            xy = occlusion.rules.coordinates(
                donor.xy, donor.labelled, mpii=skeleton.is_mpii, flipped=False
            )
            height = donor.height
            they = self._person(
                xy, donor.labelled, source.shape, zoom * height, height
            )
            region = occlusion.region(they, other, source.shape)
            box = isinstance(region, str) or region.bounds(source.shape)
            if isinstance(box, tuple):
                return Donor(
                    other.name,
                    donor.image_path,
                    donor.annotation,
                    box,
                    paper,  # its donors have red and blue swapped
                    source,
                )
        return f'no donor of a {other.name} found {missed}'


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
            f'{who} finds no joint names for {_called(results)}: it has '
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


def _called(results: Mapping) -> str:
    """What a message calls the sample."""
    where = results.get('img_id', results.get('img_path'))
    return 'this sample' if where is None else f'image {where}'


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
            f'{who} cannot hide the joints of {_called(results)}: its '
            'boxes come from a detector (bbox_file) and carry dummy joints '
            'only; put the data set into a DetectionMatchedDataset, or test '
            'with the annotated boxes: bbox_file=None in the data set, or '
            '--gt-boxes of tools/test.py.'
        )
