# One joint of the person blurred, in half of the crops.
custom_imports = dict(imports=['mmpose_occlusion'])

occlusions = [
    dict(type='KeypointOcclusion', fill='blur', size=6, prob=0.5),
]
