"""The errors that end a job with one message and an exit code, instead of a traceback."""

from opalux.base.exit_codes import BAD_INPUT, FAILURE


class OpaluxError(Exception):
    """An error that the user can understand and act on.

    The message says what was found, what was expected and what to do. Jobs print only the message
    (no traceback) and end with ``exit_code``.
    """

    exit_code = FAILURE


class InputError(OpaluxError, ValueError):
    """Wrong input: a configuration, a file, an argument."""

    exit_code = BAD_INPUT


class StorageError(OpaluxError, RuntimeError):
    """Results that cannot be written: the disk is full, a quota is used up, a device fails."""
