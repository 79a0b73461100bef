"""Small training sets of donors, written as images."""

import atexit
import tempfile
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np

from mmpose_occlusion.datasets.donors import DonorIndex
from tests.golden.samples import names, photo


def data_list(folder, images, layout='coco', first_id=901):
    """The data list of a data set of some images, written as PNG.

    Args:
        folder (Path): Where to write them.
        images (list): ``(image, people)`` each; a person is
            ``{name: (x, y)}`` in the image's pixels. A missing joint is
            (0, 0), on MPII (-1, -1), as in the data sets' files.
        layout (str): Name of MMPose's metainfo file.
        first_id (int): Annotation id of the first person; the others follow.
    """
    people_of_all = []
    for number, (image, people) in enumerate(images):
        path = Path(folder) / f'{layout}_{number}.png'
        cv2.imwrite(str(path), image)
        height, width = image.shape[:2]
        for joints in people:
            missing = (-1, -1) if layout == 'mpii' else (0, 0)
            xy = [joints.get(name, missing) for name in names(layout)]
            seen = [name in joints for name in names(layout)]
            people_of_all.append(
                dict(
                    id=first_id + len(people_of_all),
                    img_path=str(path),
                    keypoints=np.array([xy], np.float32),
                    keypoints_visible=np.array([seen], np.float32),
                    bbox=np.array([[0, 0, width, height]], np.float32),
                )
            )
    return people_of_all


def give(results, donors):
    """Add a data set with these donors to results."""
    dataset = results.get('dataset')
    results['dataset'] = SimpleNamespace(
        donors=donors,
        metainfo=dataset.metainfo
        if dataset is not None
        else dict(keypoint_id2name=results['keypoint_id2name']),
    )
    return results


@cache
def some_donors(layout, black=False):
    """Seven people in four images; some body parts are missing or cropped."""
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    rng = np.random.default_rng(len(layout))
    images = []
    for number in range(4):
        size = (30 + 9 * number, 44 - 5 * number)
        image = photo(*size, seed=number)
        people = []
        for _ in range(2 if number else 1):
            people.append(
                {
                    name: tuple(rng.uniform(-4, size[::-1]).tolist())
                    for name in names(layout)
                    if rng.random() < (1 if number < 2 else 0.7)
                }
            )
        images.append((image * (not black), people))
    return DonorIndex(data_list(folder.name, images, layout))
