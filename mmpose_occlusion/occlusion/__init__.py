"""Occlusions as pure functions: arrays in, patches out."""

from .controls import OFF_PERSON, ON_PERSON, PLACES
from .corrected import CorrectedRules
from .paint import FILLS, REFERENCE_FILLS, make_patch
from .paper import PaperRules
from .patch import Patch
from .person import Person, labelled_joints
from .record import make_record, replay, replay_all
from .region import Box, Disc, disc_radius

__all__ = [
    'FILLS',
    'OFF_PERSON',
    'ON_PERSON',
    'PLACES',
    'REFERENCE_FILLS',
    'Box',
    'CorrectedRules',
    'Disc',
    'PaperRules',
    'Patch',
    'Person',
    'disc_radius',
    'labelled_joints',
    'make_patch',
    'make_record',
    'replay',
    'replay_all',
]
