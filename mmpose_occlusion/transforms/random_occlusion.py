"""Hide one target out of all joints and parts."""

from collections.abc import Mapping, Sequence

from mmpose.registry import TRANSFORMS

from mmpose_occlusion.occlusion import Disc, Person
from mmpose_occlusion.occlusion.joints_under import Joints
from mmpose_occlusion.occlusion.region import Region

from .occlusion import Attempt
from .part_occlusion import PartOcclusion


@TRANSFORMS.register_module()
class RandomOcclusion(PartOcclusion):
    """Hide one joint or one body part of every person.

    The target is drawn from the person's available joints and the parts that
    the person has, together: each is as likely as any other. (That is not a
    fixed share of joints and parts, which ``RandomChoice`` of mmcv would
    give.) Joints are hidden under discs as by :class:`KeypointOcclusion`,
    parts under boxes as by :class:`PartOcclusion`; it needs, modifies and
    adds the keys that the latter does.

    Args:
        fill: 'blur', 'mean' or 'black'.
        radius: Of the discs, as in :class:`KeypointOcclusion`.
        remove_keypoints: As in :class:`PartOcclusion`; discs remove nothing.
        prob: Probability that a person is occluded.
        seed: As in :class:`PartOcclusion`.
        inplace: As in :class:`PartOcclusion`.
        paper_exact: The reference's pixels and labels, its defects included,
            when its occlusions are in mode "all": the draw is from the
            joints that it takes for available and all eleven parts.
        parts: Your own parts, as in :class:`PartOcclusion`.

    Raises:
        ValueError: As :class:`KeypointOcclusion` and :class:`PartOcclusion`.
    """

    kind = 'target'
    random_targets = ('random',)

    def __init__(
        self,
        fill: str = 'blur',
        radius: float = 6,
        remove_keypoints: bool = False,
        prob: float = 1.0,
        seed: int | None = None,
        inplace: bool = False,
        paper_exact: bool = False,
        parts: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(
            'random',
            fill,
            remove_keypoints,
            prob,
            seed,
            inplace,
            paper_exact,
            parts,
        )
        self._check_radius(radius)
        self.radius = radius

    def _candidates(self, person: Person) -> list[str]:
        joints = self._rules.random_keypoints(person)
        parts = self._rules.random_parts(person, every=True)
        return [
            *(f'keypoint:{name}' for name in joints),
            *(f'part:{name}' for name in parts),
        ]

    def _full_name(self, name: str) -> str:
        return name if ':' in name else super()._full_name(name)

    def _region(
        self, person: Person, name: str, shape: tuple[int, ...]
    ) -> Region | str:
        kind, _, name = name.partition(':')
        if kind == 'part':
            return super()._region(person, name, shape)
        return self._rules.disc(person, name, self.radius, shape)

    def _ksize(self, person: Person, region: Region) -> int:
        if isinstance(region, Disc):
            return self._rules.disc_ksize(region)
        return super()._ksize(person, region)

    def _gone(
        self,
        person: Person,
        index: int,
        name: str,
        attempt: Attempt,
        under: Joints,
    ) -> Joints:
        kind, _, name = name.partition(':')
        if kind == 'part':
            return super()._gone(person, index, name, attempt, under)
        return []

    def __repr__(self) -> str:
        return (
            f'{self._who}(fill={self.fill!r}, radius={self.radius}, '
            f'remove_keypoints={self.remove_keypoints}, '
            f'prob={self.prob}, seed={self.seed}, '
            f'inplace={self.inplace}, paper_exact={self.paper_exact}, '
            f'parts={self.parts})'
        )
