"""What turns images into keypoints: models of any library.

A predictor is made by :func:`.library_models.load_predictor` from a short
text, or is any object that fits :class:`.protocol.Predictor`.
"""

from .library_models import load_predictor
from .protocol import Prediction, Predictor

__all__ = ['Prediction', 'Predictor', 'load_predictor']
