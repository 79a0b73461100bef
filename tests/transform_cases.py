"""One table of transforms and their arguments; it feeds every property test.

The names are those that AIC, MPII, COCO and COCO-WholeBody share.
"""

from mmpose_occlusion.transforms import (
    CellOcclusion,
    EmptyRemovedHeatmaps,
    KeypointOcclusion,
    MultiKeypointOcclusion,
    PartMix,
    PartOcclusion,
    RandomOcclusion,
)

JOINTS = ['left_wrist', 'right_ankle', 'left_hip']
PARTS = ['head', 'left_arm', 'corpus']

CASES = {
    'joint-blur': (KeypointOcclusion, dict(target='left_wrist')),
    'joint-huge-blur': (KeypointOcclusion, dict(target='left_hip', size=60)),
    'joints-mean': (KeypointOcclusion, dict(target=JOINTS, fill='mean')),
    'joints-blur': (KeypointOcclusion, dict(target=JOINTS, size=24)),
    'joint-random': (KeypointOcclusion, dict(prob=0.8, seed=1)),
    'joint-unseeded': (KeypointOcclusion, dict(fill='black', prob=0.5)),
    'part-blur': (PartOcclusion, dict(target='left_leg')),
    'parts-mean': (PartOcclusion, dict(target=PARTS, fill='mean')),
    'parts-blur': (
        PartOcclusion,
        dict(target=PARTS, remove_keypoints=True),
    ),
    'part-random': (
        PartOcclusion,
        dict(fill='black', remove_keypoints=True, prob=0.8, seed=1),
    ),
    'part-random-all': (
        PartOcclusion,
        dict(target='random_all', fill='mean', remove_keypoints=True),
    ),
    'joint-object': (
        KeypointOcclusion,
        dict(target='left_hip', fill='object', size='40%', seed=3),
    ),
    'joints-control': (
        KeypointOcclusion,
        dict(target=JOINTS, fill='pixelate', size=9, place='on_person'),
    ),
    'joints-offset': (
        KeypointOcclusion,
        dict(target=JOINTS, fill='mean', size='20%', offset=0.7),
    ),
    'joints-decoy': (
        KeypointOcclusion,
        dict(target=JOINTS, fill='object', place='decoy', seed=2),
    ),
    'part-control': (
        PartOcclusion,
        dict(target='left_arm', fill='texture', place='off_person'),
    ),
    'cell': (CellOcclusion, dict(target='x-5y35', size='25%')),
    'cells-object': (
        CellOcclusion,
        dict(target=['x0y0', 'x20y80'], fill='object', size='40%', seed=1),
    ),
    'parts-noise': (PartOcclusion, dict(target=PARTS, fill='noise')),
    'own-part': (
        PartOcclusion,
        dict(target='hand', parts={'hand': ['left_wrist', 'left_elbow']}),
    ),
    'any-target': (
        RandomOcclusion,
        dict(fill='mean', remove_keypoints=True, size=9, seed=1),
    ),
    'joints-multi': (
        MultiKeypointOcclusion,
        dict(max_keypoints=3, keypoint_prob=0.7, seed=1),
    ),
    'joints-multi-all': (
        MultiKeypointOcclusion,
        dict(keypoint_prob=1.0, fills=('mean',), size=20, prob=0.9),
    ),
    'joints-dropped': (
        MultiKeypointOcclusion,
        dict(keypoint_prob=0.8, label='drop', seed=2),
    ),
    'part-dropped': (PartOcclusion, dict(target='left_leg', label='drop')),
    'part-mix': (PartMix, dict(prob=0.9, remove_keypoints=True, seed=1)),
}

PAPER_CASES = {
    'paper-joint': (
        KeypointOcclusion,
        dict(target='left_wrist', fill='blur', paper_exact=True),
    ),
    'paper-joint-random': (
        KeypointOcclusion,
        dict(fill='mean', prob=0.8, paper_exact=True),
    ),
    'paper-parts': (
        PartOcclusion,
        dict(target=PARTS, remove_keypoints=True, paper_exact=True),
    ),
    'paper-part-random': (
        PartOcclusion,
        dict(fill='black', remove_keypoints=True, paper_exact=True),
    ),
    'paper-part-random-all': (
        PartOcclusion,
        dict(target='random_all', fill='mean', seed=2, paper_exact=True),
    ),
    'paper-any-target': (
        RandomOcclusion,
        dict(fill='blur', remove_keypoints=True, paper_exact=True),
    ),
    'paper-joints-multi': (
        MultiKeypointOcclusion,
        dict(keypoint_prob=0.8, seed=2, paper_exact=True),
    ),
    'paper-part-mix': (
        PartMix,
        dict(prob=1.0, remove_keypoints=True, paper_exact=True),
    ),
}

ALL_CASES = {**CASES, **PAPER_CASES}

TARGET_CASES = {
    'empty-maps': (EmptyRemovedHeatmaps, {}),
    'empty-maps-lightly': (EmptyRemovedHeatmaps, dict(weight=0.25)),
}
"""Transforms of targets, after ``GenerateTarget``."""


def make(case, **more):
    """The transform of a case, perhaps with other arguments."""
    cls, kwargs = {**ALL_CASES, **TARGET_CASES}[case]
    return cls(**{**kwargs, **more})


def make_black(case):
    """The transform of a case with black paint; for ``PartMix`` the donors'
    images must be black."""
    cls = ALL_CASES[case][0]
    if cls is MultiKeypointOcclusion:
        return make(case, fills=('black',))
    return make(case) if cls is PartMix else make(case, fill='black')
