"""People with all joints, and attacks of several sizes, for the tests."""

from dataclasses import replace

import numpy as np

from tests.test_benchmark import made_up


def boxes_of_all(images=6):
    """Boxes of people with all joints labelled."""
    boxes = made_up.people(images, 1, seed=4)
    return replace(
        boxes,
        visible=np.full_like(boxes.visible, 2),
        truth=np.where(
            np.isfinite(boxes.truth), boxes.truth, boxes.boxes[:, None, :2]
        ),
    )


def disc(clean, boxes, size, lost, target='nose', whole=False, **more):
    """A disc under which the target of the first ``lost`` people is lost, or
    the whole people; ``more`` are fields, and ``place`` of the config."""
    joints = slice(None) if whole else made_up.COCO.index(target)
    where = dict(place=more.pop('place')) if 'place' in more else {}

    def lose(keypoints):
        keypoints[:lost, joints] += 1000
        return keypoints

    config = dict(
        type='KeypointOcclusion', target=target, fill='black', size=size
    )
    return made_up.attack(
        clean,
        boxes,
        target,
        fault=lose,
        name=':'.join(('keypoint', target, 'black', size, *where.values())),
        suite='mine',
        config=config | where,
        **more,
    )
