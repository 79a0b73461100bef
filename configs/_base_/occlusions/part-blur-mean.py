# One part blurred and one in the mean colour, each in half of the crops;
# labels are kept.
custom_imports = dict(imports=['mmpose_occlusion'])

occlusions = [
    dict(type='PartOcclusion', fill='blur', prob=0.5),
    dict(type='PartOcclusion', fill='mean', prob=0.5),
]
