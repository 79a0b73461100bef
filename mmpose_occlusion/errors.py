"""The error that a command line shows as one sentence."""


class UsageError(ValueError):
    """Something the user can set right: the message says what and how.

    The tools print it alone, without a traceback.
    """
