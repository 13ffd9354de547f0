"""A subscription's history says what the subscription says."""

from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

from billing.models import Subscription, SubscriptionHistory
from kitehub.db.invariants import Finding, invariant, rows


@invariant("billing.Subscription", "billing.SubscriptionHistory")
def history(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """The latest history of a subscription says what the subscription says."""
    names = _tracked()
    own, last = (", ".join(f"{each}.{name}" for name in names) for each in ("own", "last"))
    count, found = rows(
        connection,
        f"SELECT own.id, last.id IS NULL, {own},"  # noqa: S608 - names of columns
        f" {', '.join(f'last.{name} AS last_{name}' for name in names)}"
        " FROM subscriptions own LEFT JOIN LATERAL ("
        "     SELECT * FROM subscription_history"
        "     WHERE subscription_id = own.id ORDER BY changed_at DESC LIMIT 1"
        f" ) last ON true WHERE ({own}) IS DISTINCT FROM ({last})",
    )
    if count:
        lines = tuple(_line(names, *row) for row in found)
        yield Finding("subscriptions", "the latest history says something else", count, lines)


@invariant("billing.Subscription", "billing.SubscriptionHistory")
def orphans(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """History is of a subscription that is there."""
    count, found = rows(
        connection,
        "SELECT id, subscription_id FROM subscription_history last WHERE NOT EXISTS"
        " (SELECT FROM subscriptions own WHERE own.id = last.subscription_id)",
    )
    if count:
        lines = tuple(f"{pk} -> {gone}" for pk, gone in found)
        yield Finding("subscription_history", "the subscription is gone", count, lines)


def _tracked() -> list[str]:
    """The columns that a subscription and its history share."""
    kept = {field.attname for field in SubscriptionHistory._meta.local_fields}
    own = (field.attname for field in Subscription._meta.local_fields if not field.primary_key)
    return [name for name in own if name in kept]


def _line(names: list[str], pk: object, missing: bool, *values: object) -> str:
    if missing:
        return f"{pk}: no history"
    pairs = zip(names, values[: len(names)], values[len(names) :], strict=True)
    differences = [f"{name} {own} (history: {last})" for name, own, last in pairs if own != last]
    return f"{pk}: {', '.join(differences)}"
