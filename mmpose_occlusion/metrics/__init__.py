"""Measures of poses: arrays in, numbers out; without MMPose.

N, P: instances; K: keypoints. Coordinates are pixels of the image.
"""
