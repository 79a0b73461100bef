"""Fixtures that draw small sets of synthetic people."""

import subprocess
import sys
from pathlib import Path

import pytest

from mmpose_occlusion.datasets.synthetic_people import generate

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope='session')
def synthetic_people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Root of a set of 16 pictures to train on and 8 to test on.

    Its files are shared by the whole session: read them, don't write them.
    """
    root = tmp_path_factory.mktemp('synthetic') / 'synthetic_people'
    return generate(root, train=16, val=8, seed=0, workers=0)


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
"""Where users of the reference keep a file -> where the set has it."""


@pytest.fixture(scope='session')
def reference_folder(
    synthetic_people: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder to start tools in: its ``data/`` holds the synthetic people
    as COCO and as MPII in the reference's layout, linked to MMPose's names.
    """
    folder = tmp_path_factory.mktemp('reference')
    for name, source in REFERENCE_LAYOUT.items():
        path = folder / 'data' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(synthetic_people / source)
    images = folder / 'data' / 'mpii' / 'images'
    images.mkdir()
    for split in ('train', 'val'):
        for picture in (synthetic_people / split).iterdir():
            (images / picture.name).symlink_to(picture)
    command = ROOT / 'projects/tilting_at_windmills/prepare_data.py'
    subprocess.run([sys.executable, command, 'link'], cwd=folder, check=True)
    return folder
