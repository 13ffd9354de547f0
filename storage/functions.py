"""What the database fills in by itself where a writer of storage events says nothing."""

from typing import Any

from django.db.models import CharField, Func


class Actor(Func):
    """Who acts, as told by `acting`; outside of it `db:` and the database's role."""

    template = "COALESCE(NULLIF(current_setting('kitehub.actor', true), ''), 'db:' || current_user)"
    arity = 0

    def __init__(self, **extra: Any) -> None:
        super().__init__(output_field=CharField(), **extra)


class Reason(Func):
    """Why, as told by `acting`; outside of it nothing."""

    template = "NULLIF(current_setting('kitehub.reason', true), '')"
    arity = 0

    def __init__(self, **extra: Any) -> None:
        super().__init__(output_field=CharField(), **extra)
