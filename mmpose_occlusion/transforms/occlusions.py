"""Occlusions of joints, body parts, and mixtures of them; and what goes with
them in a pipeline."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS

from mmpose_occlusion.occlusion import targets
from mmpose_occlusion.occlusion.placement import TARGET
from mmpose_occlusion.occlusion.regions import Size
from mmpose_occlusion.occlusion.targets import CELL, KEYPOINT, PART, Chooser

from .occlusion_transform import OcclusionTransform
from .results_reader import DONOR_TRIES, joint_names


@dataclass(eq=False)
class _Named(OcclusionTransform):
    target: str | Sequence[str] = 'random'
    _: KW_ONLY
    fill: str = 'blur'
    kind: ClassVar[str]

    def chooser(self) -> Chooser:
        names = [self.target] if isinstance(self.target, str) else self.target
        words = ' or '.join(map(repr, targets.RANDOM_WORDS[self.kind]))
        words = f"must be a {self.kind}'s name, a list of names, or {words}"
        fits = isinstance(names, Sequence) and names
        fits = fits and all(isinstance(name, str) for name in names)
        self.require(fits, 'target', words)
        return targets.chooser_of(self.kind, names, self.fill)


@dataclass(kw_only=True, eq=False)
class _Discs(OcclusionTransform):
    size: Size | None = None
    place: str = TARGET
    offset: float = 0.0
    stay_covered: bool = True


@dataclass(kw_only=True, eq=False)
class _Parts(OcclusionTransform):
    remove_keypoints: bool = False
    parts: Mapping[str, Sequence[str]] | None = None


@TRANSFORMS.register_module()
@dataclass(eq=False)
class KeypointOcclusion(_Named, _Discs):
    """Hide joints of every person under discs.

    After ``TopdownAffine`` it works on the crop, before it on the whole
    image with all of its people. A joint is available if it is labelled and
    inside the image; others are left alone, and the record says why.

    Required Keys:

        - img: (H, W) or (H, W, C), uint8, uint16, int16, float32 or float64
        - transformed_keypoints: (N, K, 2) crop pixels; on a whole image
          instead keypoints, (N, K, 2) image pixels, and bbox, (N, 4) xyxy
        - keypoints_visible: (N, K) or (N, K, 2)
        - dataset or keypoint_id2name: for the joints' names
        - img_id, id: with ``seed``
        - bbox, input_size, input_scale: the person's box, for a size in per
          cent; else the box around the available joints counts

    Modified Keys:

        - img: a copy
        - keypoints_visible: a copy, unless ``label`` is 'keep'

    Added Keys:

        - occlusions: see :class:`mmpose_occlusion.occlusion.Record`

    Args:
        target: A joint's name, a list of names, all of which are hidden,
            or 'random', one of the person's available joints.
        fill: See :func:`mmpose_occlusion.occlude`; or 'donor', the
            surroundings of another joint of another person of the data set, a
            :class:`mmpose_occlusion.datasets.DonorDataset`. A blur's kernel
            has 2R - 1 pixels, R those of the disc's radius.
        size: Of the disc. A number is a radius in pixels of a crop of height
            256: ``R = max(2, round(size * H / 256))``, H the crop's height,
            or on a whole image that of the person's box. '10%' is a diameter
            as a fraction of the height of the person's box. The default is
            '20%', and with ``paper_exact`` the reference's 6.
        prob: Probability that a person is occluded.
        seed: None draws from NumPy's global generator, which MMEngine seeds
            in each worker; a number makes each draw depend on (seed, image
            id, annotation id) alone.
        paper_exact: The reference's pixels, its defects included: a radius
            in crop pixels, and no disc where a bounds test with swapped
            height and width fails. On crops only, and for blur, mean and
            black only.
        place: See :func:`mmpose_occlusion.occlude`.
        offset: See there.
        stay_covered: See there.
        label: What becomes of the labels of all labelled joints, of any
            person, that lie on painted pixels. 'keep' leaves them; with
            'drop' their target weight is 0 (the record lists them as
            removed); with 'occluded' they still supervise the coordinates,
            and a :class:`mmpose_occlusion.models.OcclusionVisHead` learns
            that they are not visible: their second channel of
            ``keypoints_visible``, then (N, K, 2), is 0.

    Raises:
        ValueError: At construction for a bad argument; at a call for a
            target that the data set lacks, for a sample without joints, and
            for the dummy joints of detector boxes.
    """

    kind = KEYPOINT


@TRANSFORMS.register_module()
@dataclass(kw_only=True, eq=False)
class PartOcclusion(_Named, _Parts):
    """Hide body parts of every person under boxes.

    Keys and errors are those of :class:`KeypointOcclusion`, and so are the
    arguments that are not listed here. A person has a part if one of its
    joints is available. The box covers all of the part's available joints
    and is never thinner than a quarter of its length.

    Modified Keys, with ``remove_keypoints``:

        - keypoints_visible: a copy with zeros for the removed joints, in both
          channels of an (N, K, 2) array
        - transformed_keypoints: their (0, 0) under ``paper_exact``

    Args:
        target: A part's name, a list of names, all of which are hidden,
            'random', one of the basic parts that the person has (head, arms,
            hip, legs, corpus and the user's own), or 'random_all', any part
            that the person has.
        fill: The blur's kernel is the odd number nearest to 31 H / 256
            pixels, H the crop's height, or on a whole image that of the
            person's box; 'donor' pastes another part of another person.
        remove_keypoints: Drop the labels of all joints under painted pixels:
            ``label='drop'`` where ``paper_exact`` is False.
        paper_exact: The reference's pixels and labels, its defects included:
            tight boxes with exclusive ends, a kernel of 31 pixels, 'random'
            over arms, hip and legs whether or not the person has them, and
            labels dropped in four times the painted area. On crops only,
            and for blur, mean and black only.
        parts: Your own parts, name -> list of joint names; one with the name
            of a body part replaces it.
    """

    place: str = TARGET
    kind = PART


@TRANSFORMS.register_module()
@dataclass(kw_only=True, eq=False)
class CellOcclusion(_Named):
    """Hide a square at a place in every person's box, for sensitivity maps.

    Keys, errors and arguments are those of :class:`KeypointOcclusion`. A
    crop must not be turned.

    Args:
        target: Such as 'x-10y35': the square's centre in per cent of the
            height of the person's box, right of its middle and below its
            top; people whose box does not contain it are left alone.
        size: Side of the square, such as '10%' of the height of the box.
    """

    fill: str = 'black'
    size: Size | None = None
    kind = CELL


@TRANSFORMS.register_module()
@dataclass(eq=False)
class RandomOcclusion(_Named, _Discs, _Parts):
    """Hide one joint or one body part of every person.

    The target is drawn from the person's available joints and the parts that
    the person has, together: each is as likely as any other. Keys, errors and
    arguments are those of :class:`KeypointOcclusion` and
    :class:`PartOcclusion`; ``target`` is 'random', and ``remove_keypoints``
    is for parts. ``paper_exact`` is the reference's mode "all": the draw is
    from the joints that it takes for available and all eleven parts.
    """

    def chooser(self) -> Chooser:
        words = 'use KeypointOcclusion or PartOcclusion to hide it by name'
        random = self.target == 'random'
        self.require(random, 'target', f"must be 'random'; {words}")
        label = (targets.Target('target', 'random'),)
        return Chooser((self.fill,), label, 'target')


@TRANSFORMS.register_module()
@dataclass(eq=False, kw_only=True)
class MultiKeypointOcclusion(_Discs):
    """Hide up to ``max_keypoints`` joints of every person under discs.

    ``min(available joints, max_keypoints)`` rounds; in each, with
    probability ``keypoint_prob``, one of the joints that are left and one of
    the fills is drawn. Source of the defaults: the published config
    ``multikeypoint_cutout_blurring_max5_02``. Keys, errors and the other
    arguments are those of :class:`KeypointOcclusion`.
    """

    max_keypoints: int = 5
    keypoint_prob: float = 0.2
    fills: Sequence[str] = ('mean', 'blur')

    def chooser(self) -> Chooser:
        listed = self.fills and not isinstance(self.fills, str)
        self.require(listed, 'fills', 'must be a list of fills')
        most = self.max_keypoints
        fits = isinstance(most, int) and most >= 1
        words = 'must be a whole number of at least 1'
        self.require(fits, 'max_keypoints', words)
        self.require_probability('keypoint_prob', self.keypoint_prob)
        self.fills = tuple(self.fills)
        label = (targets.Target(KEYPOINT, 'random'),)
        return Chooser(self.fills, label, 'several', most, self.keypoint_prob)


@TRANSFORMS.register_module()
@dataclass(eq=False, kw_only=True)
class PartMix(_Parts):
    """Paste a part of another person over a part of every person.

    The donors are the people of the training set itself: wrap it in
    :class:`mmpose_occlusion.datasets.DonorDataset`. The part to hide is
    drawn from head, arms, legs and corpus, as far as the person has them,
    another one of these for the donor, and then another person of whom all
    joints of that part are labelled, in up to 8 tries. The donor's box is
    resized (area interpolation) to the person's. Keys, errors and the other
    arguments are those of :class:`PartOcclusion`.

    Args:
        paper_exact: The reference's pixels and labels, its defects included:
            a person who lacks a joint of the drawn part is left alone, only
            the first person of an image is a donor, which may be the person
            itself, missing MPII joints count as joints, and donors have blue
            and red swapped.

    Raises:
        ValueError: The data set has no donors.
        OSError: For a donor's file that cannot be read; it names the file.
    """

    prob: float = 0.5

    def chooser(self) -> Chooser:
        label = (targets.Target(PART, 'random'),)
        return Chooser(('donor',), label, 'mixed', DONOR_TRIES)


@TRANSFORMS.register_module()
@dataclass(eq=False)
class EmptyRemovedHeatmaps(BaseTransform):
    """Train the joints that an occlusion removed towards an empty heatmap.

    Without it a removed joint has weight 0, and any answer will do. Put it
    after ``GenerateTarget`` with a heatmap codec of one map for each joint.

    Required Keys:

        - occlusions: records of the occlusions before it
        - heatmaps: (K, h, w) float32
        - keypoint_weights: (N, K)
        - dataset or keypoint_id2name: for the joints' names

    Modified Keys:

        - heatmaps: zero for the removed joints
        - keypoint_weights: ``weight``, positive, for the removed joints

    Raises:
        ValueError: For a codec that makes other targets than that.
    """

    weight: float = 1.0

    def __post_init__(self) -> None:
        weight = self.weight
        if not isinstance(weight, int | float) or not 0 < weight < np.inf:
            words = f'weight={weight!r} must be a positive number.'
            raise ValueError(f'EmptyRemovedHeatmaps: {words}')

    def transform(self, results: dict) -> dict:
        """Empty the maps of the removed joints; see the class."""
        names = joint_names(results, 'EmptyRemovedHeatmaps')
        maps, weights = map(results.get, ('heatmaps', 'keypoint_weights'))
        per_joint = getattr(maps, 'shape', ())[:1] == (len(names),)
        labels = set(results.get('label_mapping_table', ()))
        if not per_joint or labels != {'keypoint_weights'}:
            raise ValueError(
                'EmptyRemovedHeatmaps needs the targets of a heatmap codec, '
                f'one map for each of the {len(names)} joints and nothing '
                'else, after GenerateTarget; other codecs have no way to say '
                'that a joint is not visible.'
            )
        removed = [
            (instance, names.index(joint))
            for record in results.get('occlusions', [])
            for instance, joint in record['removed']
        ]
        if not removed:
            return results
        rows, joints = np.array(removed).T
        if weights is None or len(weights) <= rows.max():
            raise ValueError(
                'EmptyRemovedHeatmaps needs results["keypoint_weights"] '
                '(N, K) of all people of the records: put it right after '
                'GenerateTarget.'
            )
        maps, weights = maps.copy(), weights.copy()
        maps[joints], weights[rows, joints] = 0, self.weight
        return {**results, 'heatmaps': maps, 'keypoint_weights': weights}


@TRANSFORMS.register_module()
@dataclass(eq=False)
class KeepImage(BaseTransform):
    """Keep a copy of the image as it is at this place of the pipeline, under
    ``key``, for the packing transform's ``meta_keys``."""

    key: str

    def transform(self, results: dict) -> dict:
        results[self.key] = results['img'].copy()
        return results
