"""Fixtures of small data sets of synthetic people."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope='session')
def synthetic_people(share_folder: Callable) -> Path:
    """Root of a data set with 16 training and 8 validation images, also with
    MPII's annotations and a detector's boxes.

    The whole session shares its files; tests must not write to them.
    """
    return share_folder('synthetic_people', _generate)


def _generate(root: Path) -> None:
    from synthetic_people import generate  # needs MMEngine

    from tests import simulated_files

    sizes = dict(train=16, val=8)
    generate(root, **sizes, seed=0, workers=0)
    simulated_files.write(root, seed=0, **sizes)


BOXES = 'person_detection_results/COCO_val2017_detections_AP_H_56_person.json'
REFERENCE_LAYOUT = {
    'coco/annotations/person_keypoints_train2017.json': (
        'annotations/person_keypoints_train.json'
    ),
    'coco/annotations/person_keypoints_val2017.json': (
        'annotations/person_keypoints_val.json'
    ),
    'coco/images/train2017': 'train',
    'coco/images/val2017': 'val',
    f'coco/{BOXES}': 'person_detection_results/detections_val.json',
    'mpii/annot/train.json': 'annotations/mpii_train.json',
    'mpii/annot/valid.json': 'annotations/mpii_val.json',
    'mpii/annot/gt_valid.mat': 'annotations/mpii_gt_val.mat',
}
"""File of the reference's layout -> file of the synthetic data set."""


@pytest.fixture(scope='session')
def reference_folder(synthetic_people: Path, share_folder: Callable) -> Path:
    """A working directory for tools: its ``data/`` holds the synthetic people
    as COCO and as MPII in the reference's layout, linked to MMPose's
    names.
    """
    from prepare_data import link  # of projects/tilting_at_windmills

    def make(folder: Path) -> None:
        for name, source in REFERENCE_LAYOUT.items():
            path = folder / 'data' / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(synthetic_people / source)
        images = folder / 'data' / 'mpii' / 'images'
        images.mkdir()
        for split in ('train', 'val'):
            for image in (synthetic_people / split).iterdir():
                (images / image.name).symlink_to(image)
        link(folder / 'data', folder / 'data')

    return share_folder('reference', make)
