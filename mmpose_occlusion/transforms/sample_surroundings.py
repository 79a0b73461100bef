"""Masks of the person and the photograph, and donors, of a sample."""

from collections.abc import Mapping, Sequence
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
from mmpose_occlusion.occlusion.targets import PART
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
        return filled([corners @ warp[:, :2].T + warp[:, 2]], self._shape)

    def donor(
        self,
        index: int,
        target: Target,
        numbers: Sequence[float],
        rng: np.random.Generator | None,
    ) -> Donor | str:
        """Pixels of another joint or part of another person of the data set:
        of the first of the drawn donors of whom it can be cut out. PartMix
        draws from the person's numbers, a fill 'donor' from ``rng``.

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
        person, kind = self._people[index], target.kind
        skeleton = person.skeleton
        known = [
            name
            for name in (skeleton.parts if kind == PART else skeleton.names)
            if name != target.name
        ]
        if kind == PART:
            known = [part for part in MIXED_PARTS if part in known] or known
        if isinstance(self._occlusion, PartMixOcclusion):
            paper, zoom = self._occlusion.in_turn, 1.0
            if not paper:
                known = [
                    p for p in known if len(_eligible(donors, skeleton, p))
                ]
            if not known:
                return 'there is no person with all joints of another part'
            other = Target(PART, known[int(numbers[2] * len(known))])
            rows = _eligible(donors, skeleton, other.name, paper)
            tries = 1 if paper else self._occlusion.tries
            drawn = numbers[3 : 3 + tries]
            missed = f'no donor of a {other.name} found (tries={tries})'
        else:
            if not known:
                return f'there is no other {kind}'
            assert rng is not None
            paper, zoom = False, person.zoom
            other = Target(kind, known[rng.integers(len(known))])
            rows = donors.rows_with(other.joints(skeleton))
            drawn = rng.random(DONOR_TRIES).tolist()
            missed = f'no donor of a {other.name} found in {DONOR_TRIES} tries'
        for number in drawn if len(rows) else ():
            donor = donors[rows[int(number * len(rows))]]
            # the reference does not exclude the person itself
            if not paper and self._is_own(index, donor):
                continue
            source = self._read(donor.image_path)
            region = self._occlusion.region(
                self._as_person(donor, skeleton, source.shape, zoom),
                other,
                source.shape,
            )
            if isinstance(region, str):
                continue
            box = region.bounds(source.shape)
            if box is not None:
                return Donor(
                    other.name,
                    donor.image_path,
                    donor.annotation,
                    box,
                    paper,  # its donors have red and blue swapped
                    source,
                )
        return missed

    def _as_person(
        self,
        donor: DonorPerson,
        skeleton: Skeleton,
        shape: tuple[int, ...],
        zoom: float,
    ) -> Person:
        """A donor in its own image; ``zoom`` is the height of a frame around
        it as a multiple of its box's, by which regions scale."""
        rules, names = self._occlusion.rules, skeleton.names
        xy = rules.coordinates(
            donor.xy, donor.labelled, mpii=skeleton.is_mpii, flipped=False
        ).tolist()
        flags = donor.labelled.tolist()
        points = rules.available(names, xy, flags, shape)
        height = donor.height
        return Person(skeleton, xy, flags, points, zoom * height, height)

    def _read(self, path: str) -> np.ndarray:
        reason: Any = 'it is not an image.'
        try:
            image = self._load(dict(img_path=path))['img']
        except Exception as error:
            image, reason = None, error
        if image is None:
            who = self._occlusion.name
            raise OSError(f'{who} cannot read the donor {path}: {reason}')
        return image

    def _is_own(self, index: int, donor: DonorPerson) -> bool:
        """Whether a donor is the sample's person."""
        source = self._results.get(MATCHED_KEY) or self._results
        ids: Any = source.get('id')
        own = ids[index] if isinstance(ids, list | tuple) else ids
        path = self._results.get('img_path')
        return donor.annotation == own and donor.image_path == path


def _eligible(
    donors: DonorIndex, skeleton: Skeleton, part: str, paper: bool = False
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
