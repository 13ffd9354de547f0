"""Database functions that Django spells differently from the plan."""

from typing import Any

from django.db.models import CharField, DateTimeField, Func


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


class Sha256(Func):
    """The SHA-256 of a text in UTF-8, in hexadecimal; Django's own wants an extension."""

    template = "encode(sha256(convert_to(%(expressions)s, 'UTF8')), 'hex')"
    arity = 1

    def __init__(self, *expressions: Any, **extra: Any) -> None:
        super().__init__(*expressions, output_field=CharField(), **extra)
