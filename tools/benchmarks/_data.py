"""People to measure on: photographs, or synthetic ones."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REAL_DATA = 'OCCLUSION_REAL_DATA'
HRNET = (
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_hrnet-w32_8xb64-210e_coco-256x192.py'
)


def coco(
    folder: str, real: str = 'coco/test_coco.json', drawn: int = 4
) -> tuple[Path, Path]:
    """A COCO annotation file and its folder of images: that of
    ``$OCCLUSION_REAL_DATA``, or so many images of synthetic people in a
    folder."""
    if photographs := os.environ.get(REAL_DATA):
        file = Path(photographs).resolve() / real
        return file, file.parent
    sys.path.append(str(ROOT / 'projects/synthetic_people'))
    from synthetic_people import generate

    people = generate(f'{folder}/people', train=0, val=drawn, workers=0)
    return people / 'annotations/person_keypoints_val.json', people / 'val'


def dataset(folder: str):
    """MMPose's data set of these people, which offers donors."""
    from mmpose_occlusion.datasets import DonorDataset

    file, images = coco(folder)
    people = dict(type='CocoDataset', ann_file=str(file))
    people['data_prefix'] = dict(img=str(images))
    return DonorDataset(people).dataset


def build(pipeline: list[dict]):
    """A pipeline of MMPose's transforms, as one function."""
    from mmengine.dataset import Compose
    from mmpose.registry import TRANSFORMS

    import mmpose_occlusion  # noqa: F401

    return Compose([TRANSFORMS.build(step) for step in pipeline])
