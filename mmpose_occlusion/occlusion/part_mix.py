"""PartMix: parts of other people pasted over the parts of a person."""

from dataclasses import dataclass

from .occlusion import Attempt, Occlusion
from .person import Joint, Person
from .regions import Region
from .targets import Target


@dataclass(frozen=True)
class PartMixOcclusion(Occlusion):
    """Paste parts of other people; see the transform ``PartMix``.

    Args:
        tries: Donors that are tried.
    """

    tries: int = 8

    @property
    def numbers(self) -> int:
        """Whether, which part, which part of the donor, and the donors."""
        return 3 + self.tries

    def _start(
        self, person: Person, target: Target, shape: tuple[int, ...]
    ) -> Region | str:
        if not self.rules.mixes(person, target.name):
            return f'not all joints of the {target.name} available'
        return self.region(person, target, shape)

    def _removed(
        self,
        person: Person,
        index: int,
        target: Target,
        attempt: Attempt,
        under: list[Joint],
    ) -> list[Joint]:
        """Nothing where nothing is pasted, also under ``paper_exact``."""
        if attempt.patch is None:
            return []
        return super()._removed(person, index, target, attempt, under)
