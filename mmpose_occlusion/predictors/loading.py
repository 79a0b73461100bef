"""From a text on the command line to a predictor."""

import hashlib
import inspect
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from mmpose_occlusion.errors import UsageError

from .protocol import Prediction, Predictor, literal, named_joints

ADAPTERS: dict[str, str] = {
    'onnx': 'exported_models:OnnxPredictor',
    'tflite': 'exported_models:TflitePredictor',
    'torchvision': 'library_models:TorchvisionPredictor',
    'yolo': 'library_models:YoloPredictor',
    'mediapipe': 'library_models:MediaPipePredictor',
    'mmpose': 'library_models:MMPosePredictor',
    'function': 'loading:FunctionPredictor',
}
"""Prefix of a predictor's text -> module and class of its adapter."""

ENDINGS = {'.onnx': 'onnx', '.tflite': 'tflite', '.task': 'mediapipe'}
"""Endings of files that say their adapter."""

FORM = (
    'write model.onnx, model.tflite, torchvision:NAME, yolo:FILE, '
    'mediapipe:FILE, mmpose:CONFIG,CHECKPOINT or my_module:function'
)


def load_predictor(
    text: str, options: Mapping[str, Any] | None = None
) -> Predictor:
    """Make a predictor.

    Args:
        text: ``[PREFIX:]WHAT`` with a prefix of :data:`ADAPTERS`; files with
            one of :data:`ENDINGS` need none, and any other
            ``module:function`` is a Python function.
        options: Arguments of the adapter, as values or as texts
            (``dict(padding='1.1')``).

    Raises:
        UsageError: There is no such adapter, it does not take an option, or
            its library is missing.
    """
    kind, what = _split(text)
    module, _, name = ADAPTERS[kind].partition(':')
    make = getattr(import_module(f'.{module}', __package__), name)
    given = {key: literal(value) for key, value in (options or {}).items()}
    known = list(inspect.signature(make).parameters)[1:]
    for option in given:
        if option not in known:
            raise UsageError(
                f'predictors of kind "{kind}" have no option "{option}": '
                f'they have {", ".join(known)}'
            )
    return make(what, **given)


def _split(text: str) -> tuple[str, str]:
    prefix, _, rest = text.partition(':')
    if rest and prefix in ADAPTERS:
        return prefix, rest
    if kind := ENDINGS.get(Path(text).suffix):
        return kind, text
    if rest and all(p.isidentifier() for p in prefix.split('.')):
        return 'function', text
    raise UsageError(f'predictor "{text}" is not known: {FORM}')


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
        self._function, self.name = function, text
        said = getattr(function, 'keypoint_names', 'coco')
        self.keypoint_names = named_joints(said if names is None else names)
        boxes = getattr(function, 'needs_boxes', True)
        self.needs_boxes = boxes if whole_image is None else not whole_image
        source = inspect.getsourcefile(loaded)
        code = Path(source).read_bytes() if source else b''
        self._source = hashlib.sha256(code).hexdigest()

    def identity(self) -> str:
        """Its own ``identity``, a text or a function that returns one, and the
        module's source file."""
        own = getattr(self._function, 'identity', '')
        own = own() if callable(own) else own
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
            Prediction(*(np.asarray(part) for part in one))
            if isinstance(one, list | tuple)
            else one
            for one in found
        ]
