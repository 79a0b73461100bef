"""One person on a crop of 192 x 256 pixels, occluded in black."""

from tests.golden import naive_reference as reference
from tests.golden.samples import crop, mask, white

PERSON = dict(
    nose=(96, 40), left_eye=(100, 36), right_eye=(92, 36), left_ear=(106, 38),
    right_ear=(86, 38), left_shoulder=(116, 66), right_shoulder=(76, 66),
    left_elbow=(128, 96), right_elbow=(62, 96), left_wrist=(132, 124),
    right_wrist=(58, 126), left_hip=(108, 130), right_hip=(84, 130),
    left_knee=(112, 176), right_knee=(81, 175), left_ankle=(115, 222),
    right_ankle=(78, 221),
)  # fmt: skip


def painted_by(transform, joints, height=256, width=192, **kwargs):
    """Mask of the pixels that a black occlusion paints, and the results."""
    clean = white(height, width)
    results = transform(crop(joints, clean.copy(), **kwargs))
    return mask(results, clean), results


def scaled(joints, factor):
    return {name: (x * factor, y * factor) for name, (x, y) in joints.items()}


SMALL = scaled(PERSON, 1 / 4)
"""On a crop of 48 x 64."""


def members(part):
    """Names of a part's joints."""
    return set(reference.members(part, 'coco'))
