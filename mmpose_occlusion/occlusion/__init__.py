"""The core: targets, regions, paints, placement and rules, on plain arrays."""

from .attack import Attack, parse_attack
from .occlude import Occluded, occlude
from .occlusion import Occlusion, Outcome, PartMixOcclusion
from .paints import FILLS, PAINTS, REFERENCE_FILLS, paint
from .paper import PaperRules
from .patch import Patch, Record, make_patch, make_record, replay, replay_all
from .person import Person, labelled_joints
from .placement import OFF_PERSON, ON_PERSON, PLACES
from .procedural import Object, Texture
from .regions import DEFAULT_SIZE, Box, Disc, DiscSize, disc_radius
from .rules import CorrectedRules, Rules
from .targets import Drawn, Named, Several, Target

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
