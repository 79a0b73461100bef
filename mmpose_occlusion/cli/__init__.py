"""Console commands, see setup.cfg."""
