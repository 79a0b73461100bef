"""The one exception that the user sees, without a traceback."""


class SetupError(Exception):
    """What stands in the way and the way out, in one sentence."""
