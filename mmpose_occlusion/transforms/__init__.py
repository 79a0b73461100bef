"""Occlusions as transforms of MMPose's pipelines."""

# ruff: noqa: E402, F401

from mmpose_occlusion.registration import FOR_DATA, check_extensions

check_extensions(FOR_DATA)

from .auxiliary import EmptyRemovedHeatmaps, KeepImage
from .occlusions import (
    CellOcclusion,
    KeypointOcclusion,
    MultiKeypointOcclusion,
    PartMix,
    PartOcclusion,
    RandomOcclusion,
)
