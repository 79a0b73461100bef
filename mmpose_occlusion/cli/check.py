"""Faults of data files, and of this environment."""

import functools
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mmpose_occlusion.errors import DataError

from .arguments import IMAGES_HELP, File, command, option, position


@dataclass(frozen=True)
class CheckOptions:
    annotations: str = position('COCO-style file of people', 'ANN')
    images: str | None = position(IMAGES_HELP, 'IMAGES', nargs='?')
    detections: File | None = option("a detector's COCO results")
    config: File | None = option('config of MMPose for these data')


@command(CheckOptions, 'occlusion-check')
def main(options: CheckOptions) -> None:
    """Check a data set's files before they cost a run.

        occlusion-check people.json
        occlusion-check people.json images --detections boxes.json
        occlusion-check people.json --config CONFIG

    says every kind of fault once, and what all commands do about it: repair,
    leave out, or use as it is. The exit status is 1 if something cannot be
    used. With IMAGES every image is decoded, and with --config the keypoints
    are compared with those of the config's test data.
    """
    from mmpose_occlusion.benchmark.annotation_file import read_annotations
    from mmpose_occlusion.benchmark.checked_files import (
        check_images,
        read_detections,
    )

    found = read_annotations(options.annotations)
    if options.config:
        from mmpose_occlusion.engine import data_files

        data_files.check_config(found, options.config)
    if options.images:
        check_images(found, options.images, decode=True)
    lost = _print(
        f'{options.annotations}: {len(found.people):,} people with '
        f'{len(found.joints)} keypoints in {len(found.images):,} images',
        found.faults,
    )
    if options.detections:
        boxes, faults = read_detections(options.detections, found)
        lost += _print(f'{options.detections}: {len(boxes):,} boxes', faults)
    if lost:
        raise DataError(
            f'{lost:,} entries cannot be used and are left out: the lines '
            'above name them'
        )


def _print(title: str, faults: Any) -> int:
    """Print the kinds of faults; returns how many entries are left out."""
    print(title, *(f.sentence() for f in faults), sep='\n  ')
    if not faults:
        print('  no faults')
    return sum(fault.count for fault in faults.losses)


GROUPS = {
    'core: occlude(), metrics, benchmark': 'numpy cv2 scipy pycocotools '
    'filelock packaging',
    'report': 'matplotlib jinja2 rich',
    'other models (only those that you use)': 'onnxruntime ai_edge_litert '
    'ultralytics',
}
"""Modules of each group of commands; the first is needed."""

DATA = {
    'coco': ('annotations/person_keypoints_val2017.json', 'val2017'),
    'mpii': ('annotations/mpii_val.json', 'images'),
}
"""Files of each data set where MMPose's configs look for them."""


@dataclass(frozen=True)
class DoctorOptions:
    """None."""


@command(DoctorOptions, 'occlusion-doctor')
def main_doctor(_: DoctorOptions) -> None:
    """Say what of the toolkit works here, and the command that mends the rest.

        occlusion-doctor

    prints the versions, what is missing for each group of commands, the GPU
    and the data sets under data/: text to paste into an issue. The exit status
    is 1 if the core cannot be used.
    """
    from mmpose_occlusion import __version__

    tag = 'unknown tags'
    if find_spec('packaging'):
        from packaging.tags import sys_tags

        tag = str(next(iter(sys_tags())))
    print(
        f'mmpose_occlusion {__version__}, Python {platform.python_version()} '
        f'({sys.executable}), {platform.platform()}, {os.cpu_count()} cores, '
        f'wheels for {tag}'
    )
    usable = True
    for title, modules in GROUPS.items():
        found, missing = _versions(modules.split())
        usable = usable and not (missing and title.startswith('core'))
        print(f'{title}: {found or "nothing"}')
        for name in missing:
            wheel = name.replace('cv2', 'opencv-python-headless')
            print(f'  {name} is missing: pip install {wheel}')
    print(*_mmpose(), sep='\n')
    for name, paths in DATA.items():
        places = [Path('data', name, path) for path in paths]
        lacking = ' and '.join(f'no {p}' for p in places if not p.exists())
        print(f'data of {name.upper()} in {Path.cwd()}: {lacking or "found"}')
    if not usable:
        sys.exit(1)


_distributions = functools.cache(metadata.packages_distributions)


def _versions(modules: Sequence[str]) -> tuple[str, list[str]]:
    """Versions of the installed modules, and the modules that are not."""
    from mmpose_occlusion.registration import version_of

    # before Python 3.11, not all distributions are listed
    names, found, missing = _distributions(), [], []
    for module in modules:
        if find_spec(module):
            version = version_of(*names.get(module, [module]))
            found.append(f'{module} {version or "of unknown version"}')
        else:
            missing.append(module)
    return ', '.join(found), missing


def _mmpose() -> Iterator[str]:
    """MMPose's packages, their compiled modules and the GPU."""
    from mmpose_occlusion import registration

    names = 'torch torchvision mmengine mmcv mmdet mmpose'
    found, missing = _versions(names.split())
    yield f'MMPose: {found or "not installed"}'
    problems = registration.problems(registration.installed())
    if 'mmpose' not in missing and not problems:
        problems = registration.extension_problems()
        if not problems:
            yield '  compiled operators load'
    yield from (f'  {problem}' for problem in problems)
    if 'torch' not in missing:
        cuda = import_module('torch').cuda
        gpus = [cuda.get_device_name(i) for i in range(cuda.device_count())]
        build = import_module('torch').version.cuda or 'none (CPU build)'
        yield f'  CUDA of torch: {build}, GPUs: {", ".join(gpus) or "none"}'


if __name__ == '__main__':
    sys.exit(main())
