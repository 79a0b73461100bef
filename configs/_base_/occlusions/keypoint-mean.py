# One joint of the person in the mean colour, in half of the crops.
custom_imports = dict(imports=['mmpose_occlusion'])

occlusions = [
    dict(type='KeypointOcclusion', fill='mean', size=6, prob=0.5),
]
