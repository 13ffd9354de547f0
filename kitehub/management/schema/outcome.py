"""How a schema command ends: exit codes, and the error that carries one."""

from collections.abc import Iterable
from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of `manage.py schema`; docs/flyway.md explains them."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    DIFFERS = 3
    REFUSED = 4


class SchemaError(Exception):
    """Why a command did not do what it was asked for, in a line; `details` are more lines."""

    code = Exit.FAILED

    def __init__(self, message: str, details: Iterable[object] = ()) -> None:
        super().__init__(message)
        self.details = [str(detail) for detail in details]


class Refused(SchemaError):
    """The command changed nothing, because it would have been wrong or wasn't confirmed."""

    code = Exit.REFUSED


class WrongVersion(SchemaError):
    """There is no such version."""

    code = Exit.USAGE
