"""The core: targets, regions, paints, placement and rules, on plain arrays."""

# ruff: noqa: F401

from .attack import Attack, parse_attack
from .occlude import Occluded, occlude
from .occlusion import Occlusion, Outcome, PartMixOcclusion
from .paints import FILLS, PAINTS, REFERENCE_FILLS, Paint, paint
from .paper import PaperRules
from .patch import Patch, Record, make_patch, make_record, replay, replay_all
from .person import Person, labelled_joints
from .placement import OFF_PERSON, ON_PERSON, PLACES
from .procedural import Object, Texture
from .regions import (
    DEFAULT_SIZE,
    REFERENCE_RADIUS,
    Box,
    Disc,
    DiscSize,
    disc_radius,
)
from .rules import CorrectedRules, Rules
from .targets import Drawn, Named, Several, Target
