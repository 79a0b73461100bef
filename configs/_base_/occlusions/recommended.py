# An object over or beside one joint, in half of the crops of the last third of
# the epochs: the config that uses it switches the pipeline there.
#
# Evidence, projects/does_training_help: drawn people, small networks, 12
# epochs, 3 seeds; differences to no occlusion, simultaneous 95 % intervals.
# OKS50 of joints under objects of 20 %: +.060 (+.030 to +.090); in a net half
# as wide +.047 (+.018 to +.076).
# Clean AP: -.005 (-.024 to +.015); in all epochs -.032 (-.054 to -.011).
# Natural occlusion (v = 1), OKS per keypoint: -.008 (-.028 to +.012), no gain.
# Training twice as long without occlusion gains more: clean AP +.108, v = 1
# +.079, under objects +.040 (-.000 to +.080). Train long enough first.
# In 24 epochs, minus 24 without occlusion, this one in the net half as wide:
# under objects +.059 (+.026 to +.091), clean AP -.017 (-.043 to +.008).
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
