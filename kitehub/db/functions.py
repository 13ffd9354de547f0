"""Database functions that Django spells differently from the plan."""

from typing import Any

from django.db.models import DateTimeField, Func


class Now(Func):
    """`now()`, the start of the transaction.

    Django's own Now is `statement_timestamp()` and its TransactionNow `CURRENT_TIMESTAMP`; the plan
    says `NOW()`, and the catalog keeps the spelling.
    """

    function = "now"
    template = "%(function)s()"
    arity = 0

    def __init__(self, **extra: Any) -> None:
        super().__init__(output_field=DateTimeField(), **extra)
