"""Occlusions of one kind of target: joints, parts, or one of either."""

from collections.abc import Mapping, Sequence

from mmpose.registry import TRANSFORMS

from mmpose_occlusion.occlusion import (
    DEFAULT_SIZE,
    Drawn,
    Named,
)
from mmpose_occlusion.occlusion.regions import Size
from mmpose_occlusion.occlusion.targets import KEYPOINT, PART

from .occlusion_transform import (
    OcclusionTransform,
    make_occlusion,
    read_targets,
)


@TRANSFORMS.register_module()
class KeypointOcclusion(OcclusionTransform):
    """Hide joints of every person under discs.

    After ``TopdownAffine`` it works on the crop, before it on the whole
    image with all of its people (any number of instances). A joint is
    available if it is labelled and inside the image; one that is not is
    left alone, and the record says why.

    Required Keys:

        - img: (H, W, C), uint8 or float32
        - transformed_keypoints: (N, K, 2) crop pixels; on a whole image
          instead keypoints, (N, K, 2) image pixels, and bbox, (N, 4) xyxy
        - keypoints_visible: (N, K) or (N, K, 2)
        - dataset or keypoint_id2name: for the joints' names
        - img_id, id: with ``seed``
        - bbox, input_size, input_scale: with a size in per cent

    Modified Keys:

        - img: a copy unless ``inplace``

    Added Keys:

        - occlusions: list of records,
          see :func:`mmpose_occlusion.occlusion.make_record`

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
            box. The default is the reference's.
        prob: Probability that a person is occluded.
        seed: None draws from NumPy's global generator, which MMEngine seeds
            in each worker; a number makes each draw depend on (seed, image
            id, annotation id) alone.
        inplace: Paint into the image that came instead of a copy.
        paper_exact: The reference's pixels, its defects included: a radius
            in crop pixels, and no disc where a bounds test with swapped
            height and width fails. On crops only, and for blur, mean and
            black only.
        place: 'target'; or, as a control, the same area at another place in
            the photograph: 'on_person', centred on the person without
            touching the target's own region, or 'off_person', where no pixel
            is the person's. The person is the annotation's segment, or else
            the shape of limbs, torso and head around the labelled joints.
            'decoy' is beside the target, 1 to 3 radii off, over no joint of
            the person. Where there is no such place, the record says so and
            is ``excluded``.
        offset: The disc's centre moves by a random vector, uniform in a disc
            of this fraction of the radius; the record has the vector.
        stay_covered: Whether the vector is limited so that the joint's pixel
            stays painted; with an offset above 1 it must be False.

    Raises:
        ValueError: At construction for a bad argument; at a call for a
            joint that the data set lacks, for a sample without joints, and
            for the dummy joints of detector boxes.
    """

    def __init__(
        self,
        target: str | Sequence[str] = 'random',
        *,
        fill: str = 'blur',
        size: Size = DEFAULT_SIZE,
        prob: float = 1.0,
        seed: int | None = None,
        inplace: bool = False,
        paper_exact: bool = False,
        place: str = 'target',
        offset: float = 0.0,
        stay_covered: bool = True,
    ) -> None:
        who = type(self).__name__
        named = read_targets(who, KEYPOINT, target, ('random',))
        chooser = Named(named, fill) if named else Drawn(KEYPOINT, fill)
        occlusion = make_occlusion(
            chooser,
            who,
            size=size,
            prob=prob,
            seed=seed,
            paper_exact=paper_exact,
            place=place,
            offset=offset,
            stay_covered=stay_covered,
        )
        super().__init__(
            occlusion,
            dict(
                target=target,
                fill=fill,
                size=size,
                prob=prob,
                seed=seed,
                inplace=inplace,
                paper_exact=paper_exact,
                place=place,
                offset=offset,
                stay_covered=stay_covered,
            ),
        )


@TRANSFORMS.register_module()
class PartOcclusion(OcclusionTransform):
    """Hide body parts of every person under boxes.

    Works where :class:`KeypointOcclusion` does, and needs the same keys. A
    person has a part if one of its joints is available: labelled and inside
    the image. The box covers all of the part's available joints and is never
    thinner than a quarter of its length.

    Modified Keys:

        - img: a copy unless ``inplace``
        - keypoints_visible: a copy with zeros for the removed joints, in
          both channels of an (N, K, 2) array, with ``remove_keypoints``
        - transformed_keypoints: (0, 0) for the removed joints under
          ``paper_exact``

    Added Keys:

        - occlusions: list of records,
          see :func:`mmpose_occlusion.occlusion.make_record`

    Args:
        target: A part's name, a list of names, all of which are hidden,
            'random', one of the basic parts that the person has (head, arms,
            hip, legs, corpus and the user's own), or 'random_all', any part
            that the person has.
        fill: As in :class:`KeypointOcclusion`; the blur's kernel is the odd
            number nearest to 31 H / 256 pixels, H the crop's height, or on a
            whole image that of the person's box; 'donor' pastes another part
            of another person.
        remove_keypoints: Drop the labels of the joints, of any person in the
            image, that lie under painted pixels, so that their target weight
            is 0.
        prob: Probability that a person is occluded.
        seed: As in :class:`KeypointOcclusion`.
        inplace: Paint into the image that came instead of a copy.
        paper_exact: The reference's pixels and labels, its defects included:
            tight boxes with exclusive ends, a kernel of 31 pixels, 'random'
            over arms, hip and legs whether or not the person has them, and
            labels dropped in four times the painted area. On crops only,
            and for blur, mean and black only.
        parts: Your own parts, name -> list of joint names; one with the name
            of a body part replaces it.
        place: As in :class:`KeypointOcclusion`.

    Raises:
        ValueError: At construction for a bad argument; at a call for a part
            that the data set lacks, for a sample without joints, and for
            the dummy joints of detector boxes.
    """

    def __init__(
        self,
        target: str | Sequence[str] = 'random',
        *,
        fill: str = 'blur',
        remove_keypoints: bool = False,
        prob: float = 1.0,
        seed: int | None = None,
        inplace: bool = False,
        paper_exact: bool = False,
        parts: Mapping[str, Sequence[str]] | None = None,
        place: str = 'target',
    ) -> None:
        who = type(self).__name__
        named = read_targets(who, PART, target, ('random', 'random_all'))
        what = 'part_all' if target == 'random_all' else PART
        chooser = (
            Named(named, fill) if named else Drawn(what, fill, str(target))
        )
        occlusion = make_occlusion(
            chooser,
            who,
            size=DEFAULT_SIZE,
            prob=prob,
            seed=seed,
            paper_exact=paper_exact,
            place=place,
            remove_keypoints=remove_keypoints,
        )
        super().__init__(
            occlusion,
            dict(
                target=target,
                fill=fill,
                remove_keypoints=remove_keypoints,
                prob=prob,
                seed=seed,
                inplace=inplace,
                paper_exact=paper_exact,
                parts=parts,
                place=place,
            ),
        )


@TRANSFORMS.register_module()
class RandomOcclusion(OcclusionTransform):
    """Hide one joint or one body part of every person.

    The target is drawn from the person's available joints and the parts that
    the person has, together: each is as likely as any other. (That is not a
    fixed share of joints and parts, which ``RandomChoice`` of mmcv would
    give.) Joints are hidden as by :class:`KeypointOcclusion`, parts as by
    :class:`PartOcclusion`; it needs, modifies and adds the keys that the
    latter does.

    Args:
        target: 'random'.
        fill: As in :class:`KeypointOcclusion`.
        size: Of the discs, as in :class:`KeypointOcclusion`.
        remove_keypoints: As in :class:`PartOcclusion`; discs remove nothing.
        prob: Probability that a person is occluded.
        seed: As in :class:`KeypointOcclusion`.
        inplace: As in :class:`KeypointOcclusion`.
        paper_exact: The reference's pixels and labels, its defects included,
            when its occlusions are in mode "all": the draw is from the
            joints that it takes for available and all eleven parts.
        parts: Your own parts, as in :class:`PartOcclusion`.
        place: As in :class:`KeypointOcclusion`.
        offset: Of discs, as in :class:`KeypointOcclusion`.
        stay_covered: As in :class:`KeypointOcclusion`.

    Raises:
        ValueError: As :class:`KeypointOcclusion` and :class:`PartOcclusion`.
    """

    def __init__(
        self,
        target: str = 'random',
        *,
        fill: str = 'blur',
        size: Size = DEFAULT_SIZE,
        remove_keypoints: bool = False,
        prob: float = 1.0,
        seed: int | None = None,
        inplace: bool = False,
        paper_exact: bool = False,
        parts: Mapping[str, Sequence[str]] | None = None,
        place: str = 'target',
        offset: float = 0.0,
        stay_covered: bool = True,
    ) -> None:
        who = type(self).__name__
        if target != 'random':
            raise ValueError(
                f"{who}: target={target!r} must be 'random'; to hide it by "
                'name, use KeypointOcclusion or PartOcclusion.'
            )
        occlusion = make_occlusion(
            Drawn('target', fill),
            who,
            size=size,
            prob=prob,
            seed=seed,
            paper_exact=paper_exact,
            place=place,
            offset=offset,
            stay_covered=stay_covered,
            remove_keypoints=remove_keypoints,
        )
        super().__init__(
            occlusion,
            dict(
                target=target,
                fill=fill,
                size=size,
                remove_keypoints=remove_keypoints,
                prob=prob,
                seed=seed,
                inplace=inplace,
                paper_exact=paper_exact,
                parts=parts,
                place=place,
                offset=offset,
                stay_covered=stay_covered,
            ),
        )
