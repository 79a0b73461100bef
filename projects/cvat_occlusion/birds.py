"""A data set of five joints, as MMPose's metainfo."""

names = ['beak', 'left_wing', 'right_wing', 'left_foot', 'right_foot']
swaps = ['', 'right_wing', 'left_wing', 'right_foot', 'left_foot']
colors = [[0, 128, 255], *[[0, 255, 0], [255, 128, 0]] * 2]
dataset_info = dict(
    dataset_name='birds',
    keypoint_info={
        i: dict(name=name, id=i, color=color, type='', swap=swap)
        for i, (name, color, swap) in enumerate(
            zip(names, colors, swaps, strict=True)
        )
    },
    skeleton_info={},
    joint_weights=[1.0] * 5,
    sigmas=[0.05] * 5,
)
