"""Writes that failed because somebody else was writing the same."""

import psycopg
from django.db import OperationalError
from psycopg import errors

_STATES = {
    error.sqlstate
    for error in (errors.DeadlockDetected, errors.SerializationFailure, errors.LockNotAvailable)
}


def is_contention(error: BaseException) -> bool:
    """Whether the same write may succeed in a moment: a deadlock, or a lock that others held.

    A closed gate is none, nor is a database that can't be reached.
    """
    cause = error.__cause__
    if not isinstance(error, OperationalError) or not isinstance(cause, psycopg.Error):
        return False
    return cause.sqlstate in _STATES
