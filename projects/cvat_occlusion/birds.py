"""A data set of five joints, as MMPose's metainfo."""

dataset_info = dict(
    dataset_name='birds',
    keypoint_info={
        0: dict(name='beak', id=0, color=[0, 128, 255], type='', swap=''),
        1: dict(
            name='left_wing',
            id=1,
            color=[0, 255, 0],
            type='',
            swap='right_wing',
        ),
        2: dict(
            name='right_wing',
            id=2,
            color=[255, 128, 0],
            type='',
            swap='left_wing',
        ),
        3: dict(
            name='left_foot',
            id=3,
            color=[0, 255, 0],
            type='',
            swap='right_foot',
        ),
        4: dict(
            name='right_foot',
            id=4,
            color=[255, 128, 0],
            type='',
            swap='left_foot',
        ),
    },
    skeleton_info={},
    joint_weights=[1.0] * 5,
    sigmas=[0.05] * 5,
)
