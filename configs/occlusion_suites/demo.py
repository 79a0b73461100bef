# Of `make demo`: each joint and each body part, blacked out and blurred.
attacks = [
    'keypoint:*:black',
    'keypoint:*:blur',
    'part:*:black',
    'part:*:blur',
]
