# Each joint hidden; and, as controls, the same area painted at another place
# of the person, and off the person. What hiding the joint costs is what the
# first costs more than the others.
attacks = [
    'keypoint:*:black:24',
    'keypoint:*:black:24:on_person',
    'keypoint:*:black:24:off_person',
]
