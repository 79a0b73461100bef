# One body part in the mean colour, in half of the crops; labels are kept.
custom_imports = dict(imports=['mmpose_occlusion'])

occlusions = [
    dict(type='PartOcclusion', fill='mean', prob=0.5),
]
