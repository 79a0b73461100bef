# An object over or beside one joint, in half of the crops of the last third of
# the epochs: the config that uses it switches the pipeline there.
#
# Evidence, projects/does_training_help: drawn people, one small network, 12
# epochs, 2 seeds; differences to no occlusion, simultaneous 95 % intervals.
# OKS50 of joints under objects of 20 %: +.065 (+.035 to +.094); in a net half
# as wide +.048 (+.011 to +.085).
# Clean AP: -.005 (-.027 to +.018); in all epochs -.032 (-.056 to -.008).
# Natural occlusion (v = 1), OKS per keypoint: -.005 (-.024 to +.015), no gain.
# Training twice as long without occlusion gains more: clean AP +.113, v = 1
# +.087, under objects +.050. Train long enough first.
custom_imports = dict(imports=['mmpose_occlusion'])

occlusions = [
    dict(
        type='KeypointOcclusion',
        fill='object',
        offset=0.5,
        size='20%',
        prob=0.5,
    )
]
