"""People to measure on: photographs, or noise with made-up joints."""

import json
import os
from pathlib import Path

import cv2
import numpy as np

REAL_DATA = 'OCCLUSION_REAL_DATA'
HRNET = (
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_hrnet-w32_8xb64-210e_coco-256x192.py'
)

_POSE = np.array(
    [
        *[(50, 8), (52, 6), (48, 6), (55, 7), (45, 7)],
        *[(60, 20), (40, 20), (66, 35), (34, 35), (70, 48), (30, 48)],
        *[(56, 52), (44, 52), (57, 74), (43, 74), (58, 95), (42, 95)],
    ]
)
"""(17, 2) COCO joints of a standing person, per cent of a square box."""


def coco(folder: str) -> tuple[Path, Path]:
    """A COCO annotation file and its folder of images.

    Those of ``$OCCLUSION_REAL_DATA/coco``; without it, four JPEGs of 640×480
    with three people each are written into ``folder``.
    """
    if real := os.environ.get(REAL_DATA):
        images = Path(real).resolve() / 'coco'
        return images / 'test_coco.json', images
    from mmpose_occlusion.skeleton import COCO_JOINTS

    root, rng = Path(folder), np.random.default_rng(0)
    content: dict = dict(images=[], annotations=[])
    content['categories'] = [
        dict(id=1, name='person', keypoints=list(COCO_JOINTS))
    ]
    for image in range(1, 5):
        noise = rng.integers(0, 256, (480, 640, 3), dtype=np.uint8)
        name = f'{image}.jpg'
        cv2.imwrite(str(root / name), cv2.GaussianBlur(noise, (0, 0), 2))
        entry = dict(id=image, file_name=name, width=640, height=480)
        content['images'].append(entry)
        for x in (20, 220, 420):
            size = int(rng.integers(150, 400))
            joints = np.full((17, 3), 2)
            joints[:, :2] = np.array((x, 40)) + _POSE * size // 100
            content['annotations'].append(
                dict(
                    id=len(content['annotations']) + 1,
                    image_id=image,
                    category_id=1,
                    iscrowd=0,
                    area=size * size / 2,
                    bbox=[x, 40, size, size],
                    num_keypoints=17,
                    keypoints=joints.ravel().tolist(),
                )
            )
    (root / 'people.json').write_text(json.dumps(content))
    return root / 'people.json', root


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
