# One joint of each person, the same in all of them, under discs that grow to
# 40 % of the height of the person's box.
attacks = [f'keypoint:random:black:{percent}%' for percent in range(5, 45, 5)]
