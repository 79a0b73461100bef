# One body part blurred, in half of the crops; its joints keep their labels.
custom_imports = dict(imports=['mmpose_occlusion'])

occlusions = [
    dict(type='PartOcclusion', fill='blur', prob=0.5),
]
