"""Constraints that several tables share."""

from django.db.models import CheckConstraint, Q


def deletion_agrees(table: str) -> CheckConstraint:
    """`deleted` and `deleted_at` say the same."""
    return CheckConstraint(
        condition=Q(deleted=True, deleted_at__isnull=False)
        | Q(deleted=False, deleted_at__isnull=True),
        name=f"{table}_deleted_check",
    )
