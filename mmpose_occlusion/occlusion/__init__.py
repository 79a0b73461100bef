"""The core: targets, regions, paints, placement and rules, on plain arrays."""

# ruff: noqa: F401

from . import procedural
from .attack import Attack, parse_attack
from .occlude import Occluded, occlude
from .occlusion import Occlusion, Record
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
from .regions import (
    DEFAULT_SIZE,
    REFERENCE_RADIUS,
    Box,
    Disc,
    DiscSize,
    Patch,
    disc_radius,
)
from .rules import CorrectedRules
from .targets import Person, labelled_joints
