"""Errors that a command line shows as one sentence."""


class UsageError(ValueError):
    """Something the user can set right: the message says what and how.

    The tools print it alone, without a traceback, and exit with 2.
    """


class DataError(UsageError):
    """A file whose content cannot be used; the tools exit with 1."""
