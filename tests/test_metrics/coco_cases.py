"""AP and AR of people and poses in COCO's format."""

import numpy as np

from mmpose_occlusion.metrics.annotations import People
from mmpose_occlusion.metrics.average_precision import (
    ComparedPoses,
    compare_poses,
    reference_precision,
)


def compared(people, poses, sigmas) -> tuple[ComparedPoses, tuple]:
    """People of ``make_person`` and poses with ``image_id``, ``category_id``,
    ``keypoints`` (3K numbers) and ``score``; and the poses that take part
    with all scores."""
    images = [p['image_id'] for p in poses]
    found = People.from_dicts(people, images, len(sigmas))
    kinds = [p['category_id'] for p in poses]
    poses_of = compare_poses(
        found,
        np.searchsorted(found.images, np.array(images, found.images.dtype)),
        np.searchsorted(found.categories, kinds),
        keypoints_of(poses, sigmas),
        sigmas,
    )
    scores = np.array([p['score'] for p in poses], float)
    rows = np.flatnonzero(np.isin(kinds, found.categories))
    return poses_of, (rows, scores)


def keypoints_of(poses, sigmas):
    keypoints = np.array([p['keypoints'] for p in poses], float)
    return keypoints.reshape(len(poses), len(sigmas), 3)[..., :2]


def precision(people, poses, sigmas, joint=None, keep=None):
    """AP and AR of one joint or of all, for the poses (D,) that take part;
    None without people who count."""
    found, (rows, scores) = compared(people, poses, sigmas)
    labelled = found.people.labelled
    if joint is not None:
        found, labelled = found.of_joint(joint), labelled[:, [joint]]
    if keep is not None:
        rows = rows[keep[rows]]
    return _plain(found.precision(rows, scores, labelled))


def by_reference(people, poses, sigmas, joint):
    """AP and AR of one joint as the paper's code counts them."""
    found, ranked = compared(people, poses, sigmas)
    keypoints = keypoints_of(poses, sigmas)
    return _plain(
        reference_precision(found, keypoints, sigmas, *ranked, joint)
    )


def _plain(found):
    return tuple(None if np.isnan(x) else float(x) for (x,) in found)
