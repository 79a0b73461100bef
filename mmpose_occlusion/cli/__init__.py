"""Console commands: occlusion-benchmark, -report and -browse."""
