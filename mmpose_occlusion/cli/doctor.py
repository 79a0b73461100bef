"""Say what of the toolkit works here, and the command that mends the rest.

    occlusion-doctor

prints the versions, what is missing for each group of commands, the GPU and
the data sets under data/: text to paste into an issue. The exit status is 1
if the core cannot be used.
"""

import argparse
import os
import platform
import sys
from collections.abc import Iterator
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path

from . import arguments
from .run import run

CORE = {
    'numpy': 'pip install numpy',
    'cv2': 'pip install opencv-python-headless',
    'scipy': 'pip install scipy',
    'pycocotools': 'pip install pycocotools',
    'filelock': 'pip install filelock',
    'packaging': 'pip install packaging',
}
REPORT = {
    'matplotlib': 'pip install matplotlib',
    'jinja2': 'pip install Jinja2',
    'rich': 'pip install rich',
}
MODELS = {
    'onnxruntime': 'pip install onnxruntime',
    'ai_edge_litert': 'pip install ai-edge-litert',
    'ultralytics': 'pip install ultralytics',
}
"""Module -> command that installs it."""

DISTRIBUTIONS = {
    'cv2': ('opencv-python-headless', 'opencv-python'),
    'mmengine': ('onedl-mmengine', 'mmengine'),
    'mmcv': ('onedl-mmcv', 'mmcv', 'mmcv-lite'),
    'mmdet': ('onedl-mmdetection', 'mmdet'),
}

DATA = {
    'COCO': (
        'data/coco/annotations/person_keypoints_val2017.json',
        'data/coco/val2017',
    ),
    'MPII': ('data/mpii/annotations/mpii_val.json', 'data/mpii/images'),
}
"""Files of each data set where MMPose's configs look for them."""


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """The command's arguments."""
    return arguments.parser_of(__doc__, 'occlusion-doctor').parse_args(argv)


def diagnose() -> tuple[list[str], bool]:
    """Lines about this environment, and whether the core can be used."""
    from mmpose_occlusion.version import __version__

    lines = [
        f'mmpose_occlusion {__version__}, Python {platform.python_version()} '
        f'({sys.executable}), {platform.platform()}, {os.cpu_count()} cores, '
        f'wheels for {_wheel_tag()}'
    ]
    core = list(_group('core: occlude(), metrics, benchmark', CORE))
    lines += core
    lines += _group('report', REPORT)
    lines += _group('other models (only those that you use)', MODELS)
    lines += _mmpose()
    for name, paths in DATA.items():
        lacking = [path for path in paths if not Path(path).exists()]
        state = f'no {" and no ".join(lacking)}' if lacking else 'found'
        lines.append(f'data of {name} in {Path.cwd()}: {state}')
    return lines, not any('missing' in line for line in core)


def _group(title: str, modules: dict[str, str]) -> Iterator[str]:
    found = {m: _version(m) for m in modules if find_spec(m)}
    yield f'{title}: {_listed(found) or "nothing"}'
    for module, command in modules.items():
        if module not in found:
            yield f'  {module} is missing: {command}'


def _mmpose() -> Iterator[str]:
    """MMPose's packages, their compiled modules and the GPU."""
    from mmpose_occlusion import registration

    names = ('torch', 'torchvision', 'mmengine', 'mmcv', 'mmdet', 'mmpose')
    found = {m: _version(m) for m in names if find_spec(m)}
    yield f'MMPose: {_listed(found) or "not installed"}'
    problems = registration.problems(registration.installed())
    if 'mmpose' in found and not problems:
        problems = registration.extension_problems()
        if not problems:
            yield '  compiled operators load'
    yield from (f'  {problem}' for problem in problems)
    if 'torch' in found:
        torch = import_module('torch')
        gpus = [
            torch.cuda.get_device_name(i)
            for i in range(torch.cuda.device_count())
        ]
        yield (
            f'  CUDA of torch: {torch.version.cuda or "none (CPU build)"}, '
            f'GPUs: {", ".join(gpus) or "none"}'
        )


def _listed(versions: dict[str, str]) -> str:
    return ', '.join(f'{name} {version}' for name, version in versions.items())


def _version(module: str) -> str:
    for name in DISTRIBUTIONS.get(module, (module.replace('_', '-'),)):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return 'of unknown version'


def _wheel_tag() -> str:
    """The tag of compiled wheels that pip prefers here."""
    try:
        from packaging.tags import sys_tags
    except ImportError:
        return 'unknown tags'
    return str(next(iter(sys_tags())))


def doctor(_: argparse.Namespace) -> None:
    """Print the lines."""
    lines, usable = diagnose()
    print('\n'.join(lines))
    if not usable:
        sys.exit(1)


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    return run(doctor, parse_args(argv), mmpose=False)


if __name__ == '__main__':
    sys.exit(main())
