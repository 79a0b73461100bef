"""Pixels of other people, from the people of the data set itself."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from mmpose.datasets.transforms import LoadImage

from mmpose_occlusion.datasets.donors import Donor, DonorIndex
from mmpose_occlusion.occlusion import CorrectedRules, Person
from mmpose_occlusion.occlusion.patch import PixelBox
from mmpose_occlusion.occlusion.region import Region
from mmpose_occlusion.skeleton import Skeleton

from .results_reader import MATCHED_KEY

RegionOf = Callable[[Person, str, tuple[int, ...]], Region | str]


class Donation:
    """Finds somebody who has a joint or part, and where it is.

    Args:
        who: The transform's name, for the error sentences.
        rules: The transform's.
        region_of: The region of a target of a person.
        backend_args: Where donors' files are, as in MMPose's ``LoadImage``.
    """

    def __init__(
        self,
        who: str,
        rules: CorrectedRules,
        region_of: RegionOf,
        backend_args: dict | None = None,
    ) -> None:
        self._who = who
        self._rules = rules
        self._region_of = region_of
        self._load = LoadImage(backend_args=backend_args)

    def find(
        self,
        donors: DonorIndex,
        rows: np.ndarray,
        numbers: Iterable[float],
        target: str,
        skeleton: Skeleton,
        own: Callable[[Donor], bool],
        zoom: float = 1.0,
    ) -> tuple[dict, np.ndarray] | None:
        """The first of the drawn donors of whom the target can be cut out.

        Args:
            donors: Everybody.
            rows: Those to draw from.
            numbers: In [0, 1), a donor for each.
            target: Name of the donor's joint or part.
            skeleton: Of donors and others.
            own: Whether a donor is the person itself, who is passed over.
            zoom: Height of a frame around a person, as a multiple of the
                height of the person's box, by which regions scale.

        Returns:
            The paint, ``dict(kind='donor', image_path=..., annotation=...,
            box=...)``, and the donor's picture (H, W, 3) BGR.

        Raises:
            OSError: A donor's file cannot be read; it names the file.
        """
        for number in numbers if len(rows) else ():
            donor = donors[rows[int(number * len(rows))]]
            if own(donor):
                continue
            source = self._read(donor.image_path)
            box = self._box(donor, target, skeleton, source.shape, zoom)
            if box is not None:
                paint = dict(
                    kind='donor',
                    part=target,
                    image_path=donor.image_path,
                    annotation=donor.annotation,
                    box=list(box),
                    swap_channels=False,
                )
                return paint, source
        return None

    def _box(
        self,
        donor: Donor,
        target: str,
        skeleton: Skeleton,
        shape: tuple[int, ...],
        zoom: float,
    ) -> PixelBox | None:
        """The box of a donor's target in the donor's picture."""
        xy = self._rules.coordinates(
            donor.xy, donor.labelled, mpii=skeleton.is_mpii, flipped=False
        ).tolist()
        labelled = donor.labelled.tolist()
        person = Person(
            skeleton,
            xy,
            labelled,
            self._rules.available(skeleton.names, xy, labelled, shape),
            zoom * donor.height,
            donor.height,
        )
        region = self._region_of(person, target, shape)
        return None if isinstance(region, str) else region.bounds(shape)

    def _read(self, path: str) -> np.ndarray:
        try:
            image = self._load(dict(img_path=path))['img']
        except Exception as error:
            raise OSError(
                f'{self._who} cannot read the donor {path}: {error}'
            ) from error
        if image is None:
            raise OSError(
                f'{self._who} cannot read the donor {path}: it is not a '
                'picture.'
            )
        return image


def donors_of(results: Mapping, who: str) -> DonorIndex:
    """The donors that a sample's data set offers.

    Raises:
        ValueError: It offers none.
    """
    donors = getattr(results.get('dataset'), 'donors', None)
    if donors is None:
        raise ValueError(
            f'{who} finds no donors: wrap the data set, dataset = '
            "dict(type='DonorDataset', dataset=<the data set>)."
        )
    return donors


def is_of(results: Mapping, index: int) -> Callable[[Donor], bool]:
    """Says of a donor whether it is a person of a sample."""
    source = results.get(MATCHED_KEY) or results
    ids: Any = source.get('id')
    own = ids[index] if isinstance(ids, list | tuple) else ids
    path = results.get('img_path')
    return lambda donor: donor.annotation == own and donor.image_path == path


def others(name: str, first: Sequence[str], known: Iterable[str]) -> list[str]:
    """Targets other than one: out of ``first`` those that are known, or
    else all that are known."""
    known = [other for other in known if other != name]
    return [other for other in first if other in known] or known
