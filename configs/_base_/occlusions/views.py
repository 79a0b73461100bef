# Views of each crop for contrastive training: one joint hidden, and one body
# part. (For PartMix wrap the training set in DonorDataset as well.)
custom_imports = dict(
    imports=['projects.tilting_at_windmills.contrastive_views']
)

occlusion_views = dict(
    keypoint_view=[dict(type='KeypointOcclusion', fill='blur', size=6)],
    part_view=[dict(type='PartOcclusion', fill='blur')],
)
