"""The core: targets, regions, paints, placement and rules, on plain arrays."""

from .attack import Attack, parse_attack
from .choosers import Drawn, Named, Several
from .corrected import CorrectedRules
from .occlude import Occluded, occlude
from .occlusion import Occlusion, Outcome
from .paints import FILLS, PAINTS, REFERENCE_FILLS, make_patch, paint
from .paper import PaperRules
from .part_mix import PartMixOcclusion
from .patch import Patch
from .person import Person, labelled_joints
from .placement import OFF_PERSON, ON_PERSON, PLACES
from .procedural import Object, Texture
from .records import Record, make_record, replay, replay_all
from .regions import Box, Disc, disc_radius
from .rules import Rules
from .sizes import DEFAULT_SIZE, DiscSize
from .targets import Target

__all__ = [
    'DEFAULT_SIZE',
    'FILLS',
    'OFF_PERSON',
    'ON_PERSON',
    'PAINTS',
    'PLACES',
    'REFERENCE_FILLS',
    'Attack',
    'Box',
    'CorrectedRules',
    'Disc',
    'DiscSize',
    'Drawn',
    'Named',
    'Object',
    'Occluded',
    'Occlusion',
    'Outcome',
    'PaperRules',
    'PartMixOcclusion',
    'Patch',
    'Person',
    'Record',
    'Rules',
    'Several',
    'Target',
    'Texture',
    'disc_radius',
    'labelled_joints',
    'make_patch',
    'make_record',
    'occlude',
    'paint',
    'parse_attack',
    'replay',
    'replay_all',
]
