"""Work that is done to see what comes of it, and taken back."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def rehearsal() -> Iterator[None]:
    """A transaction, or a part of one, of which nothing stays: neither rows nor jobs nor locks.

    Raises IntegrityError also for what the database would refuse only at the commit.
    """
    with transaction.atomic():
        yield
        connection.check_constraints()
        transaction.set_rollback(True)
