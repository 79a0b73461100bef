"""Masks of the person and the photograph, and donors, of a sample."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from mmpose.datasets.transforms import LoadImage
from mmpose.structures.bbox import get_warp_matrix

from mmpose_occlusion.datasets.donors import DonorIndex, DonorPerson
from mmpose_occlusion.occlusion import (
    Occlusion,
    PartMixOcclusion,
    Person,
    Target,
)
from mmpose_occlusion.occlusion.paints import Donor
from mmpose_occlusion.occlusion.person import filled, segment_mask
from mmpose_occlusion.occlusion.placement import Surroundings
from mmpose_occlusion.occlusion.targets import KEYPOINT, PART
from mmpose_occlusion.skeleton import MIXED_PARTS, Skeleton

from .results_reader import MATCHED_KEY

DONOR_TRIES = 8
"""Donors that are tried for a patch of a fill 'donor'."""


class SampleSurroundings(Surroundings):
    """What an occlusion asks of a sample beyond its people's joints.

    Args:
        results: MMPose's dict of the sample.
        people: Its people.
        occlusion: Whose rules and regions apply to donors.
        load: Loads a donor's image.
    """

    def __init__(
        self,
        results: Mapping,
        people: Sequence[Person],
        occlusion: Occlusion,
        load: LoadImage,
    ) -> None:
        links = results.get('skeleton_links', ())
        super().__init__(results['img'].shape, people, links)
        self._results = results
        self._occlusion = occlusion
        self._load = load

    def segment(self, index: int) -> np.ndarray | None:
        """The annotated segment in the image; None where there is none."""
        results = self._results
        source = results.get(MATCHED_KEY) or results
        segment = source.get('segmentation')
        if isinstance(results.get('id'), list):  # an image of several people
            segment = segment[index] if segment else None
        if not segment or results.get('flip'):
            return None
        cropped = results.get('transformed_keypoints') is not None
        warp = _warp(results) if cropped else np.eye(3)[:2]
        if warp is None:
            return None
        return segment_mask(segment, self._shape, warp)

    def photo_mask(self) -> np.ndarray:
        """The pixels that show the photograph, not its padding; all of them
        where the sample does not say."""
        warp, size = _warp(self._results), self._results.get('ori_shape')
        if warp is None or size is None:
            return np.ones(self._shape, bool)
        bottom, right = size[0] - 1, size[1] - 1
        corners = [[0, 0], [right, 0], [right, bottom], [0, bottom]]
        return filled([_warped(np.array(corners, float), warp)], self._shape)

    def donor(
        self,
        index: int,
        target: Target,
        numbers: Sequence[float],
        rng: np.random.Generator | None,
    ) -> Donor | str:
        """Pixels of another person of the data set.

        Raises:
            ValueError: The data set offers no donors.
            OSError: A donor's file cannot be read; the message names it.
        """
        donors = getattr(self._results.get('dataset'), 'donors', None)
        if donors is None:
            raise ValueError(
                f'{self._occlusion.name} finds no donors: wrap the data set, '
                "dataset = dict(type='DonorDataset', dataset=<the data set>)."
            )
        if isinstance(self._occlusion, PartMixOcclusion):
            return self._mixed_part(donors, index, target, numbers)
        assert rng is not None
        person = self._people[index]
        skeleton = person.skeleton
        if target.kind == KEYPOINT:
            known = _others(target.name, (), skeleton.names)
        else:
            known = _others(target.name, MIXED_PARTS, skeleton.parts)
        if not known:
            return f'there is no other {target.kind}'
        other = Target(target.kind, known[rng.integers(len(known))])
        found = self._find(
            donors,
            donors.rows_with(other.joints(skeleton)),
            rng.random(DONOR_TRIES),
            other,
            skeleton,
            own=self._is_own(index),
            zoom=person.zoom,
        )
        if found is None:
            return f'no donor of a {other.name} found in {DONOR_TRIES} tries'
        return found

    def _mixed_part(
        self,
        donors: DonorIndex,
        index: int,
        target: Target,
        numbers: Sequence[float],
    ) -> Donor | str:
        """PartMix: the part, then the donor, drawn from a person's numbers."""
        occlusion = self._occlusion
        assert isinstance(occlusion, PartMixOcclusion)
        skeleton = self._people[index].skeleton
        paper = occlusion.in_turn
        known = _others(target.name, MIXED_PARTS, skeleton.parts)
        if not paper:
            known = [
                p for p in known if len(_eligible(donors, skeleton, p, paper))
            ]
        if not known:
            return 'there is no person with all joints of another part'
        part = known[int(numbers[2] * len(known))]
        tries = 1 if paper else occlusion.tries
        found = self._find(
            donors,
            _eligible(donors, skeleton, part, paper),
            numbers[3 : 3 + tries],
            Target(PART, part),
            skeleton,
            # the reference does not exclude the person itself
            own=(lambda donor: False) if paper else self._is_own(index),
            swap_channels=paper,
        )
        if found is None:
            return f'no donor of a {part} found (tries={tries})'
        return found

    def _find(
        self,
        donors: DonorIndex,
        rows: np.ndarray,
        numbers: Iterable[float],
        target: Target,
        skeleton: Skeleton,
        own: Callable[[DonorPerson], bool],
        zoom: float = 1.0,
        swap_channels: bool = False,
    ) -> Donor | None:
        """The first of the drawn donors of whom the target can be cut out.

        Args:
            donors: All of them.
            rows: Those to draw from.
            numbers: In [0, 1), a donor for each.
            target: The donor's joint or part.
            skeleton: Of donors and others.
            own: Whether a donor is the person itself, who is left out.
            zoom: Height of a frame around a person as a multiple of the
                height of the person's box, by which regions scale.
            swap_channels: Whether red and blue are swapped.
        """
        for number in numbers if len(rows) else ():
            donor = donors[rows[int(number * len(rows))]]
            if own(donor):
                continue
            source = self._read(donor.image_path)
            person = self._as_person(donor, skeleton, source.shape, zoom)
            region = self._occlusion.region(person, target, source.shape)
            box = (
                None
                if isinstance(region, str)
                else region.bounds(source.shape)
            )
            if box is not None:
                return Donor(
                    target.name,
                    donor.image_path,
                    donor.annotation,
                    box,
                    swap_channels,
                    source,
                )
        return None

    def _as_person(
        self,
        donor: DonorPerson,
        skeleton: Skeleton,
        shape: tuple[int, ...],
        zoom: float,
    ) -> Person:
        rules = self._occlusion.rules
        xy = rules.coordinates(
            donor.xy, donor.labelled, mpii=skeleton.is_mpii, flipped=False
        ).tolist()
        labelled = donor.labelled.tolist()
        return Person(
            skeleton,
            xy,
            labelled,
            rules.available(skeleton.names, xy, labelled, shape),
            zoom * donor.height,
            donor.height,
        )

    def _read(self, path: str) -> np.ndarray:
        who = self._occlusion.name
        try:
            image = self._load(dict(img_path=path))['img']
        except Exception as error:
            raise OSError(
                f'{who} cannot read the donor {path}: {error}'
            ) from error
        if image is None:
            raise OSError(
                f'{who} cannot read the donor {path}: it is not an image.'
            )
        return image

    def _is_own(self, index: int) -> Callable[[DonorPerson], bool]:
        """Says of a donor whether it is the sample's person."""
        source = self._results.get(MATCHED_KEY) or self._results
        ids: Any = source.get('id')
        own = ids[index] if isinstance(ids, list | tuple) else ids
        path = self._results.get('img_path')
        return lambda d: d.annotation == own and d.image_path == path


def _others(
    name: str, first: Sequence[str], known: Iterable[str]
) -> list[str]:
    """Other targets: those of ``first`` that are known, else all known."""
    known = [other for other in known if other != name]
    return [other for other in first if other in known] or known


def _eligible(
    donors: DonorIndex, skeleton: Skeleton, part: str, paper: bool
) -> np.ndarray:
    """Rows of the donors that have the part."""
    joints = skeleton.part_indices(part)
    if paper and skeleton.is_mpii:
        joints = ()  # to the reference, no MPII joint is missing
    return donors.rows_with(joints, first_only=paper)


def _warp(results: Mapping) -> np.ndarray | None:
    """Image to crop, (2, 3), as ``TopdownAffine`` did it (UDP's differs by
    less than half a pixel)."""
    if results.get('input_center') is None:
        return None
    rotation = results.get('bbox_rotation')
    return get_warp_matrix(
        np.asarray(results['input_center'], np.float32),
        np.asarray(results['input_scale'], np.float32),
        0.0 if rotation is None else float(rotation[0]),
        output_size=results['input_size'],
    )


def _warped(points: np.ndarray, warp: np.ndarray) -> np.ndarray:
    return points @ warp[:, :2].T + warp[:, 2]
