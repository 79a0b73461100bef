"""Any Python function as a predictor."""

import hashlib
import inspect
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import numpy as np

from mmpose_occlusion.errors import UsageError

from .joint_names import named_joints
from .protocol import Prediction


class FunctionPredictor:
    """``my_module:predict``, a function of images and boxes.

    The function takes ``images``, a list of (H, W, 3) uint8 RGB, and
    ``boxes``, a list of (N, 4) xyxy or None, and returns for each image a
    :class:`.protocol.Prediction` or a pair of keypoints (N, K, 2) and scores
    (N, K). Its attributes ``keypoint_names`` (COCO's by default) and
    ``needs_boxes`` (True) may say more. The module is looked for in the
    current folder, too.

    Args:
        text: ``module:function``.
        names: Joint names, or the name of a convention.
        whole_image: Whether it finds people by itself.

    Raises:
        UsageError: There is no such module or function.
    """

    def __init__(
        self,
        text: str,
        *,
        names: str | Sequence[str] | None = None,
        whole_image: bool | None = None,
    ) -> None:
        module, _, name = text.partition(':')
        if os.getcwd() not in sys.path:
            sys.path.insert(0, os.getcwd())
        try:
            loaded = import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module.partition('.')[0]:
                raise
            raise UsageError(
                f'module "{module}" is not found in the current folder or '
                'among the installed packages'
            ) from error
        function = getattr(loaded, name, None)
        if not callable(function):
            raise UsageError(f'module "{module}" has no function "{name}"')
        self._function = function
        self.name = text
        said = getattr(function, 'keypoint_names', 'coco')
        self.keypoint_names = named_joints(said if names is None else names)
        boxes = getattr(function, 'needs_boxes', True)
        self.needs_boxes = boxes if whole_image is None else not whole_image
        source = inspect.getsourcefile(loaded)
        self._source = (
            hashlib.sha256(Path(source).read_bytes()).hexdigest()
            if source
            else ''
        )

    def identity(self) -> str:
        """Its own ``identity`` attribute, and the module's source file."""
        own = getattr(self._function, 'identity', '')
        return f'function {self.name} {self._source} {own}'

    def __call__(
        self,
        images: Sequence[np.ndarray],
        boxes: Sequence[np.ndarray | None],
    ) -> list[Prediction]:
        """See :class:`.protocol.Predictor`."""
        found = self._function(list(images), list(boxes))
        if not isinstance(found, list | tuple):
            return found  # refused by check_predictions
        return [
            one
            if isinstance(one, Prediction) or not isinstance(one, list | tuple)
            else Prediction(*(np.asarray(part) for part in one))
            for one in found
        ]
