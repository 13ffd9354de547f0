"""Whose a school is."""

from django.conf import settings
from django.db import transaction

from kitehub.db.acting import acting
from kitehub.models import Instance, User
from kitehub.services import emails

RECEIVED, HANDED_OVER = "school_received", "school_handed_over"


class OwnsItAlready(Exception):
    """The school is this person's."""


def change_owner(*, school: Instance, owner: User, actor: str, reason: str) -> None:
    """Gives a school to somebody else, who opens its pages from now on; the one before doesn't.

    Both are told by mail. `school` is written at the version that it has: raises StaleRow where its
    row has moved on, and OwnsItAlready for its owner.
    """
    before = school.owner
    if before is not None and before.pk == owner.pk:
        raise OwnsItAlready
    school.owner = owner
    with transaction.atomic(), acting(actor, reason):
        school.save(update_fields=["owner"])
        _tell(school, owner, RECEIVED)
        if before is not None:
            _tell(school, before, HANDED_OVER)


def _tell(school: Instance, person: User, template: str) -> None:
    """Asks for a mail about the change that made this version of the school."""
    emails.queue(
        to=person.email,
        reason=f"owner:{school.pk}:{school.version}",
        template=template,
        context={
            "school": school.organization_name,
            "subdomain": school.subdomain,
            "address": person.email,
            "contact": settings.KITEHUB_SELLER_CONTACT,
        },
        language=person.mail_language,
        instance=school,
    )
