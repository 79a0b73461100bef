"""Data sets, wrappers and transforms, registered in MMPose."""

from mmpose_occlusion.requirements import FOR_DATA, check_extensions

check_extensions(FOR_DATA)

from . import (  # noqa: E402, F401
    decoded_backend,
    fast_steps,
    transforms,
    zip_backend,
)
from .color_jitter import ColorJitter  # noqa: E402, F401
from .donors import DonorDataset  # noqa: E402, F401
from .occlusion_views import OcclusionViewsDataset  # noqa: E402, F401
from .wrappers import (  # noqa: E402, F401
    DetectionMatchedDataset,
    match_detections,
    offer_donors,
)
