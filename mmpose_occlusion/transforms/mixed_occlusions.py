"""Occlusions that mix: several joints and fills, or parts of other people."""

from collections.abc import Mapping, Sequence

from mmpose.registry import TRANSFORMS

from mmpose_occlusion.occlusion import (
    DEFAULT_SIZE,
    Drawn,
    PartMixOcclusion,
    Several,
)
from mmpose_occlusion.occlusion.regions import Size

from .occlusion_transform import (
    OcclusionTransform,
    check_probability,
    make_occlusion,
)


@TRANSFORMS.register_module()
class MultiKeypointOcclusion(OcclusionTransform):
    """Hide up to ``max_keypoints`` joints of every person under discs.

    ``min(available joints, max_keypoints)`` rounds; in each, with
    probability ``keypoint_prob``, one of the joints that are left and one of
    the fills is drawn. Source of the defaults: the published config
    ``multikeypoint_cutout_blurring_max5_02``.

    Needs, modifies and adds the keys that :class:`KeypointOcclusion` does.

    Args:
        max_keypoints: The most joints of a person that are hidden.
        keypoint_prob: Probability of each round.
        fills: Fills to draw from, any of :class:`KeypointOcclusion`.
        size: As in :class:`KeypointOcclusion`.
        prob: Probability that a person is occluded at all.
        seed: As in :class:`KeypointOcclusion`.
        inplace: As in :class:`KeypointOcclusion`.
        paper_exact: The reference's pixels; each disc is then made from the
            image that the one before it left.
        place: As in :class:`KeypointOcclusion`.
        offset: Of discs, as in :class:`KeypointOcclusion`.
        stay_covered: As in :class:`KeypointOcclusion`.

    Raises:
        ValueError: As :class:`KeypointOcclusion`.
    """

    def __init__(
        self,
        *,
        max_keypoints: int = 5,
        keypoint_prob: float = 0.2,
        fills: Sequence[str] = ('mean', 'blur'),
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
        if isinstance(fills, str) or not fills:
            raise ValueError(
                f'{who}: fills={fills!r} must be a list of fills.'
            )
        if not isinstance(max_keypoints, int) or max_keypoints < 1:
            raise ValueError(
                f'{who}: max_keypoints={max_keypoints!r} must be a whole '
                'number of at least 1.'
            )
        check_probability(who, 'keypoint_prob', keypoint_prob)
        occlusion = make_occlusion(
            Several(max_keypoints, keypoint_prob, tuple(fills)),
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
                max_keypoints=max_keypoints,
                keypoint_prob=keypoint_prob,
                fills=tuple(fills),
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
class PartMix(OcclusionTransform):
    """Paste a part of another person over a part of every person.

    The donors are the people of the training set itself: wrap it in
    :class:`mmpose_occlusion.datasets.DonorDataset`. The part to hide is
    drawn from head, arms, legs and corpus, as far as the person has them,
    another one of these for the donor, and then another person of whom all
    joints of that part are labelled. The donor's box is resized (area
    interpolation) to the person's.

    Needs the keys that :class:`PartOcclusion` does and a ``dataset`` with
    donors; modifies and adds the same ones.

    Args:
        prob: Probability that a person is occluded.
        remove_keypoints: As in :class:`PartOcclusion`.
        seed: As in :class:`KeypointOcclusion`.
        inplace: As in :class:`KeypointOcclusion`.
        paper_exact: The reference's pixels and labels, its defects included:
            a person who lacks a joint of the drawn part is left alone, only
            the first person of an image is a donor, which may be the person
            itself, missing MPII joints count as joints, and donors have blue
            and red swapped.
        tries: Donors that are tried before the person is left alone, with a
            record that says so.
        parts: Your own parts, as in :class:`PartOcclusion`.
        backend_args: Where donors' files are, as in MMPose's ``LoadImage``.

    Raises:
        ValueError: As :class:`PartOcclusion`, and without donors.
        OSError: For a donor's file that cannot be read; it names the file.
    """

    def __init__(
        self,
        *,
        prob: float = 0.5,
        remove_keypoints: bool = False,
        seed: int | None = None,
        inplace: bool = False,
        paper_exact: bool = False,
        tries: int = 8,
        parts: Mapping[str, Sequence[str]] | None = None,
        backend_args: dict | None = None,
    ) -> None:
        who = type(self).__name__
        if not isinstance(tries, int) or tries < 1:
            raise ValueError(
                f'{who}: tries={tries!r} must be a whole number of at least 1.'
            )
        occlusion = make_occlusion(
            Drawn('mixed', 'donor'),
            who,
            size=DEFAULT_SIZE,
            prob=prob,
            seed=seed,
            paper_exact=paper_exact,
            remove_keypoints=remove_keypoints,
            make=PartMixOcclusion,
            tries=tries,
        )
        super().__init__(
            occlusion,
            dict(
                prob=prob,
                remove_keypoints=remove_keypoints,
                seed=seed,
                inplace=inplace,
                paper_exact=paper_exact,
                tries=tries,
                parts=parts,
            ),
            backend_args,
        )
