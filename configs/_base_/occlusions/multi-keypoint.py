# Up to five joints, each with probability 0.2, blurred or in the mean colour.
custom_imports = dict(imports=['mmpose_occlusion'])

occlusions = [
    dict(
        type='MultiKeypointOcclusion',
        max_keypoints=5,
        keypoint_prob=0.2,
        size=6,
    ),
]
