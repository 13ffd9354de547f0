"""Encrypted columns, brought from older keys to the newest."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models, transaction

from kitehub.db.acting import acting
from kitehub.db.secrets import EncryptedField, KeyState, Secret

BATCH = 200


@dataclass(frozen=True)
class EncryptedColumn:
    """A model's encrypted field, softly deleted rows included."""

    model: type[models.Model]
    field: str

    def __str__(self) -> str:
        return f"{self.model._meta.db_table}.{self.field}"

    def count(self) -> Counter[KeyState]:
        """How many rows need which key."""
        return Counter(secret.state for rows in self._batches() for _, secret in rows)

    def rotate(self, *, actor: str) -> int:
        """Encrypts under the newest key what is under an older one; returns how many rows.

        Each batch is a transaction of its own, so a run that was killed goes on where it was. A row
        that somebody else writes at the moment is passed over and waited for at the end, alone, so
        that no deadlock can come of it; each row is looked at again once it is locked, so no
        password written meanwhile is lost.
        """
        count = 0
        busy: set[Any] = set()
        for rows in self._batches():
            older = {key for key, secret in rows if secret.state is KeyState.OLDER}
            renewed, seen = self._renew(older, actor=actor, wait=False)
            count += renewed
            busy |= older - seen
        return count + sum(self._renew({key}, actor=actor, wait=True)[0] for key in busy)

    def _renew(self, keys: Collection[Any], *, actor: str, wait: bool) -> tuple[int, set[Any]]:
        """Renews those of the rows that need it; returns how many, and which could be locked."""
        if not keys:
            return 0, set()
        manager = self.model._base_manager
        with transaction.atomic(), acting(actor, "newest encryption key"):
            rows = list(
                manager.filter(pk__in=keys)
                .only("pk", self.field)
                .order_by("pk")
                .select_for_update(no_key=True, skip_locked=not wait)
            )
            older = [row for row in rows if self._secret(row).state is KeyState.OLDER]
            # Every write of the field goes under the newest key.
            manager.bulk_update(older, [self.field])
        return len(older), {row.pk for row in rows}

    def _secret(self, row: models.Model) -> Secret:
        secret: Secret = getattr(row, self.field)
        return secret

    def _batches(self) -> Iterator[list[tuple[Any, Secret]]]:
        """Key and secret of all rows that have one, a batch at a time, unlocked."""
        rows = self.model._base_manager.exclude(**{self.field: ""}).order_by("pk")
        batch = list(rows.values_list("pk", self.field)[:BATCH])
        while batch:
            yield batch
            batch = list(rows.filter(pk__gt=batch[-1][0]).values_list("pk", self.field)[:BATCH])


def encrypted_columns() -> list[EncryptedColumn]:
    """Every encrypted column of every model."""
    return [
        EncryptedColumn(model, field.name)
        for model in apps.get_models()
        if model._meta.managed and not model._meta.proxy
        for field in model._meta.local_fields
        if isinstance(field, EncryptedField)
    ]
