# The reference's change of colours, which it has off in all published
# configs, at its place before the occlusions (after PartMix, if there is
# one); then one joint of the person blurred, in half of the crops.
custom_imports = dict(imports=['projects.tilting_at_windmills.color_jitter'])

occlusions = [
    dict(type='ColorJitter', magnitude=0.05),
    dict(type='KeypointOcclusion', fill='blur', size=6, prob=0.5),
]
