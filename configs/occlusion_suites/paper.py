# What "Tilting at windmills" attacked: each joint and each body part, blurred
# and cut out.
attacks = [
    'keypoint:*:blur',
    'keypoint:*:black',
    'keypoint:*:mean',
    'part:*:blur',
    'part:*:black',
    'part:*:mean',
]
