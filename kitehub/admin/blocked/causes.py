"""Why a school is blocked, as a function of facts and a moment: no database, no clock, no words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

from billing.dunning import Ladder, Silence, Step, stage
from billing.enums import SubscriptionStatus
from kitehub.db.gates import GateReason
from kitehub.entitlements import Entitlement
from kitehub.enums import EntitlementReason, InstanceStatus, MoveStep
from kitehub.plans import STORAGE


class Effect(IntEnum):
    """What a cause does to a school, the mildest first."""

    NOTE = 0
    LIMITED = 1
    READ_ONLY = 2
    CLOSED = 3


class Kind(StrEnum):
    """What blocks a school, or soon will."""

    DATA_GONE = "DATA_GONE"
    DATA_GOING = "DATA_GOING"
    CLOSING = "CLOSING"
    DELETED = "DELETED"
    CLOSED_BY_HAND = "CLOSED_BY_HAND"
    SUSPENDED = "SUSPENDED"
    UNREACHABLE = "UNREACHABLE"
    UNFINISHED = "UNFINISHED"
    MOVING = "MOVING"
    MOVE_UNFINISHED = "MOVE_UNFINISHED"
    GATE_SUSPENDED = "GATE_SUSPENDED"
    GATE_MOVED = "GATE_MOVED"
    NO_SUBSCRIPTION = "NO_SUBSCRIPTION"
    PAUSED = "PAUSED"
    TRIAL = "TRIAL"
    TRIAL_ENDED = "TRIAL_ENDED"
    WARNED = "WARNED"
    BLOCKED = "BLOCKED"
    GRACE_OVER = "GRACE_OVER"
    EXPIRED = "EXPIRED"
    CANCELED = "CANCELED"
    CANCELED_OVER = "CANCELED_OVER"
    STORAGE_FULL = "STORAGE_FULL"
    TIER_LIMITS = "TIER_LIMITS"
    EXCEPTION = "EXCEPTION"
    NO_LIVE_KEY = "NO_LIVE_KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One of the reasons. At `next_at` it changes by itself; None where only people change it."""

    kind: Kind
    effect: Effect
    next_at: datetime | None = None


# What a cause comes to at its next date, where that is more than it does now.
_BECOMES = {
    Kind.TRIAL: Effect.CLOSED,
    Kind.WARNED: Effect.READ_ONLY,
    Kind.BLOCKED: Effect.CLOSED,
    Kind.CANCELED: Effect.CLOSED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """A tombstone that wasn't cancelled."""

    due: datetime
    erasing: bool = False
    dropped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A subscription. `pause_ends` counts only where it is paused, and None is no end."""

    status: SubscriptionStatus
    period_end: datetime
    trial_end: datetime | None = None
    tried: bool = False
    paused: bool = False
    pause_ends: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a school. `gates` and `features` are None where nobody could look."""

    status: InstanceStatus
    deleted: bool = False
    closing: Closing | None = None
    suspended: bool = False
    reachable: bool = True
    whole: bool = True
    move: MoveStep | None = None
    gates: Mapping[GateReason, datetime | None] | None = None
    terms: Terms | None = None
    ladder: Ladder = field(default_factory=Ladder)
    silences: Sequence[Silence] = ()
    features: Mapping[str, Entitlement] | None = None
    live_keys: int = 1


def causes(facts: Facts, *, at: datetime) -> list[Cause]:
    """Why a school is blocked at a moment, or will be; what blocks most comes first.

    All causes are told, also those behind a worse one: they are what is left once that is over.
    """
    found = [*_of_the_instance(facts), *_of_its_database(facts, at)]
    found += _of_its_terms(facts, at)
    found += _of_its_features(facts)
    return sorted(found, key=lambda cause: -cause.effect)


def worst(found: Sequence[Cause]) -> Effect:
    """What the causes do to the school together."""
    return max((cause.effect for cause in found), default=Effect.NOTE)


def tells_news(cause: Cause, found: Sequence[Cause]) -> bool:
    """Whether a school is another at the cause's next date: nothing is blocked a second time."""
    becomes = _BECOMES.get(cause.kind)
    return cause.next_at is not None and (becomes is None or becomes > worst(found))


def next_change(found: Sequence[Cause]) -> Cause | None:
    """The cause that is the first to change by itself."""
    dated = [cause for cause in found if tells_news(cause, found)]
    return min(dated, key=lambda cause: cause.next_at, default=None)  # type: ignore[arg-type,return-value]


# --- Parts --------------------------------------------------------------------------------------


def _of_the_instance(facts: Facts) -> Iterator[Cause]:
    if facts.closing is not None:
        if facts.closing.dropped:
            yield _closed(Kind.DATA_GONE)
        elif facts.closing.erasing:
            yield _closed(Kind.DATA_GOING)
        else:
            yield _closed(Kind.CLOSING, facts.closing.due)
    elif facts.deleted:
        yield _closed(Kind.DELETED)
    if facts.status == InstanceStatus.CLOSED:
        yield _closed(Kind.CLOSED_BY_HAND)
    if facts.suspended or facts.status == InstanceStatus.SUSPENDED:
        yield _closed(Kind.SUSPENDED)


def _of_its_database(facts: Facts, at: datetime) -> Iterator[Cause]:
    if facts.deleted:
        return
    if not facts.reachable:
        yield _closed(Kind.UNREACHABLE)
    elif not facts.whole:
        yield Cause(kind=Kind.UNFINISHED, effect=Effect.LIMITED)
    shut = {
        reason: expires
        for reason, expires in (facts.gates or {}).items()
        if expires is None or expires > at
    }
    if GateReason.MOVING in shut:
        yield Cause(kind=Kind.MOVING, effect=Effect.READ_ONLY, next_at=shut.get(GateReason.MOVING))
    elif facts.move is not None:
        yield Cause(kind=Kind.MOVE_UNFINISHED, effect=Effect.NOTE)
    if GateReason.MOVED in shut:
        yield Cause(kind=Kind.GATE_MOVED, effect=Effect.READ_ONLY)
    if GateReason.SUSPENDED in shut and not facts.suspended:
        yield Cause(kind=Kind.GATE_SUSPENDED, effect=Effect.READ_ONLY)


def _of_its_terms(facts: Facts, at: datetime) -> Iterator[Cause]:
    """As docs/subscriptions.md says of each state, by the clock, for the job may be late."""
    terms = facts.terms
    if terms is None:
        yield _closed(Kind.NO_SUBSCRIPTION)
        return
    if terms.paused:
        yield _closed(Kind.PAUSED, terms.pause_ends)
        return
    match terms.status:
        case SubscriptionStatus.TRIAL:
            end = terms.trial_end or terms.period_end
            yield _until(end, at, Kind.TRIAL, Kind.TRIAL_ENDED)
        case SubscriptionStatus.CANCELED:
            yield _until(terms.period_end, at, Kind.CANCELED, Kind.CANCELED_OVER)
        case SubscriptionStatus.ACTIVE | SubscriptionStatus.PAST_DUE:
            if terms.status == SubscriptionStatus.ACTIVE and at < terms.period_end:
                return
            if terms.status == SubscriptionStatus.ACTIVE and terms.tried:
                yield _closed(Kind.TRIAL_ENDED)
            else:
                yield from _unpaid(facts, terms, at)
        case _:
            yield _closed(Kind.TRIAL_ENDED if terms.tried else Kind.EXPIRED)


def _unpaid(facts: Facts, terms: Terms, at: datetime) -> Iterator[Cause]:
    now = stage(period_end=terms.period_end, at=at, silences=facts.silences, ladder=facts.ladder)
    match now.step:
        case Step.WARNED:
            yield Cause(kind=Kind.WARNED, effect=Effect.NOTE, next_at=now.until)
        case Step.BLOCKED:
            yield Cause(kind=Kind.BLOCKED, effect=Effect.READ_ONLY, next_at=now.until)
        case Step.SUSPENDED:
            yield _closed(Kind.GRACE_OVER)


def _of_its_features(facts: Facts) -> Iterator[Cause]:
    features = facts.features or {}
    storage = features.get(STORAGE)
    if storage and storage.limit and (storage.used or 0) >= storage.limit:
        yield Cause(kind=Kind.STORAGE_FULL, effect=Effect.LIMITED)
    off = {feature.reason for feature in features.values() if not feature.access}
    if EntitlementReason.TIER in off:
        yield Cause(kind=Kind.TIER_LIMITS, effect=Effect.LIMITED)
    if EntitlementReason.OVERRIDE in off:
        yield Cause(kind=Kind.EXCEPTION, effect=Effect.LIMITED)
    if not facts.live_keys and not facts.deleted:
        yield Cause(kind=Kind.NO_LIVE_KEY, effect=Effect.LIMITED)


def _closed(kind: Kind, next_at: datetime | None = None) -> Cause:
    return Cause(kind=kind, effect=Effect.CLOSED, next_at=next_at)


def _until(end: datetime, at: datetime, before: Kind, after: Kind) -> Cause:
    if at < end:
        return Cause(kind=before, effect=Effect.NOTE, next_at=end)
    return _closed(after)
