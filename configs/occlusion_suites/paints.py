# One joint of each person, the same in all of them, under the same disc in
# different paints.
attacks = [
    'keypoint:random:blur:24',
    'keypoint:random:black:24',
    'keypoint:random:mean:24',
    'keypoint:random:grey:24',
    'keypoint:random:noise:24',
    'keypoint:random:pixelate:24',
    'keypoint:random:texture:24',
    'keypoint:random:object:24',
    'keypoint:random:donor:24',
]
