"""Benchmarks of MMPose's top-down models, crop by crop."""
