"""Data sets, wrappers and transforms, registered in MMPose."""

from . import (  # noqa: F401
    decoded_backend,
    fast_steps,
    transforms,
    zip_backend,
)
from .color_jitter import ColorJitter  # noqa: F401
from .donors import DonorDataset  # noqa: F401
from .occlusion_views import OcclusionViewsDataset  # noqa: F401
from .wrappers import (  # noqa: F401
    DetectionMatchedDataset,
    match_detections,
    offer_donors,
)
