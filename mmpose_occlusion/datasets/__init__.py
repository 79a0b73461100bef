"""Dataset wrappers, registered in MMPose."""

from mmpose_occlusion.registration import FOR_DATA, check_extensions

check_extensions(FOR_DATA)

from .detection_matching import (  # noqa: E402, F401
    DetectionMatchedDataset,
    match_detections,
    offer_donors,
)
from .donors import DonorDataset  # noqa: E402, F401
