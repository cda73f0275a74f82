"""The errors that end a job with one message and an exit code, instead of a traceback."""

from opalux.base.exit_codes import BAD_INPUT, FAILURE


class OpaluxError(Exception):
    """What a user is told in one message.

    The message says what was found, what was expected and what to do. Jobs print it alone (no
    traceback) and end with ``exit_code``.
    """

    exit_code = FAILURE


class InputError(OpaluxError, ValueError):
    """Input that cannot be worked with: a configuration, a file, an argument."""

    exit_code = BAD_INPUT


class StorageError(OpaluxError, RuntimeError):
    """Results that cannot be written: the disk is full, a quota is used up, a device fails."""
