"""Hide body parts under boxes."""

from collections.abc import Mapping, Sequence

from mmpose.registry import TRANSFORMS

from mmpose_occlusion.occlusion import Person
from mmpose_occlusion.occlusion.region import Region
from mmpose_occlusion.skeleton import MIXED_PARTS, Skeleton

from .occlusion import Occlusion


@TRANSFORMS.register_module()
class PartOcclusion(Occlusion):
    """Hide body parts of every person under a box.

    Works where :class:`KeypointOcclusion` does, and needs the same keys. A
    person has a part if one of its joints is available: labelled and inside
    the picture. The box covers all of the part's available joints and is
    never thinner than a quarter of its length.

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
            that the person has. The prefix ``part:`` is allowed.
        fill: 'blur' (Gaussian, kernel the odd number nearest to 31 H / 256
            pixels, H the crop's height, or on a whole image that of the
            person's box), 'mean' (the picture's mean colour), 'black', 'grey',
            'pixelate' (squares of half that kernel), 'noise' (each value of
            each pixel drawn from 0 to 255), 'texture' (a pattern of two
            colours), 'object' (a drawn ball, parcel, plant, ...) or 'donor'
            (another part of somebody else in the data set, which must be in
            a :class:`mmpose_occlusion.datasets.DonorDataset`).
        remove_keypoints: Drop the labels of the joints, of anybody in the
            picture, that lie under painted pixels, so that their target
            weight is 0.
        prob: Probability that a person is occluded.
        seed: None draws from NumPy's global generator, which MMEngine seeds
            in each worker; a number makes each draw depend on (seed, image
            id, annotation id) alone.
        inplace: Paint into the picture that came instead of a copy.
        paper_exact: The reference's pixels and labels, its defects included:
            tight boxes with exclusive ends, a kernel of 31 pixels, 'random'
            over arms, hip and legs whether or not the person has them, and
            labels dropped in four times the painted area. On crops only,
            and for blur, mean and black only.
        parts: Your own parts, name -> list of joint names; one with the name
            of a body part replaces it.
        place: 'target'; or, as a control, the same area somewhere else in
            the photograph: 'on_person', centred on the person without
            touching the target's own region, or 'off_person', where no pixel
            is the person's. The person is the annotation's segment, or else
            the shape of limbs, torso and head around the labelled joints.
            Where there is no such place, the record says so and is
            ``excluded``.

    Raises:
        ValueError: At construction for a bad argument; at a call for a part
            that the data set lacks, for a sample without joints, and for
            the dummy joints of detector boxes.
    """

    kind = 'part'
    random_targets = ('random', 'random_all')
    donor_parts = MIXED_PARTS

    def __init__(
        self,
        target: str | Sequence[str] = 'random',
        fill: str = 'blur',
        remove_keypoints: bool = False,
        prob: float = 1.0,
        seed: int | None = None,
        inplace: bool = False,
        paper_exact: bool = False,
        parts: Mapping[str, Sequence[str]] | None = None,
        place: str = 'target',
    ) -> None:
        super().__init__(
            target, fill, prob, seed, inplace, paper_exact, parts, place
        )
        self.remove_keypoints = remove_keypoints

    def _candidates(self, person: Person) -> list[str]:
        return self._rules.random_parts(
            person, every=self.target == 'random_all'
        )

    def _region(
        self, person: Person, name: str, shape: tuple[int, ...]
    ) -> Region | str:
        if person.points.keys().isdisjoint(person.skeleton.parts[name]):
            return f'no joint of the {name} is available'
        return self._rules.part_box(person, name, shape)

    def _ksize(self, person: Person, region: Region) -> int:
        return self._rules.part_ksize(person)

    def _index(self, skeleton: Skeleton, name: str) -> tuple[int, ...]:
        return skeleton.part_indices(name)

    def _targets(self, skeleton: Skeleton) -> Sequence[str]:
        return tuple(skeleton.parts)

    def __repr__(self) -> str:
        return (
            f'{self._who}(target={self.target!r}, fill={self.fill!r}, '
            f'remove_keypoints={self.remove_keypoints}, '
            f'prob={self.prob}, seed={self.seed}, '
            f'inplace={self.inplace}, paper_exact={self.paper_exact}, '
            f'parts={self.parts}, place={self.place!r})'
        )
