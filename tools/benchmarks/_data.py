"""People to measure on: photographs, or synthetic ones."""

import json
import os
import sys
from pathlib import Path

REAL_DATA = 'OCCLUSION_REAL_DATA'
HRNET = (
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_hrnet-w32_8xb64-210e_coco-256x192.py'
)


def coco(folder: str) -> tuple[Path, Path]:
    """A COCO annotation file and its folder of images.

    Those of ``$OCCLUSION_REAL_DATA/coco``; without it, four images of
    synthetic people in ``folder``.
    """
    if real := os.environ.get(REAL_DATA):
        images = Path(real).resolve() / 'coco'
        return images / 'test_coco.json', images
    root = Path(__file__).resolve().parents[2]
    sys.path.append(str(root / 'projects/synthetic_people'))
    from synthetic_people import generate

    people = generate(f'{folder}/people', train=0, val=4, workers=0)
    return people / 'annotations/person_keypoints_val.json', people / 'val'


def repeated(folder: str, copies: int) -> tuple[Path, Path]:
    """The same with each image and its people several times."""
    file, images = coco(folder)
    content = json.loads(file.read_text())
    new = dict(content, images=[], annotations=[])
    for _ in range(copies):
        for image in content['images']:
            number = len(new['images']) + 1
            new['images'].append(dict(image, id=number))
            for person in content['annotations']:
                if person['image_id'] == image['id']:
                    ids = dict(id=len(new['annotations']) + 1, image_id=number)
                    new['annotations'].append(dict(person, **ids))
    path = Path(folder) / 'repeated.json'
    path.write_text(json.dumps(new))
    return path, images


def dataset(folder: str):
    """MMPose's data set of these people, which offers donors."""
    from mmpose_occlusion.datasets import DonorDataset

    file, images = coco(folder)
    people = dict(
        type='CocoDataset',
        ann_file=str(file),
        data_prefix=dict(img=str(images)),
    )
    return DonorDataset(people).dataset


def build(pipeline: list[dict]):
    """A pipeline of MMPose's transforms, as one function."""
    from mmengine.dataset import Compose
    from mmpose.registry import TRANSFORMS

    import mmpose_occlusion  # noqa: F401

    return Compose([TRANSFORMS.build(step) for step in pipeline])
