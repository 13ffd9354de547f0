"""Work that is done to see what comes of it, and taken back."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction


@contextmanager
def rehearsal() -> Iterator[None]:
    """A transaction, or a part of one, of which nothing stays: neither rows nor jobs nor locks."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
