"""Occlusion in 2D human pose estimation: augmentation, attacks, benchmarks.

The core (:func:`occlude`, attacks, metrics, the benchmark's store and report)
needs NumPy, OpenCV, SciPy and pycocotools. Where MMPose is installed,
``custom_imports = dict(imports=['mmpose_occlusion'])`` in a config registers
the transforms, data sets, models, metrics and hooks of this package.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

__version__ = '0.3.0'

_NAMES = {
    'occlusion': 'Attack Occluded occlude parse_attack',
    'benchmark.api': 'Benchmark load_benchmark run_benchmark',
    'engine.insertion': 'insert_occlusion',
    'transforms': 'CellOcclusion EmptyRemovedHeatmaps KeypointOcclusion '
    'MultiKeypointOcclusion PartMix PartOcclusion RandomOcclusion',
}
_LAZY = {name: key for key, words in _NAMES.items() for name in words.split()}
"""Name -> module of this package that it is imported from at first use."""

_PACKAGES = (
    *('benchmark', 'datasets', 'engine', 'evaluation', 'hooks', 'metrics'),
    *('models', 'occlusion', 'predictors', 'transforms', 'visualization'),
)

__all__ = ['__version__', *_LAZY, *_PACKAGES]


def __getattr__(name: str) -> Any:
    """Import what ``__all__`` names, at first use."""
    if name in _PACKAGES:
        return import_module(f'{__name__}.{name}')
    if name not in _LAZY:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    module = _LAZY[name]
    for_mmpose = module in ('transforms', 'engine.insertion')
    if for_mmpose and find_spec('mmpose') is None:
        raise ImportError(
            f'{name} is for MMPose, which is not installed: '
            'install MMPose 1.3 with MMEngine, mmcv and mmdet, or use '
            'mmpose_occlusion.occlude(), which needs none of them.'
        )
    return getattr(import_module(f'{__name__}.{module}'), name)


if find_spec('mmpose') is not None:
    from . import registration

    registration.register_when_loaded()
