"""Events of schools: opened, moved, suspended, closed, and their signs of life."""

from collections.abc import Iterable

from django.utils.translation import gettext

from billing.admin.stored_words import actor_words
from kitehub.backoffice.references import To
from kitehub.backoffice.timeline import ASKED, BEGUN, SAID, Event
from kitehub.models import (
    ApiKey,
    Instance,
    InstanceMove,
    InstanceSuspension,
    Tombstone,
    User,
)


def school_events(school: Instance) -> list[Event]:
    """That it was opened."""
    return [
        Event(
            at=school.created_at,
            what=gettext("School opened"),
            key=f"school:{school.pk}",
            icon="school",
            rank=BEGUN,
            actor=actor_words(school.created_by),
        )
    ]


def owner_events(school: Instance) -> list[Event]:
    """When its owner was here last."""
    owner = school.owner
    if owner is None or owner.last_login is None:
        return []
    return [
        Event(
            at=owner.last_login,
            what=gettext("The owner signed in last"),
            key=f"owner:{owner.pk}",
            icon="login",
            rank=SAID,
            actor=owner.email,
            to=To(User, owner.pk),
        )
    ]


def move_events(school: Instance) -> list[Event]:
    """Moves to another database, as they were begun and as they ended."""
    found = []
    for move in InstanceMove.objects.filter(instance_id=school.pk).order_by("-created_at")[:ASKED]:
        to = To(InstanceMove, move.pk)
        found.append(
            Event(
                at=move.created_at,
                what=gettext("Move to another database begun"),
                key=f"move:{move.pk}:1",
                icon="drive_file_move",
                actor=move.created_by,
                to=to,
            )
        )
        if move.ended_at:
            found.append(
                Event(
                    at=move.ended_at,
                    what=gettext("Move ended: %(step)s") % {"step": move.get_step_display()},
                    key=f"move:{move.pk}:2",
                    icon="drive_file_move",
                    to=to,
                )
            )
    return found


def suspension_events(school: Instance) -> list[Event]:
    """When it was suspended, and when resumed."""
    rows = InstanceSuspension.objects.filter(instance_id=school.pk).order_by("-created_at")
    return [event for row in rows[:ASKED] for event in _suspension(row)]


def _suspension(row: InstanceSuspension) -> Iterable[Event]:
    to = To(InstanceSuspension, row.pk)
    yield Event(
        at=row.created_at,
        what=gettext("Suspended"),
        key=f"suspension:{row.pk}:1",
        icon="block",
        actor=row.created_by,
        why=row.reason,
        to=to,
    )
    if row.resumed_at:
        yield Event(
            at=row.resumed_at,
            what=gettext("Resumed"),
            key=f"suspension:{row.pk}:2",
            icon="play_circle",
            actor=row.resumed_by or "",
            why=row.resume_reason or "",
            to=to,
        )


def tombstone_events(school: Instance) -> list[Event]:
    """That it was closed, that somebody took it back, that its data is gone."""
    rows = Tombstone.objects.filter(instance_id=school.pk).order_by("-requested_at")
    return [event for row in rows[:ASKED] for event in _tombstone(row)]


def _tombstone(row: Tombstone) -> Iterable[Event]:
    to = To(Tombstone, row.pk)
    steps = (
        (row.requested_at, gettext("Closed"), row.requested_by, row.reason),
        (row.canceled_at, gettext("Closing taken back"), row.canceled_by, ""),
        (row.dropped_at, gettext("Data erased"), "", ""),
    )
    for number, (at, what, actor, why) in enumerate(steps):
        if at is not None:
            yield Event(
                at=at,
                what=what,
                key=f"tombstone:{row.pk}:{number}",
                icon="inventory_2",
                actor=actor or "",
                why=why,
                to=to,
            )


def key_events(school: Instance) -> list[Event]:
    """API keys: issued, last used, revoked."""
    rows = ApiKey.objects.filter(instance_id=school.pk).order_by("-created_at")
    return [event for row in rows[:ASKED] for event in _key(row)]


def _key(row: ApiKey) -> Iterable[Event]:
    to, said = To(ApiKey, row.pk), {"name": row.name}
    steps = (
        (row.created_at, gettext("API key “%(name)s” issued"), row.created_by, ""),
        (row.last_used_at, gettext("API key “%(name)s” used last"), "", ""),
        (
            row.revoked_at,
            gettext("API key “%(name)s” revoked"),
            row.revoked_by,
            row.revoked_reason,
        ),
    )
    for number, (at, what, actor, why) in enumerate(steps):
        if at is not None:
            yield Event(
                at=at,
                what=what % said,
                key=f"key:{row.pk}:{number}",
                icon="key",
                actor=actor or "",
                why=why or "",
                to=to,
            )
