"""Configs of trainings and tests: reading, checking and changing them."""
