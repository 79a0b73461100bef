"""Hide body parts under parts of other people."""

import numpy as np
from mmpose.registry import TRANSFORMS

from mmpose_occlusion.datasets.donors import Donor, DonorIndex
from mmpose_occlusion.occlusion import Person, make_patch
from mmpose_occlusion.occlusion.joints_under import Joints
from mmpose_occlusion.skeleton import MIXED_PARTS, Skeleton

from .donor_patches import Donation, donors_of, is_of, others
from .occlusion import Attempt, Canvas
from .part_occlusion import PartOcclusion
from .results_reader import Scene


@TRANSFORMS.register_module()
class PartMix(PartOcclusion):
    """Paste a part of another person over a part of every person.

    The donors are the people of the training set itself: wrap it in
    :class:`mmpose_occlusion.datasets.DonorDataset`. The part to hide is
    drawn from head, arms, legs and corpus, as far as the person has them,
    another one of these, which somebody has, for the donor, and then
    somebody else of whom all joints of that part are labelled. The donor's
    box is resized (area interpolation) to the person's.

    Needs the keys that :class:`PartOcclusion` does and a ``dataset`` with
    donors; modifies and adds the same ones.

    Args:
        prob: Probability that a person is occluded.
        remove_keypoints: As in :class:`PartOcclusion`.
        seed: As in :class:`PartOcclusion`.
        inplace: As in :class:`PartOcclusion`.
        paper_exact: The reference's pixels and labels, its defects included:
            a person who lacks a joint of the drawn part is left alone, only
            the first person of a picture is a donor, which may be the person
            itself, missing MPII joints count as joints, and donors have blue
            and red swapped.
        tries: Donors that are tried before the person is left alone, with a
            record that says so.
        backend_args: Where donors' files are, as in MMPose's ``LoadImage``.

    Raises:
        ValueError: As :class:`PartOcclusion`, and without donors.
        OSError: For a donor's file that cannot be read; it names the file.
    """

    random_targets = ('random',)

    def __init__(
        self,
        prob: float = 0.5,
        remove_keypoints: bool = False,
        seed: int | None = None,
        inplace: bool = False,
        paper_exact: bool = False,
        tries: int = 8,
        backend_args: dict | None = None,
    ) -> None:
        super().__init__(
            'random',
            remove_keypoints=remove_keypoints,
            prob=prob,
            seed=seed,
            inplace=inplace,
            paper_exact=paper_exact,
        )
        if not isinstance(tries, int) or tries < 1:
            raise ValueError(
                f'{self._who}: tries={tries!r} must be a whole number of at '
                'least 1.'
            )
        self.fill = 'donor'
        self.tries = tries
        self.num_draws = 3 + tries
        self._donation = Donation(
            self._who, self._rules, self._region, backend_args
        )

    def _candidates(self, person: Person) -> list[str]:
        """Parts out of six that the person has; under ``paper_exact`` all
        six for anybody with an available joint."""
        parts = [p for p in MIXED_PARTS if p in person.skeleton.parts]
        if self.paper_exact:
            return parts if person.points else []
        has = self._rules.random_parts(person, every=True)
        return [part for part in parts if part in has]

    def _attempt(
        self,
        results: dict,
        canvas: Canvas,
        scene: Scene,
        index: int,
        name: str,
        fill: str,
        numbers: np.ndarray,
    ) -> Attempt:
        person = scene.people[index]
        skeleton = person.skeleton
        joints = skeleton.parts[name]
        if self.paper_exact and not person.points.keys() >= set(joints):
            return Attempt(reason=f'not all joints of the {name} available')
        region = self._region(person, name, scene.shape)
        if isinstance(region, str):
            return Attempt(reason=region)
        donors = donors_of(results, self._who)
        known = self._donor_parts(donors, skeleton, name)
        if not known:
            return Attempt(
                region, reason='nobody has all joints of another part'
            )
        part = known[int(numbers[2] * len(known))]
        tries = 1 if self.paper_exact else self.tries
        found = self._donation.find(
            donors,
            self._eligible(donors, skeleton, part),
            numbers[3 : 3 + tries],
            part,
            skeleton,
            own=_nobody if self.paper_exact else is_of(results, index),
        )
        if found is None:
            return Attempt(
                region, reason=f'no donor of a {part} found (tries={tries})'
            )
        paint, source = found
        paint['swap_channels'] = self.paper_exact
        patch = make_patch(canvas.source, region, paint, source)
        return Attempt(region, paint, patch)

    def _gone(
        self,
        person: Person,
        index: int,
        name: str,
        attempt: Attempt,
        under: Joints,
    ) -> Joints:
        """Where nothing is pasted, nothing happens to the labels either,
        not even under ``paper_exact``."""
        if attempt.patch is None:
            return []
        return super()._gone(person, index, name, attempt, under)

    def _donor_parts(
        self, donors: DonorIndex, skeleton: Skeleton, name: str
    ) -> list[str]:
        """Parts for the donor: others than the person's, and under the
        corrected rules those that somebody has."""
        known = others(name, MIXED_PARTS, skeleton.parts)
        if self.paper_exact:
            return known
        return [p for p in known if len(self._eligible(donors, skeleton, p))]

    def _eligible(
        self, donors: DonorIndex, skeleton: Skeleton, part: str
    ) -> np.ndarray:
        """Rows of the donors that have the part."""
        joints = skeleton.part_indices(part)
        if self.paper_exact and skeleton.is_mpii:
            joints = ()  # to the reference, no MPII joint is missing
        return donors.rows_with(joints, first_only=self.paper_exact)

    def __repr__(self) -> str:
        return (
            f'{self._who}(prob={self.prob}, '
            f'remove_keypoints={self.remove_keypoints}, seed={self.seed}, '
            f'inplace={self.inplace}, paper_exact={self.paper_exact}, '
            f'tries={self.tries})'
        )


def _nobody(donor: Donor) -> bool:
    """The reference does not ask who a donor is."""
    return False
