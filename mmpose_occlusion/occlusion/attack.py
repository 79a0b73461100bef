"""Attacks: occlusions named in advance, and their short form.

The short form ``KIND:NAMES[:FILL[:SIZE][:PLACE][:offset=F[:uncovered]]]`` is
read and printed here alone: ``keypoint:left_wrist:black:10%``, ``part:head``,
``keypoint:nose,left_eye:mean:24:on_person``,
``keypoint:nose:black:10%:offset=0.5``. In a name ``\\:``, ``\\,`` and ``\\\\``
stand for a colon, a comma and a backslash.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import UsageError
from ..skeleton import Skeleton
from .occlusion import Occlusion
from .placement import NOWHERE, TARGET
from .regions import DEFAULT_DISC, DEFAULT_SIZE, REFERENCE_RADIUS, DiscSize
from .targets import (
    CELL,
    CELLS,
    KEYPOINT,
    KINDS,
    PART,
    RANDOM_WORDS,
    Target,
    cell_names,
    chooser_of,
)

TRANSFORMS = {
    KEYPOINT: 'KeypointOcclusion',
    PART: 'PartOcclusion',
    CELL: 'CellOcclusion',
}
"""Kind -> transform of MMPose's pipelines."""

WILDCARD = '*'  # each joint, part or cell
EVERY_OTHER = '**'  # of the grid of cells, every second row and column
OFFSET, UNCOVERED = 'offset=', 'uncovered'  # fields of the short form

FORM = (
    '"keypoint:NAME:FILL", "part:NAME:FILL" or "keypoint:NAME:FILL:SIZE", '
    'for example "keypoint:left_wrist:black:10%" (several names: "a,b")'
)


@dataclass(frozen=True)
class Attack:
    """One attack.

    Args:
        kind: 'keypoint', 'part' or 'cell'.
        names: Joints, parts or cells, or alone one of
            :data:`.targets.RANDOM_WORDS`, '*' for each of them or '**' for
            every second row and column of cells.
        fill: A fill, see :data:`.paints.FILLS`.
        size: Of discs, by default :data:`.regions.DEFAULT_SIZE`, or the side
            of a cell's square; parts have none.
        place: One of :data:`.placement.PLACES`.
        parts: The user's own parts, name -> joints.
        offset: Of discs, see :class:`.occlusion.Occlusion`.
        stay_covered: Of discs, see :class:`.occlusion.Occlusion`.
        options: Further arguments of the transform, such as ``prob``.

    >>> str(parse_attack('keypoint:nose:black:10%'))
    'keypoint:nose:black:10%'
    """

    kind: str
    names: tuple[str, ...]
    fill: str = 'blur'
    size: DiscSize = DEFAULT_DISC
    place: str = TARGET
    parts: Mapping[str, Sequence[str]] | None = None
    offset: float = 0.0
    stay_covered: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def word(self) -> str | None:
        """The random word or wildcard in place of names, or None."""
        words = [*RANDOM_WORDS[self.kind], WILDCARD]
        words += [EVERY_OTHER] * (self.kind == CELL)
        one = self.names[0] if len(self.names) == 1 else ''
        return one if one in words else None

    @property
    def is_wild(self) -> bool:
        """Whether it stands for several attacks, see :meth:`expand`."""
        return self.word in (WILDCARD, EVERY_OTHER)

    def __str__(self) -> str:
        names = (re.sub(r'[\\:,]', r'\\\g<0>', name) for name in self.names)
        fields = [self.kind, ','.join(names), self.fill]
        if self.kind != PART and self.size != DEFAULT_DISC:
            fields.append(str(self.size))
        if self.place != TARGET:
            fields.append(self.place)
        if self.offset:
            fields.append(f'{OFFSET}{self.offset:g}')
        if not self.stay_covered:
            fields.append(UNCOVERED)
        return ':'.join(fields)

    def to_config(self) -> dict[str, Any]:
        """Config of the transform: its size, and no other default."""
        names = list(self.names)
        config: dict[str, Any] = dict(
            type=TRANSFORMS[self.kind],
            target=names[0] if len(names) == 1 else names,
            fill=self.fill,
        )
        if self.kind != PART:
            config['size'] = self.size.plain
        for key in ('place', 'offset', 'stay_covered'):
            if getattr(self, key) != getattr(Attack, key):
                config[key] = getattr(self, key)
        if self.parts:
            config['parts'] = {k: list(v) for k, v in self.parts.items()}
        return {**config, **self.options}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> 'Attack | None':
        """The attack of a transform's config, whose ``type`` may have a scope
        ('mmpose.KeypointOcclusion') or be the class; None for other
        transforms.

        Raises:
            ValueError: An argument is wrong.
        """
        rest = dict(config)
        type_ = rest.pop('type', '')
        name = getattr(type_, '__name__', str(type_))
        for scope in ('mmpose.', 'mmpose_occlusion.'):
            name = name.removeprefix(scope)
        kinds = {transform: kind for kind, transform in TRANSFORMS.items()}
        if name not in kinds:
            return None
        kind = kinds[name]
        names = rest.pop('target', 'random')
        if not isinstance(names, list | tuple):
            names = [names]
        size = rest.pop('size', None)
        usual = REFERENCE_RADIUS if rest.get('paper_exact') else DEFAULT_SIZE
        disc = DiscSize.of(usual if size is None else size)
        known = ['fill', 'place', 'parts']
        if kind == KEYPOINT:  # of a part they are unknown arguments
            known += ['offset', 'stay_covered']
        found = {key: rest.pop(key) for key in known if key in rest}
        names = tuple(map(str, names))
        return cls(kind, names, size=disc, options=rest, **found)

    def expand(self, skeleton: Skeleton) -> list['Attack']:
        """One attack for each target of the wildcard; else this one."""
        if not self.is_wild:
            return [self]
        if self.kind == CELL:
            names = cell_names(CELLS * len(self.names[0]))
        else:
            known = Skeleton.from_names(skeleton.names, self.parts)
            names = list(known.names if self.kind == KEYPOINT else known.parts)
        return [replace(self, names=(name,)) for name in names]

    def check(self, skeleton: Skeleton) -> None:
        """Raise a UsageError, which lists what there is, if an argument does
        not fit or the data set lacks a target."""
        try:
            if self.parts:
                skeleton = Skeleton.from_names(skeleton.names, self.parts)
            for name in () if self.word else self.names:
                Target(self.kind, name).joints(skeleton)
            replace(self, names=('random',)).occlusion()
        except ValueError as error:
            raise UsageError(f'attack "{self}": {error}') from None

    def occlusion(self) -> Occlusion:
        """The occlusion under the corrected rules, of an attack without
        wildcard."""
        if self.is_wild:
            raise UsageError(
                f'attack "{self}" stands for one attack on each {self.kind}: '
                'expand it for a data set first'
            )
        return Occlusion(
            chooser_of(self.kind, self.names, self.fill),
            self.size,
            self.place,
            float(self.options.get('prob', 1.0)),
            name=TRANSFORMS[self.kind],
            offset=self.offset,
            stay_covered=self.stay_covered,
        )


def parse_attack(text: str) -> Attack:
    """Read the short form of an attack.

    The size belongs to keypoints and cells: see :class:`.regions.DiscSize`.
    The place makes it a control. The offset belongs to keypoints;
    ``uncovered`` is ``stay_covered=False``.

    Raises:
        UsageError: The text is not of that form. Whether the names and fills
            exist is checked by :meth:`Attack.check`.
    """
    try:
        return _parse(str(text))
    except ValueError as error:
        raise UsageError(f'attack "{text}" {error}') from None


def _parse(text: str) -> Attack:
    form = ValueError(f'must look like {FORM}')
    fields = [part.strip() for part in _split(text, ':')]
    if not 2 <= len(fields) <= 7 or not all(fields):
        raise form
    kind, listed, *rest = fields
    if kind not in KINDS:
        raise ValueError(
            f'is of unknown kind "{kind}": write {" or ".join(KINDS)}, as in '
            f'{FORM}'
        )
    names = tuple(
        re.sub(r'\\([\\:,])', r'\1', name.strip())
        for name in _split(listed, ',')
    )
    if not all(names):
        raise ValueError('has an empty name in its list')
    found: dict[str, Any] = {}
    if rest:
        found['fill'] = rest.pop(0)
    if rest and not (
        rest[0] in NOWHERE or rest[0].startswith((OFFSET, UNCOVERED))
    ):
        if kind == PART:
            raise ValueError(
                'has a size, which parts do not have: write '
                f'"{":".join(fields[:3])}"'
            )
        try:
            found['size'] = DiscSize.of(rest[0])
        except ValueError as error:
            raise ValueError(f'has the size "{rest[0]}": {error}') from None
        rest.pop(0)
    if rest and rest[0] in NOWHERE:
        found['place'] = rest.pop(0)
    if rest and rest[0].startswith(OFFSET):
        number = rest.pop(0).removeprefix(OFFSET)
        try:
            offset = float(number)
        except ValueError:
            offset = math.nan
        if kind != KEYPOINT or not 0 <= offset < math.inf:
            raise ValueError(
                f'has the offset "{number}": write a fraction of a disc\'s '
                f'radius, which only keypoints have, such as {OFFSET}0.5'
            )
        found['offset'] = offset
    if rest == [UNCOVERED]:
        found['stay_covered'] = False
    elif rest:
        raise form
    return Attack(kind, names, **found)


def _split(text: str, mark: str) -> list[str]:
    """Split at a character, but not where a backslash stands before it."""
    parts = ['']
    for piece in re.findall(r'\\.|.', text, re.DOTALL):
        if piece == mark:
            parts.append('')
        else:
            parts[-1] += piece
    return parts
