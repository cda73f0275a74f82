"""Locks on open files, which the system gives up when their process dies."""

import fcntl


def try_lock(handle: int, *, shared: bool = False) -> bool:
    """Return whether the lock of an open file could be taken without waiting.

    On a file system without locks there is nothing to take, and everybody may go on.
    """
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True
