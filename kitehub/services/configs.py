"""Instance configs: what they copied from their tier, and their exceptions to it."""

from django.db import connections, transaction

from kitehub.db.acting import acting
from kitehub.tenancy import POOL

# As the plan's tiers were when its application made the copies, whatever KITEHUB_PLANS says today.
_COPIED = {
    "features": {
        "BASIC": '{"engagement": false, "media": false, "premium": false}',
        "STANDARD": '{"engagement": true, "media": true, "premium": false}',
        "PREMIUM": '{"engagement": true, "media": true, "premium": true}',
    },
    "limitations": {
        "BASIC": '{"maxStudents": 50, "maxCourses": 10}',
        "STANDARD": '{"maxStudents": 200, "maxCourses": 50}',
        "PREMIUM": '{"maxStudents": null, "maxCourses": null}',
    },
}


def forget_copies(*, actor: str, using: str = POOL) -> int:
    """Takes out of a database's configs what is the same as their tier's terms; returns how many.

    What an instance may do stays the same, until its tier changes: then all that isn't an exception
    follows. What differs, what no tier has, and what is no object stays.
    """
    with (
        transaction.atomic(using=using),
        acting(actor, "terms copied from the tier", using=using),
        connections[using].cursor() as cursor,
    ):
        cursor.execute(
            f"UPDATE instance_configs SET features = {_kept('features')},"  # noqa: S608 - our own
            f" limitations = {_kept('limitations')}"
            f" WHERE {_has_copies('features')} OR {_has_copies('limitations')}"
        )
        return int(cursor.rowcount)


def _kept(column: str) -> str:
    kept = f"SELECT jsonb_object_agg(key, value) FROM {_pairs(column)} WHERE NOT {_copied(column)}"  # noqa: S608
    return f"CASE WHEN {_has_copies(column)} THEN COALESCE(({kept}), '{{}}') ELSE {column} END"


def _has_copies(column: str) -> str:
    return f"EXISTS (SELECT FROM {_pairs(column)} WHERE {_copied(column)})"


def _pairs(column: str) -> str:
    # One of no pairs where it is no object, which jsonb_each would refuse.
    return f"jsonb_each(CASE jsonb_typeof({column}) WHEN 'object' THEN {column} ELSE '{{}}' END)"


def _copied(column: str) -> str:
    tiers = " ".join(f"WHEN '{tier}' THEN '{said}'" for tier, said in _COPIED[column].items())
    return f"(CASE tier {tiers} END)::jsonb @> jsonb_build_object(key, value)"
