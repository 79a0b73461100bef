"""Occlusions of joints, body parts, and mixtures of them."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass

from mmpose.registry import TRANSFORMS

from mmpose_occlusion.occlusion import targets
from mmpose_occlusion.occlusion.placement import TARGET
from mmpose_occlusion.occlusion.regions import Size
from mmpose_occlusion.occlusion.targets import CELL, KEYPOINT, PART, Chooser

from .occlusion_transform import OcclusionTransform

Parts = Mapping[str, Sequence[str]]


@dataclass(kw_only=True, eq=False)
class _Discs(OcclusionTransform):
    size: Size | None = None
    place: str = TARGET
    offset: float = 0.0
    stay_covered: bool = True


@TRANSFORMS.register_module()
@dataclass(eq=False)
class KeypointOcclusion(_Discs):
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
          cent; without them it is the box around the available joints (of
          one joint the image's height)

    Modified Keys:

        - img: a copy
        - keypoints_visible: a copy, unless ``label`` is 'keep'

    Added Keys:

        - occlusions: list of records,
          see :class:`mmpose_occlusion.occlusion.Record`

    Args:
        target: A joint's name, a list of names, all of which are hidden,
            or 'random', one of the person's available joints.
        fill: 'blur' (Gaussian, kernel 2R - 1 pixels, automatic sigma),
            'mean' (the image's mean colour), 'black', 'grey', 'pixelate'
            (squares of half that kernel), 'noise' (each value of each pixel
            drawn from 0 to 255), 'texture' (a pattern of two colours),
            'object' (a drawn ball, parcel, plant, ...) or 'donor' (the
            surroundings of another joint of another person of the data set,
            which must be in a
            :class:`mmpose_occlusion.datasets.DonorDataset`).
        size: Of the disc. A number is a radius in pixels of a crop of height
            256: the disc has ``R = max(2, round(size * H / 256))`` pixels, H
            the crop's height, or on a whole image that of the person's box.
            '10%' is a diameter as a fraction of the height of the person's
            box. The default is '20%', and with ``paper_exact`` the
            reference's 6.
        prob: Probability that a person is occluded.
        seed: None draws from NumPy's global generator, which MMEngine seeds
            in each worker; a number makes each draw depend on (seed, image
            id, annotation id) alone.
        paper_exact: The reference's pixels, its defects included: a radius
            in crop pixels, and no disc where a bounds test with swapped
            height and width fails. On crops only, and for blur, mean and
            black only.
        place: 'target'; or, as a control, the same area at another place in
            the photograph: 'on_person', centred on the person without
            touching the target's region, or 'off_person', where no pixel is
            the person's (the annotation's segment, or else the shape of
            limbs, torso and head around the labelled joints); 'decoy' is 1 to
            3 radii beside the target, over no joint of the person. Where
            there is no such place, the record is ``excluded``.
        offset: The disc's centre moves by a random vector, uniform in a disc
            of this fraction of the radius; the record has the vector.
        stay_covered: Whether the vector is limited so that the joint's pixel
            stays painted; with an offset above 1 it must be False.
        label: What becomes of the labels of all labelled joints, of any
            person, that lie on painted pixels. 'keep' leaves them; with
            'drop' their target weight is 0 (the record lists them as
            removed); with 'occluded' they still supervise the coordinates,
            and a :class:`mmpose_occlusion.models.OcclusionVisHead` learns
            that they are not visible: their second channel of
            ``keypoints_visible``, then (N, K, 2), is 0. Records have it
            under ``label`` where it is not 'keep'.

    Raises:
        ValueError: At construction for a bad argument; at a call for a
            target that the data set lacks, for a sample without joints, and
            for the dummy joints of detector boxes.
    """

    target: str | Sequence[str] = 'random'
    _: KW_ONLY
    fill: str = 'blur'

    def chooser(self) -> Chooser:
        return self.by_name(KEYPOINT)


@TRANSFORMS.register_module()
@dataclass(eq=False)
class PartOcclusion(OcclusionTransform):
    """Hide body parts of every person under boxes.

    Keys and errors are those of :class:`KeypointOcclusion`, and so are the
    arguments that are not listed here. A person has a part if one of its
    joints is available. The box covers all of the part's available joints
    and is never thinner than a quarter of its length.

    Modified Keys:

        - keypoints_visible: a copy with zeros for the removed joints, in
          both channels of an (N, K, 2) array, with ``remove_keypoints``
        - transformed_keypoints: (0, 0) for the removed joints under
          ``paper_exact``

    Args:
        target: A part's name, a list of names, all of which are hidden,
            'random', one of the basic parts that the person has (head, arms,
            hip, legs, corpus and the user's own), or 'random_all', any part
            that the person has.
        fill: The blur's kernel is the odd number nearest to 31 H / 256
            pixels, H the crop's height, or on a whole image that of the
            person's box; 'donor' pastes another part of another person.
        remove_keypoints: Drop the labels of the joints, of any person in the
            image, that lie under painted pixels: ``label='drop'`` where
            ``paper_exact`` is False.
        paper_exact: The reference's pixels and labels, its defects included:
            tight boxes with exclusive ends, a kernel of 31 pixels, 'random'
            over arms, hip and legs whether or not the person has them, and
            labels dropped in four times the painted area. On crops only,
            and for blur, mean and black only.
        parts: Your own parts, name -> list of joint names; one with the name
            of a body part replaces it.
    """

    target: str | Sequence[str] = 'random'
    _: KW_ONLY
    fill: str = 'blur'
    remove_keypoints: bool = False
    parts: Parts | None = None
    place: str = TARGET

    def chooser(self) -> Chooser:
        return self.by_name(PART)


@TRANSFORMS.register_module()
@dataclass(eq=False)
class CellOcclusion(OcclusionTransform):
    """Hide a square at a place in every person's box, for sensitivity maps.

    Keys, errors and arguments are those of :class:`KeypointOcclusion`. A
    crop must not be turned.

    Args:
        target: Such as 'x-10y35': the square's centre in per cent of the
            height of the person's box, right of its middle and below its
            top; people whose box does not contain it are left alone.
        size: Side of the square, such as '10%' of the height of the box.
    """

    target: str
    _: KW_ONLY
    fill: str = 'black'
    size: Size | None = None

    def chooser(self) -> Chooser:
        return self.by_name(CELL)


@TRANSFORMS.register_module()
@dataclass(eq=False)
class RandomOcclusion(_Discs):
    """Hide one joint or one body part of every person.

    The target is drawn from the person's available joints and the parts that
    the person has, together: each is as likely as any other. Keys, errors and
    arguments are those of :class:`KeypointOcclusion` and
    :class:`PartOcclusion`; ``target`` is 'random', and ``remove_keypoints``
    is for parts. ``paper_exact`` is the reference's mode "all": the draw is
    from the joints that it takes for available and all eleven parts.
    """

    target: str = 'random'
    _: KW_ONLY
    fill: str = 'blur'
    remove_keypoints: bool = False
    parts: Parts | None = None

    def chooser(self) -> Chooser:
        words = 'to hide it by name, use KeypointOcclusion or PartOcclusion'
        random = self.target == 'random'
        self.require(random, 'target', f"must be 'random'; {words}")
        return targets.chooser_of('target', ['random'], self.fill)


@TRANSFORMS.register_module()
@dataclass(eq=False, kw_only=True)
class MultiKeypointOcclusion(_Discs):
    """Hide up to ``max_keypoints`` joints of every person under discs.

    ``min(available joints, max_keypoints)`` rounds; in each, with
    probability ``keypoint_prob``, one of the joints that are left and one of
    the fills is drawn. Source of the defaults: the published config
    ``multikeypoint_cutout_blurring_max5_02``. Keys, errors and the other
    arguments are those of :class:`KeypointOcclusion`; under ``paper_exact``
    each disc is made from the image that the one before it left.

    Args:
        max_keypoints: The most joints of a person that are hidden.
        keypoint_prob: Probability of each round.
        fills: Fills to draw from.
    """

    max_keypoints: int = 5
    keypoint_prob: float = 0.2
    fills: Sequence[str] = ('mean', 'blur')

    def chooser(self) -> Chooser:
        listed = self.fills and not isinstance(self.fills, str)
        self.require(listed, 'fills', 'must be a list of fills')
        self.require_count('max_keypoints')
        self.require_probability('keypoint_prob')
        self.fills = tuple(self.fills)
        label = (targets.Target(KEYPOINT, 'random'),)
        most, prob = self.max_keypoints, self.keypoint_prob
        return Chooser(self.fills, label, 'several', most, prob)


@TRANSFORMS.register_module()
@dataclass(eq=False, kw_only=True)
class PartMix(OcclusionTransform):
    """Paste a part of another person over a part of every person.

    The donors are the people of the training set itself: wrap it in
    :class:`mmpose_occlusion.datasets.DonorDataset`. The part to hide is
    drawn from head, arms, legs and corpus, as far as the person has them,
    another one of these for the donor, and then another person of whom all
    joints of that part are labelled. The donor's box is resized (area
    interpolation) to the person's. Keys, errors and the other arguments are
    those of :class:`PartOcclusion`.

    Args:
        paper_exact: The reference's pixels and labels, its defects included:
            a person who lacks a joint of the drawn part is left alone, only
            the first person of an image is a donor, which may be the person
            itself, missing MPII joints count as joints, and donors have blue
            and red swapped.
        tries: Donors that are tried before the person is left alone, with a
            record that says so.
        backend_args: Where donors' files are, as in MMPose's ``LoadImage``.

    Raises:
        ValueError: The data set has no donors.
        OSError: For a donor's file that cannot be read; it names the file.
    """

    prob: float = 0.5
    remove_keypoints: bool = False
    tries: int = 8
    parts: Parts | None = None
    backend_args: dict | None = None

    def chooser(self) -> Chooser:
        self.require_count('tries')
        label = (targets.Target(PART, 'random'),)
        return Chooser(('donor',), label, 'mixed', self.tries)
