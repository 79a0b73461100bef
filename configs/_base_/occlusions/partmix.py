# A part of another person over one part, in half of the crops; labels are
# kept. Wrap the training set in DonorDataset.
custom_imports = dict(imports=['mmpose_occlusion'])

occlusions = [
    dict(type='PartMix', prob=0.5),
]
