"""An object over a joint of half of the people, in the last third of training.

Evidence: projects/does_training_help. Of ten recipes, this one gained most at
joints under objects (OKS50 +.063 [.034, .093]) without a clear loss of clean
AP (-.008 [-.024, .008]); in all epochs it cost .035 AP. None helped naturally
occluded joints. Drawn people and one small net, two seeds: a starting point.
"""

custom_imports = dict(imports=['mmpose_occlusion'])
occlusions = [
    dict(
        type='KeypointOcclusion',
        fill='object',
        size='20%',
        offset=0.5,
        prob=0.5,
    )
]
