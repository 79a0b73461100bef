"""Attacks: occlusions named in advance, and their short form.

The short form ``KIND:NAMES[:FILL[:SIZE][:PLACE][:offset=F[:uncovered]]]`` is
read and printed here alone: ``keypoint:left_wrist:black:10%``, ``part:head``,
``keypoint:nose,left_eye:mean:24:on_person``,
``keypoint:nose:black:10%:offset=0.5``. In a name ``\\:``, ``\\,`` and ``\\\\``
stand for a colon, a comma and a backslash.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import UsageError
from ..skeleton import Skeleton
from . import targets
from .occlusion import Occlusion
from .placement import NOWHERE, TARGET
from .regions import DEFAULT_DISC, DiscSize
from .targets import CELL, KEYPOINT, KINDS, PART

TRANSFORMS = {kind: f'{kind.capitalize()}Occlusion' for kind in KINDS}
"""Kind -> transform of MMPose's pipelines."""

WILD_WORDS = {KEYPOINT: ('*',), PART: ('*',), CELL: ('*', '**')}
"""Kind -> words for each joint, part or cell; '**' is for every second row and
column of cells."""

_NAME = r'(?:\\.|[^\\:,])+'
_FORM = re.compile(
    rf'(?P<kind>{"|".join(KINDS)})\s*:(?P<names>{_NAME}(?:,{_NAME})*)'
    r'(?::\s*(?P<fill>[^:\s]+)\s*)?'
    rf'(?::(?!{"|".join(NOWHERE)}|offset|uncovered)(?P<size>[^:]+))?'
    rf'(?::(?P<place>{"|".join(NOWHERE)}))?'
    r'(?P<moved>(?::offset=(?P<offset>[\d.]+(?:e-?\d+)?))?(?::uncovered)?)',
    re.DOTALL,
)


@dataclass(frozen=True)
class Attack:
    """One attack.

    Args:
        kind: 'keypoint', 'part' or 'cell'.
        names: Joints, parts or cells, or alone one of
            :data:`.targets.RANDOM_WORDS` or of :data:`WILD_WORDS`.
        fill: A fill, see :data:`.paints.FILLS`.
        size: Of discs, by default :data:`.regions.DEFAULT_SIZE`, or the side
            of a cell's square; parts have none.
        place: See :func:`.occlude.occlude`.
        parts: See there.
        offset: See there.
        stay_covered: See there.
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
        words = targets.RANDOM_WORDS[self.kind] + WILD_WORDS[self.kind]
        one = self.names[0] if len(self.names) == 1 else ''
        return one if one in words else None

    def __str__(self) -> str:
        names = (re.sub(r'[\\:,]', r'\\\g<0>', name) for name in self.names)
        fields = [self.kind, ','.join(names), self.fill]
        if self.kind != PART and self.size != DEFAULT_DISC:
            fields.append(str(self.size))
        if self.place != TARGET:
            fields.append(self.place)
        if self.offset:
            fields.append(f'offset={self.offset:g}')
        if not self.stay_covered:
            fields.append('uncovered')
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
        name = re.sub(r'^(mmpose|mmpose_occlusion)\.', '', name)
        kinds = {transform: kind for kind, transform in TRANSFORMS.items()}
        if name not in kinds:
            return None
        kind, names = kinds[name], rest.pop('target', 'random')
        names = names if isinstance(names, list | tuple) else [names]
        paper = rest.get('paper_exact', False)
        size = DiscSize.of(rest.pop('size', None), paper)
        known = ['fill', 'place', 'parts']
        if kind == KEYPOINT:  # of a part they are unknown arguments
            known += ['offset', 'stay_covered']
        found = {key: rest.pop(key) for key in known if key in rest}
        names = tuple(map(str, names))
        return cls(kind, names, size=size, options=rest, **found)

    def expand(self, skeleton: Skeleton) -> list['Attack']:
        """One attack for each target of the wildcard; else this one."""
        if self.word not in WILD_WORDS[self.kind]:
            return [self]
        if self.kind == CELL:
            names = targets.cell_names(targets.CELLS * len(self.names[0]))
        else:
            known = Skeleton(skeleton.names, self.parts or {})
            names = [*(known.names if self.kind == KEYPOINT else known.parts)]
        return [replace(self, names=(name,)) for name in names]

    def check(self, skeleton: Skeleton) -> None:
        """Raise a UsageError, which lists what there is, if an argument does
        not fit or the data set lacks a target."""
        try:
            if self.parts:
                skeleton = Skeleton(skeleton.names, self.parts)
            for name in () if self.word else self.names:
                targets.Target(self.kind, name).joints(skeleton)
            replace(self, names=('random',)).occlusion()
        except ValueError as error:
            raise UsageError(f'attack "{self}": {error}') from None

    def occlusion(self) -> Occlusion:
        """The occlusion under the corrected rules, without wildcard."""
        return Occlusion(
            targets.chooser_of(self.kind, self.names, self.fill),
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
    match = _FORM.fullmatch(str(text).strip())
    if (
        match is None
        or (match['size'] and match['kind'] == PART)
        or (match['moved'] and match['kind'] != KEYPOINT)
    ):
        raise UsageError(
            f'attack "{text}" must look like "keypoint:NAME:FILL:SIZE" or '
            '"part:NAME:FILL", for example "keypoint:left_wrist:black:10%" '
            '(several names: "a,b"; then a place, and of keypoints '
            '"offset=0.5")'
        )
    names = [name.strip() for name in re.findall(_NAME, match['names'])]
    try:
        size = DiscSize.of(match['size'])
    except ValueError as error:
        raise UsageError(f'attack "{text}": {error}') from None
    return Attack(
        match['kind'],
        tuple(re.sub(r'\\([\\:,])', r'\1', name) for name in names),
        match['fill'] or Attack.fill,
        size,
        match['place'] or TARGET,
        offset=float(match['offset'] or 0),
        stay_covered=not match['moved'].endswith('uncovered'),
    )
