"""Hide joints under discs."""

import math
from collections.abc import Sequence

from mmpose.registry import TRANSFORMS

from mmpose_occlusion.occlusion import Person
from mmpose_occlusion.occlusion.region import Region
from mmpose_occlusion.skeleton import Skeleton

from .occlusion import Occlusion


@TRANSFORMS.register_module()
class KeypointOcclusion(Occlusion):
    """Hide joints of every person under a disc.

    After ``TopdownAffine`` it works on the crop, before it on the whole
    image with all of its people (any number of instances). A joint is
    available if it is labelled and inside the picture; one that is not is
    left alone, and the record says why.

    Required Keys:

        - img: (H, W, C), uint8 or float32
        - transformed_keypoints: (N, K, 2) crop pixels; on a whole image
          instead keypoints, (N, K, 2) image pixels, and bbox, (N, 4) xyxy
        - keypoints_visible: (N, K) or (N, K, 2)
        - dataset or keypoint_id2name: for the joints' names
        - img_id, id: with ``seed``
        - bbox, input_size, input_scale: with ``diameter``

    Modified Keys:

        - img: a copy unless ``inplace``

    Added Keys:

        - occlusions: list of records,
          see :func:`mmpose_occlusion.occlusion.make_record`

    Args:
        target: A joint's name, a list of names, all of which are hidden,
            or 'random', one of the person's available joints. The prefix
            ``keypoint:`` is allowed.
        fill: 'blur' (Gaussian, kernel 2R - 1 pixels, automatic sigma),
            'mean' (the picture's mean colour), 'black', 'grey',
            'pixelate' (squares of half that kernel), 'noise' (each value of
            each pixel drawn from 0 to 255), 'texture' (a pattern of two
            colours), 'object' (a drawn ball, parcel, plant, ...) or 'donor'
            (what is around another joint of somebody else in the data set,
            which must be in a
            :class:`mmpose_occlusion.datasets.DonorDataset`).
        radius: In pixels of a crop of height 256; the disc has
            ``R = max(2, round(radius * H / 256))`` pixels, H the crop's
            height, or on a whole image that of the person's box. The default
            is the reference's.
        diameter: Instead of the radius, the disc's diameter as a part of the
            height of the person's box (0.1 is a tenth), whatever padding the
            crop has around it; a disc holds at least its joint's pixel.
        prob: Probability that a person is occluded.
        seed: None draws from NumPy's global generator, which MMEngine seeds
            in each worker; a number makes each draw depend on (seed, image
            id, annotation id) alone.
        inplace: Paint into the picture that came instead of a copy.
        paper_exact: The reference's pixels, its defects included: a radius
            in crop pixels, and no disc where a bounds test with swapped
            height and width fails. On crops only, and for blur, mean and
            black only.
        place: 'target'; or, as a control, the same area somewhere else in
            the photograph: 'on_person', centred on the person without
            touching the target's own region, or 'off_person', where no pixel
            is the person's. The person is the annotation's segment, or else
            the shape of limbs, torso and head around the labelled joints.
            Where there is no such place, the record says so and is
            ``excluded``.

    Raises:
        ValueError: At construction for a bad argument; at a call for a
            joint that the data set lacks, for a sample without joints, and
            for the dummy joints of detector boxes.
    """

    kind = 'keypoint'
    random_targets = ('random',)

    def __init__(
        self,
        target: str | Sequence[str] = 'random',
        fill: str = 'blur',
        radius: float = 6,
        prob: float = 1.0,
        seed: int | None = None,
        inplace: bool = False,
        paper_exact: bool = False,
        place: str = 'target',
        diameter: float | None = None,
    ) -> None:
        super().__init__(
            target, fill, prob, seed, inplace, paper_exact, place=place
        )
        self._check_radius(radius)
        if diameter is not None:
            self._check_diameter(diameter)
        self.radius = radius
        self.diameter = diameter

    def _check_diameter(self, diameter: object) -> None:
        if not isinstance(diameter, int | float) or not 0 < diameter <= 4:
            raise ValueError(
                f'{self._who}: diameter={diameter!r} must be a part of the '
                "height of the person's box, such as 0.1."
            )
        if self.paper_exact:
            raise ValueError(
                f"{self._who}: diameter={diameter!r} is not the reference's, "
                'which has a radius: leave out paper_exact=True.'
            )

    def _candidates(self, person: Person) -> list[str]:
        return self._rules.random_keypoints(person)

    def _region(
        self, person: Person, name: str, shape: tuple[int, ...]
    ) -> Region | str:
        if name not in person.points:
            return self._rules.why_unavailable(person, name)
        if self.diameter is None:
            return self._rules.disc(person, name, self.radius, shape)
        if not math.isfinite(person.box_height):
            raise ValueError(
                f'{self._who} with diameter={self.diameter} scales with the '
                "height of the person's box, but this sample does not say "
                'it: it needs results["bbox"] and, in a crop, '
                'results["input_scale"] of TopdownAffine.'
            )
        return self._rules.sized_disc(person, name, self.diameter)

    def _ksize(self, person: Person, region: Region) -> int:
        return self._rules.disc_ksize(region)

    def _index(self, skeleton: Skeleton, name: str) -> tuple[int, ...]:
        return (skeleton.joint_index(name),)

    def _targets(self, skeleton: Skeleton) -> Sequence[str]:
        return skeleton.names

    def __repr__(self) -> str:
        return (
            f'{self._who}(target={self.target!r}, fill={self.fill!r}, '
            f'radius={self.radius}, prob={self.prob}, seed={self.seed}, '
            f'inplace={self.inplace}, paper_exact={self.paper_exact}, '
            f'place={self.place!r}, diameter={self.diameter})'
        )
