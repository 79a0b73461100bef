# One body part in the mean colour, in half of the crops; the joints under it
# lose their labels.
custom_imports = dict(imports=['mmpose_occlusion'])

occlusions = [
    dict(type='PartOcclusion', fill='mean', remove_keypoints=True, prob=0.5),
]
