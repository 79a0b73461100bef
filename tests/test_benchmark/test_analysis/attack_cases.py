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


def sized(clean, boxes, diameter, lost, target='nose', **more):
    """A disc under which the first ``lost`` people are lost."""

    def lose(joints):
        joints = joints.copy()
        joints[:lost] += 1000
        return joints

    return made_up.attack(
        clean,
        boxes,
        target,
        fault=lose,
        name=f'keypoint:{target}:black:{100 * diameter:g}%',
        suite='severity',
        config=dict(
            type='KeypointOcclusion',
            target=target,
            fill='black',
            size=f'{100 * diameter:g}%',
        ),
        **more,
    )
