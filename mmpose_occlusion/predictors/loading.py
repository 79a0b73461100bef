"""From a text on the command line to a predictor."""

import ast
import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from mmpose_occlusion.errors import UsageError

from .protocol import Predictor

ADAPTERS: dict[str, str] = {
    'onnx': 'onnx_model:OnnxPredictor',
    'tflite': 'tflite_model:TflitePredictor',
    'torchvision': 'torchvision_rcnn:TorchvisionPredictor',
    'yolo': 'ultralytics_yolo:YoloPredictor',
    'mmpose': 'mmpose_inference:MMPosePredictor',
    'function': 'python_function:FunctionPredictor',
}
"""Prefix of a predictor's text -> module and class of its adapter."""

ENDINGS = {'.onnx': 'onnx', '.tflite': 'tflite'}
"""Endings of files that say their adapter."""

FORM = (
    'write model.onnx, model.tflite, torchvision:NAME, yolo:FILE, '
    'mmpose:CONFIG,CHECKPOINT or my_module:function'
)


def load_predictor(
    text: str, options: Mapping[str, Any] | None = None
) -> Predictor:
    """Make a predictor.

    Args:
        text: ``[PREFIX:]WHAT`` with a prefix of :data:`ADAPTERS`; files that
            end in .onnx or .tflite need none, and any other
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
    given = {key: _value(value) for key, value in (options or {}).items()}
    _check_options(make, given, kind)
    return make(what, **given)


def _split(text: str) -> tuple[str, str]:
    for ending, kind in ENDINGS.items():
        if text.endswith(ending) and text.partition(':')[0] not in ADAPTERS:
            return kind, text
    prefix, colon, rest = text.partition(':')
    if colon and rest and prefix in ADAPTERS:
        return prefix, rest
    if colon and rest and all(p.isidentifier() for p in prefix.split('.')):
        return 'function', text
    raise UsageError(f'predictor "{text}" is not known: {FORM}')


def _value(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value


def _check_options(
    make: Callable, options: Mapping[str, Any], kind: str
) -> None:
    known = list(inspect.signature(make).parameters)[1:]
    for name in options:
        if name not in known:
            raise UsageError(
                f'predictors of kind "{kind}" have no option "{name}": '
                f'they have {", ".join(known) or "none"}'
            )
