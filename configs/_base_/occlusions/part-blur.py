# One body part blurred, in half of the crops; the joints keep their labels.
custom_imports = dict(imports=['mmpose_occlusion'])

occlusions = [
    dict(
        type='PartOcclusion',
        target='random',
        fill='blur',
        prob=0.5,
        remove_keypoints=False,
    )
]
