"""What happens once a period is over and unpaid: the grace ladder, and reminders around the end.

All of it is a function of moments: no database, no clock. Days are Vietnam's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from billing.months import HANOI

# Days before (-) and after the end of a period; each is mailed at this hour of its day.
REMINDERS = (-7, -3, -1, 0, 3)
REMINDER_HOUR = 8


class Step(StrEnum):
    """A step of the ladder, from everything as paid to nothing."""

    CURRENT = "CURRENT"
    WARNED = "WARNED"
    BLOCKED = "BLOCKED"
    SUSPENDED = "SUSPENDED"


@dataclass(frozen=True, slots=True)
class Ladder:
    """After how many days past the end each step begins; the last one ends the subscription."""

    warn: int = 0
    block: int = 3
    suspend: int = 7

    def __post_init__(self) -> None:
        if not 0 <= self.warn <= self.block <= self.suspend:
            raise ValueError("A ladder goes up: 0 <= warn <= block <= suspend, in days.")

    def steps(self) -> tuple[tuple[Step, timedelta], ...]:
        """Each step that comes after the end, with its distance from it."""
        days = (
            (Step.WARNED, self.warn),
            (Step.BLOCKED, self.block),
            (Step.SUSPENDED, self.suspend),
        )
        return tuple((step, timedelta(days=count)) for step, count in days)


@dataclass(frozen=True, slots=True)
class Silence:
    """A time in which the bank's feed said nothing, so that money may have come unseen.

    An end of None: it is still silent.
    """

    starts_at: datetime
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """The step that holds at a moment, and until when; None where nothing says when."""

    step: Step
    until: datetime | None


def stage(
    *,
    period_end: datetime,
    at: datetime,
    silences: Iterable[Silence] = (),
    ladder: Ladder | None = None,
) -> Stage:
    """The step that a subscription which is paid until `period_end` has come to at a moment.

    While the feed is silent the ladder's clock stands still: each step comes later by as much of
    the silence as lies behind the period's end and before the step.
    """
    heard = merged(silences)
    reached = Step.CURRENT
    for step, distance in (ladder or Ladder()).steps():
        begins = reach(period_end, distance, heard)
        if begins is None or at < begins:
            return Stage(reached, begins)
        reached = step
    return Stage(reached, None)


def grace_until(
    period_end: datetime, *, silences: Iterable[Silence] = (), ladder: Ladder | None = None
) -> datetime | None:
    """When the last step begins, so until when a payment still continues from the old end.

    None while a silence that hasn't ended keeps it from coming.
    """
    distance = timedelta(days=(ladder or Ladder()).suspend)
    return reach(period_end, distance, merged(silences))


def reach(start: datetime, distance: timedelta, silences: Sequence[Silence]) -> datetime | None:
    """The moment at which so much time has passed since `start`, the silences not counted.

    `silences` are in order and apart (see `merged`). None where one has no end.
    """
    moment = start + distance
    for silence in silences:
        begins = max(silence.starts_at, start)
        # A step at the very moment at which a silence begins still comes.
        if begins >= moment:
            break
        if silence.ends_at is None:
            return None
        moment += max(silence.ends_at - begins, timedelta(0))
    return moment


def merged(silences: Iterable[Silence]) -> list[Silence]:
    """The same silences in order, those that overlap or touch as one."""
    found: list[Silence] = []
    for silence in sorted(silences, key=lambda each: each.starts_at):
        if silence.ends_at is not None and silence.ends_at <= silence.starts_at:
            continue
        last = found[-1] if found else None
        if last is None or (last.ends_at is not None and last.ends_at < silence.starts_at):
            found.append(silence)
        elif last.ends_at is not None:
            ends = None if silence.ends_at is None else max(last.ends_at, silence.ends_at)
            found[-1] = Silence(last.starts_at, ends)
    return found


@dataclass(frozen=True, slots=True)
class Reminder:
    """A mail about the end of a period, so many days before (-) or after it."""

    days: int
    due_at: datetime
    period_end: datetime

    @property
    def key(self) -> str:
        """The same for the same mail, so that it is sent once: the reason and the period's end."""
        return f"renewal{self.days:+d}:{self.period_end.astimezone(UTC).isoformat()}"


def due_reminders(period_end: datetime, since: datetime, until: datetime) -> list[Reminder]:
    """The reminders that became due after `since` and up to `until`, the earliest first.

    Windows that follow each other give together what one window over all of them gives, so a late
    run sends what the daily ones would have.
    """
    day = period_end.astimezone(HANOI).date()
    found = []
    for days in REMINDERS:
        morning = datetime.combine(day + timedelta(days=days), time(REMINDER_HOUR), HANOI)
        due_at = morning.astimezone(UTC)
        if since < due_at <= until:
            found.append(Reminder(days, due_at, period_end))
    return found
