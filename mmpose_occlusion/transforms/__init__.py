"""Occlusions as transforms of MMPose's pipelines."""

# ruff: noqa: E402, F401

from mmpose_occlusion.registration import FOR_DATA, check_extensions

check_extensions(FOR_DATA)

from .occlusions import (
    CellOcclusion,
    EmptyRemovedHeatmaps,
    KeepImage,
    KeypointOcclusion,
    MultiKeypointOcclusion,
    PartMix,
    PartOcclusion,
    RandomOcclusion,
)
