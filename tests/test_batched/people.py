"""Crops with joints anywhere, as transforms and as models get them."""

import numpy as np
import torch
from mmpose.datasets.transforms import PackPoseInputs

from tests.golden import samples

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
NORMALISED = dict(mean=MEAN, std=STD, bgr_to_rgb=True)


def make_crops(count, layout='coco', shape=(64, 48), seed=0):
    """``results`` with joints in, on and over the border, or missing; the
    picture of each is another, and the last has no joint at all."""
    rng = np.random.default_rng(seed)
    crops = []
    for number in range(count):
        joints = {}
        for name in samples.names(layout):
            at = rng.uniform(-4, (shape[1] + 3, shape[0] + 3))
            at = [np.round(at), np.round(at * 2) / 2, at][number % 3]
            if rng.random() < (0.8, 0.3)[number % 2] and number < count - 1:
                joints[name] = tuple(at.tolist())
        crop = samples.crop(
            joints,
            samples.photo(*shape, number),
            layout,
            img_id=number // 2,
            ann_id=number,
        )
        crops.append(crop)
    return crops


def pack(crops, normalise=True):
    """The batch that a model's preprocessor makes of them: RGB, normalised;
    else uint8, as it is."""
    transform = PackPoseInputs(pack_transformed=True)
    packed = [
        transform(
            dict(
                crop,
                keypoint_weights=np.ones(
                    crop['transformed_keypoints'].shape[:2], np.float32
                ),
            )
        )
        for crop in crops
    ]
    inputs = torch.stack([each['inputs'] for each in packed])
    if normalise:
        inputs = inputs[:, [2, 1, 0]].float()
        inputs = (inputs - column(MEAN)) / column(STD)
    return inputs, [each['data_samples'] for each in packed]


def levels(inputs):
    """``(B, H, W, C)`` grey levels, BGR, of either batch."""
    if inputs.dtype.is_floating_point:
        inputs = (inputs * column(STD) + column(MEAN))[:, [2, 1, 0]]
    return inputs.permute(0, 2, 3, 1).double().numpy()


def column(values):
    return torch.tensor(values).view(3, 1, 1)
