"""What happened to a row, newest first: told by each table that knows a part of it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.utils.translation import gettext

from kitehub.backoffice import history
from kitehub.backoffice.differences import Spelling
from kitehub.backoffice.references import To, address_of, may_view
from kitehub.models import Note

# So many rows has a timeline at most; each table is asked for as many, and one more.
MOST = 200
ASKED = MOST + 1

# What comes first where two things have the same moment.
BEGUN, TOLD, BOOKED, FOLLOWED, SAID = range(5)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    `key` and `rank` put what has the same moment into one order for good. `to` is the row that it
    is about, `actor` who did it and `why` the reason, both in words; `more` is a second line.
    """

    at: datetime
    what: str
    key: str
    icon: str = "circle"
    rank: int = BOOKED
    actor: str = ""
    why: str = ""
    more: str = ""
    to: To | None = None


class Source(NamedTuple):
    """A table that knows of events, and how to ask it; asked for those alone who may view it."""

    model: type[Model]
    events: Callable[[], Iterable[Event]]


class Shown(NamedTuple):
    """An event as the page has it: with the address of its row, where the reader may go there."""

    event: Event
    address: str


class Timeline(NamedTuple):
    """The newest events, and whether there are more than are shown."""

    rows: list[Shown]
    more: bool


def timeline_for(user: Any, sources: Sequence[Source]) -> Timeline:
    """What the sources know, as far as somebody may see it: the newest first, at most `MOST`."""
    told = [
        event for source in sources if may_view(user, source.model) for event in source.events()
    ]
    told.sort(key=lambda event: (event.at, event.rank, event.key), reverse=True)
    rows = [Shown(event, address_of(user, event.to)) for event in told[:MOST]]
    return Timeline(rows, len(told) > MOST)


def log_events(row: Model, spelling: Spelling) -> list[Event]:
    """What staff did to a row through the back office, from the admin's log; at most 3 queries."""
    model = type(row)
    kind = ContentType.objects.get_for_model(model)
    entries = LogEntry.objects.filter(content_type=kind, object_id=str(row.pk))
    newest = entries.select_related("user").order_by("-action_time", "-pk")[:ASKED]
    return [
        Event(
            at=entry.action_time,
            what=" ".join(entry.deeds),  # type: ignore[attr-defined]
            key=f"log:{entry.pk:020}",
            icon="person",
            rank=SAID,
            actor=entry.user.get_username() if entry.user else "",
            why=entry.reason,  # type: ignore[attr-defined]
        )
        for entry in history.read_log(newest, model, spelling)
    ]


def note_events(notes: Iterable[Note]) -> list[Event]:
    """Notes, and where they were withdrawn."""
    found = []
    for note in notes:
        found.append(
            Event(
                at=note.created_at,
                what=gettext("Note"),
                key=f"note:{note.pk}",
                icon="sticky_note_2",
                rank=SAID,
                actor=note.created_by,
                more=gettext("Withdrawn later.") if note.withdrawn_at else note.text,
            )
        )
        if note.withdrawn_at:
            found.append(
                Event(
                    at=note.withdrawn_at,
                    what=gettext("Note withdrawn"),
                    key=f"note:{note.pk}:withdrawn",
                    icon="speaker_notes_off",
                    rank=SAID,
                    actor=note.withdrawn_by or "",
                    why=note.withdrawn_reason or "",
                    more=note.text,
                )
            )
    return found
