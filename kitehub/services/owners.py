"""Whose a school is."""

from django.db import transaction

from kitehub.db.acting import acting
from kitehub.models import Instance, User


def change_owner(*, school: Instance, owner: User, actor: str, reason: str) -> None:
    """Gives a school to somebody else, who opens its pages from now on; the one before doesn't.

    `school` is written at the version that it has: raises StaleRow where its row has moved on.
    """
    school.owner = owner
    with transaction.atomic(), acting(actor, reason):
        school.save(update_fields=["owner"])
