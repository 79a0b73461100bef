"""The core: targets, regions, paints, placement and rules, on plain arrays."""

# ruff: noqa: F401

from .attack import Attack, parse_attack
from .occlude import Occluded, occlude
from .occlusion import Occlusion, Outcome, Record
from .paints import (
    FILLS,
    PAINTS,
    REFERENCE_FILLS,
    Paint,
    make_patch,
    paint,
    replay,
    replay_all,
)
from .placement import OFF_PERSON, ON_PERSON, PLACES
from .procedural import Object, Texture
from .regions import (
    DEFAULT_SIZE,
    REFERENCE_RADIUS,
    Box,
    Disc,
    DiscSize,
    Patch,
    disc_radius,
)
from .rules import CorrectedRules, PaperRules, Rules
from .targets import Person, Target, labelled_joints
