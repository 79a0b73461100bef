"""One table of transforms and their arguments; it feeds every property test.

The names are those that AIC, MPII, COCO and COCO-WholeBody share.
"""

from mmpose_occlusion.datasets.transforms import (
    KeypointOcclusion,
    PartOcclusion,
)

JOINTS = ['left_wrist', 'right_ankle', 'left_hip']
PARTS = ['head', 'left_arm', 'corpus']

CASES = {
    'joint-blur': (KeypointOcclusion, dict(target='left_wrist')),
    'joint-huge-blur': (KeypointOcclusion, dict(target='left_hip', radius=60)),
    'joints-mean': (KeypointOcclusion, dict(target=JOINTS, fill='mean')),
    'joints-blur': (KeypointOcclusion, dict(target=JOINTS, radius=24)),
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
        dict(target='left_hip', fill='object', diameter=0.4, seed=3),
    ),
    'joints-control': (
        KeypointOcclusion,
        dict(target=JOINTS, fill='pixelate', radius=9, place='on_person'),
    ),
    'part-control': (
        PartOcclusion,
        dict(target='left_arm', fill='texture', place='off_person'),
    ),
    'parts-noise': (PartOcclusion, dict(target=PARTS, fill='noise')),
    'own-part': (
        PartOcclusion,
        dict(target='hand', parts=dict(hand=['left_wrist', 'left_elbow'])),
    ),
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
}

ALL_CASES = {**CASES, **PAPER_CASES}


def make(case, **more):
    """The transform of a case, perhaps with other arguments."""
    cls, kwargs = ALL_CASES[case]
    return cls(**{**kwargs, **more})
