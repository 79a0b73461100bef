"""Builds the locked environment of this checkout: ``make env``.

Standard library only, run by whatever Python of at least 3.11 the machine
has; ``run.sh`` finds it.
"""
