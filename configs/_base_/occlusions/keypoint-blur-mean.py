# One joint blurred and one in the mean colour, each in half of the crops.
custom_imports = dict(imports=['mmpose_occlusion'])

occlusions = [
    dict(type='KeypointOcclusion', fill='blur', size=6, prob=0.5),
    dict(type='KeypointOcclusion', fill='mean', size=6, prob=0.5),
]
