"""A block in words: what it is, the evidence, what comes next by itself, and what would help."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext, gettext_lazy

from billing.models import FeedSilence, PaymentOrder, Subscription, SubscriptionAdjustment
from billing.portal.plan_words import feature_words
from billing.services.grace import ladder
from kitehub.admin.blocked.causes import Cause, Effect, Facts, Kind
from kitehub.admin.blocked.facts import Evidence
from kitehub.backoffice.dialogs import Line
from kitehub.backoffice.references import To, address_of, list_address, may_view
from kitehub.db.gates import GateReason
from kitehub.display import money, size
from kitehub.enums import EntitlementReason
from kitehub.models import (
    ApiKey,
    Instance,
    InstanceConfig,
    InstanceGate,
    InstanceMove,
    InstanceSuspension,
    InstanceWatch,
    Tombstone,
)
from kitehub.plans import STORAGE
from storage.models import StorageUsage

_Lines = Callable[[Facts, Evidence], Iterator[Line]]

VERDICTS = {
    Effect.CLOSED: gettext_lazy("Blocked: nothing of it may be used."),
    Effect.READ_ONLY: gettext_lazy("Blocked in part: what is there can be used, nothing changed."),
    Effect.LIMITED: gettext_lazy("Not blocked, but not all of it can be used."),
    Effect.NOTE: gettext_lazy("Not blocked."),
}
EFFECTS = {
    Effect.CLOSED: (gettext_lazy("Blocks everything"), "danger"),
    Effect.READ_ONLY: (gettext_lazy("Blocks changes"), "warning"),
    Effect.LIMITED: (gettext_lazy("Limits it"), "info"),
    Effect.NOTE: (gettext_lazy("Blocks nothing yet"), "success"),
}


@dataclass(frozen=True)
class Said:
    """What is said of a kind of cause: its title, what helps, and what happens at its next date."""

    title: Any
    helps: Any
    then: Any = ""


SAID = {
    Kind.DATA_GONE: Said(
        gettext_lazy("The school was closed, and its data is gone"),
        gettext_lazy("Only its archive has the data: import it with manage.py import_instance."),
    ),
    Kind.DATA_GOING: Said(
        gettext_lazy("The school was closed, and its data is going at this moment"),
        gettext_lazy("It is too late to open it again; its archive has all of the data."),
    ),
    Kind.CLOSING: Said(
        gettext_lazy("The school was closed"),
        gettext_lazy(
            "Choose “Open again” under “More” on the school's page, while its data is there."
        ),
        gettext_lazy("its data goes for good"),
    ),
    Kind.DELETED: Said(
        gettext_lazy("The school's row is deleted"), gettext_lazy("Restore the row.")
    ),
    Kind.CLOSED_BY_HAND: Said(
        gettext_lazy("The school's status is “Closed”"),
        gettext_lazy(
            "No action here closes a school in this way or opens it again: an engineer sets its "
            "status in manage.py shell."
        ),
    ),
    Kind.SUSPENDED: Said(
        gettext_lazy("The school is suspended"),
        gettext_lazy("Choose “Resume” under “More” on the school's page."),
    ),
    Kind.UNREACHABLE: Said(
        gettext_lazy("The school's database can't be reached"),
        gettext_lazy(
            "Mend the server or its address; nothing else of the school works until then."
        ),
    ),
    Kind.UNFINISHED: Said(
        gettext_lazy("The opening of the school isn't finished"),
        gettext_lazy("Choose “Finish opening” under “More” on the school's page."),
    ),
    Kind.MOVING: Said(
        gettext_lazy("The school is being moved, and its writes are refused for a moment"),
        gettext_lazy("Wait. If the move was cut short, go on with it or abort it."),
        gettext_lazy("its writes are let in again by themselves"),
    ),
    Kind.MOVE_UNFINISHED: Said(
        gettext_lazy("A move of the school isn't finished"),
        gettext_lazy("Go on with the move, or abort it."),
    ),
    Kind.GATE_SUSPENDED: Said(
        gettext_lazy("Its database still refuses writes, though the school isn't suspended"),
        gettext_lazy("Resume it once more, which tells the database again."),
    ),
    Kind.GATE_MOVED: Said(
        gettext_lazy("Its database says that the school has moved away"),
        gettext_lazy("Its address is out of date: look at its last move, and finish it."),
    ),
    Kind.NO_SUBSCRIPTION: Said(
        gettext_lazy("The school has no subscription"),
        gettext_lazy("Open an order for its first period."),
    ),
    Kind.PAUSED: Said(
        gettext_lazy("The subscription is paused"),
        gettext_lazy("Choose “End the pause” on the subscription's page."),
        gettext_lazy("the pause ends"),
    ),
    Kind.TRIAL: Said(
        gettext_lazy("The school is on its trial"),
        gettext_lazy("Nothing to do until it ends; a payment continues from there."),
        gettext_lazy("the trial ends and everything is blocked"),
    ),
    Kind.TRIAL_ENDED: Said(
        gettext_lazy("The trial is over, and nothing was paid"),
        gettext_lazy("A paid period, or days given on the subscription's page."),
    ),
    Kind.WARNED: Said(
        gettext_lazy("The subscription is past due; nothing is blocked yet"),
        gettext_lazy("A payment for the next period, or days given on the subscription's page."),
        gettext_lazy("changes are blocked"),
    ),
    Kind.BLOCKED: Said(
        gettext_lazy("The subscription is past due, and changes are blocked"),
        gettext_lazy("A payment for the next period, or days given on the subscription's page."),
        gettext_lazy("the subscription ends and everything is blocked"),
    ),
    Kind.GRACE_OVER: Said(
        gettext_lazy("The subscription is past due, and its grace is over"),
        gettext_lazy("A paid period."),
    ),
    Kind.EXPIRED: Said(gettext_lazy("The subscription has ended"), gettext_lazy("A paid period.")),
    Kind.CANCELED: Said(
        gettext_lazy("The subscription is cancelled, and goes on to the end of what is paid"),
        gettext_lazy("Choose “Undo the cancellation” on the subscription's page, before it ends."),
        gettext_lazy("everything is blocked"),
    ),
    Kind.CANCELED_OVER: Said(
        gettext_lazy("The subscription was cancelled, and what was paid is over"),
        gettext_lazy("A paid period."),
    ),
    Kind.STORAGE_FULL: Said(
        gettext_lazy("The storage is full: uploads are refused"),
        gettext_lazy("Files deleted by the school, a higher tier, or an exception to the limit."),
    ),
    Kind.TIER_LIMITS: Said(
        gettext_lazy("Its tier hasn't all features"), gettext_lazy("A higher tier.")
    ),
    Kind.EXCEPTION: Said(
        gettext_lazy("An exception in its config takes something away"),
        gettext_lazy("Take the exception out of the instance's config."),
    ),
    Kind.NO_LIVE_KEY: Said(
        gettext_lazy("None of its API keys is live: its programs are refused"),
        gettext_lazy("Issue a key, or rotate one."),
    ),
}
_LIMITS = {
    "maxStudents": gettext_lazy("Students"),
    "maxCourses": gettext_lazy("Courses"),
    STORAGE: gettext_lazy("Storage"),
}
_OF_THE_TRIAL = {Kind.TRIAL, Kind.TRIAL_ENDED}
_OF_THE_TERMS = {
    *(Kind.PAUSED, Kind.WARNED, Kind.BLOCKED, Kind.GRACE_OVER, Kind.EXPIRED),
    *(Kind.CANCELED, Kind.CANCELED_OVER, *_OF_THE_TRIAL),
}
_TO_BE_PAID = _OF_THE_TERMS - {Kind.PAUSED, Kind.CANCELED}


def evidence_of(cause: Cause, facts: Facts, known: Evidence, user: Any) -> list[Line]:
    """The rows, dates and people that a cause rests on, as far as the reader may see them."""
    return [
        line
        for model, lines in _EVIDENCE.get(cause.kind, ())
        if may_view(user, model)
        for line in lines(facts, known)
    ]


def links_of(cause: Cause, known: Evidence, user: Any) -> list[tuple[str, str]]:
    """Where what would help is done, for who may look there: words and an address."""
    return [link for link in _links(cause, known, user) if link[1]]


def _links(cause: Cause, known: Evidence, user: Any) -> Iterator[tuple[str, str]]:
    """The same, with an empty address for what the reader may not see."""
    school = known.instance
    match cause.kind:
        case Kind.DATA_GONE | Kind.DATA_GOING:
            if known.tombstone:
                to = To(Tombstone, known.tombstone.pk)
                yield gettext("Closed school"), address_of(user, to)
        case Kind.MOVING | Kind.MOVE_UNFINISHED | Kind.GATE_MOVED:
            yield gettext("Move"), reverse("admin:kitehub_instance_work", args=[school.pk])
        case Kind.EXCEPTION:
            found = {"q": school.subdomain}
            yield gettext("Instance config"), list_address(user, InstanceConfig, found)
        case Kind.NO_LIVE_KEY:
            yield gettext("API keys"), list_address(user, ApiKey, {"q": school.subdomain})
        case kind if kind in _OF_THE_TERMS and known.subscription:
            to = To(Subscription, known.subscription.pk)
            yield gettext("Subscription"), address_of(user, to)
        case _:
            yield gettext("Instance"), address_of(user, To(Instance, school.pk))
    if cause.kind in _TO_BE_PAID and known.open_order:
        said = gettext("Open order %(code)s") % {"code": known.open_order.order_id}
        yield said, address_of(user, To(PaymentOrder, known.open_order.pk))


def feature_name(name: str) -> str:
    """A feature or limitation as people call it."""
    return str(_LIMITS.get(name) or feature_words(name))


def moment(at: datetime | None) -> str:
    """A moment as people read it, in Vietnamese time; a dash for none."""
    return formats.date_format(timezone.localtime(at), "DATETIME_FORMAT") if at else "–"


# --- Evidence -----------------------------------------------------------------------------------


def _suspension(facts: Facts, known: Evidence) -> Iterator[Line]:
    row = known.suspension
    if row is None:
        yield Line(gettext("Suspension"), gettext("none is on record: the status was set by hand"))
        return
    yield Line(gettext("Since"), moment(row.created_at))
    yield Line(gettext("By"), row.created_by)
    yield Line(gettext("Reason"), row.reason or "–")


def _tombstone(facts: Facts, known: Evidence) -> Iterator[Line]:
    row = known.tombstone
    if row is None:
        return
    yield Line(gettext("Closed at"), moment(row.requested_at))
    yield Line(gettext("By"), row.requested_by)
    yield Line(gettext("Reason"), row.reason or "–")
    yield Line(gettext("Archive"), row.archive_path)
    if row.dropped_at:
        yield Line(gettext("Data gone at"), moment(row.dropped_at))


def _deletion(facts: Facts, known: Evidence) -> Iterator[Line]:
    yield Line(gettext("Deleted at"), moment(known.instance.deleted_at))
    yield Line(gettext("Last changed by"), known.instance.updated_by or "–")


def _status(facts: Facts, known: Evidence) -> Iterator[Line]:
    yield Line(gettext("Status"), known.instance.get_status_display())
    yield Line(gettext("Last changed by"), known.instance.updated_by or "–")
    yield Line(gettext("Last changed at"), moment(known.instance.updated_at))


def _error(facts: Facts, known: Evidence) -> Iterator[Line]:
    yield Line(gettext("Error"), known.error)
    if known.watch and known.watch.reached_at:
        yield Line(gettext("Last reached at"), moment(known.watch.reached_at))


def _move(facts: Facts, known: Evidence) -> Iterator[Line]:
    row = known.move
    if row is not None:
        yield Line(gettext("Step"), row.get_step_display())
        yield Line(gettext("Begun at"), moment(row.created_at))
        yield Line(gettext("By"), row.created_by)


def _gates(facts: Facts, known: Evidence) -> Iterator[Line]:
    for reason, expires in (facts.gates or {}).items():
        until = moment(expires) if expires else gettext("until somebody opens it")
        yield Line(gettext("Write gate: %(why)s") % {"why": GateReason(reason).label}, until)


def _terms(facts: Facts, known: Evidence) -> Iterator[Line]:
    row = known.subscription
    if row is None:
        return
    yield Line(gettext("Status of the subscription"), row.get_status_display())
    yield Line(gettext("Paid or tried until"), moment(row.current_period_end))
    if row.canceled_at:
        yield Line(gettext("Cancelled at"), moment(row.canceled_at))


def _trial(facts: Facts, known: Evidence) -> Iterator[Line]:
    yield Line(gettext("Trial begun at"), moment(known.instance.trial_started_at))
    row = known.subscription
    yield Line(gettext("Trial ends at"), moment(row.trial_end if row else None))


def _pause(facts: Facts, known: Evidence) -> Iterator[Line]:
    row = known.pause
    if row is not None:
        yield Line(gettext("Paused since"), moment(row.starts_at))
        yield Line(gettext("By"), row.created_by)
        yield Line(gettext("Reason"), row.reason)


def _grace(facts: Facts, known: Evidence) -> Iterator[Line]:
    steps = ladder()
    yield Line(
        gettext("Grace"),
        gettext("changes blocked after %(block)s days, everything after %(suspend)s")
        % {"block": steps.block, "suspend": steps.suspend},
    )


def _silence(facts: Facts, known: Evidence) -> Iterator[Line]:
    if facts.silences:
        yield Line(
            gettext("Bank feed"),
            gettext("it was silent meanwhile, which makes the grace longer"),
            warns=True,
        )


def _order(facts: Facts, known: Evidence) -> Iterator[Line]:
    row = known.open_order
    if row is None:
        yield Line(gettext("Open order"), gettext("none"))
        return
    said = gettext("%(code)s, %(amount)s, valid until %(end)s")
    yield Line(
        gettext("Open order"),
        said % {"code": row.order_id, "amount": money(row.rest), "end": moment(row.expires_at)},
    )


def _storage(facts: Facts, known: Evidence) -> Iterator[Line]:
    found = (facts.features or {}).get(STORAGE)
    if found:
        yield Line(gettext("Used"), size(found.used or 0))
        yield Line(gettext("Limit"), size(found.limit))


def _off(reason: EntitlementReason) -> _Lines:
    def lines(facts: Facts, known: Evidence) -> Iterator[Line]:
        features = facts.features or {}
        names = [name for name, it in features.items() if not it.access and it.reason == reason]
        yield Line(gettext("Tier"), known.instance.get_tier_display())
        yield Line(gettext("Not allowed"), ", ".join(map(feature_name, names)))

    return lines


# Each part with the table whose readers are told of it.
_CLOSING = ((Tombstone, _tombstone),)
_TERMS, _TRIAL = (Subscription, _terms), (Subscription, _trial)
_MOVE, _GATES = (InstanceMove, _move), (InstanceGate, _gates)
_ORDER = (PaymentOrder, _order)
_PAID = (_TERMS, _ORDER)
_PAST_DUE = (_TERMS, (Subscription, _grace), (FeedSilence, _silence), _ORDER)
_EVIDENCE: dict[Kind, tuple[tuple[type[Model], _Lines], ...]] = {
    Kind.DATA_GONE: _CLOSING,
    Kind.DATA_GOING: _CLOSING,
    Kind.CLOSING: _CLOSING,
    Kind.DELETED: ((Instance, _deletion),),
    Kind.CLOSED_BY_HAND: ((Instance, _status),),
    Kind.SUSPENDED: ((InstanceSuspension, _suspension),),
    Kind.UNREACHABLE: ((InstanceWatch, _error),),
    Kind.MOVING: (_MOVE, _GATES),
    Kind.MOVE_UNFINISHED: (_MOVE,),
    Kind.GATE_SUSPENDED: (_GATES,),
    Kind.GATE_MOVED: (_MOVE, _GATES),
    Kind.PAUSED: ((SubscriptionAdjustment, _pause),),
    Kind.TRIAL: (_TRIAL,),
    Kind.TRIAL_ENDED: (_TRIAL, _ORDER),
    Kind.WARNED: _PAST_DUE,
    Kind.BLOCKED: _PAST_DUE,
    Kind.GRACE_OVER: _PAST_DUE,
    Kind.EXPIRED: _PAID,
    Kind.CANCELED: (_TERMS,),
    Kind.CANCELED_OVER: _PAID,
    Kind.STORAGE_FULL: ((StorageUsage, _storage),),
    Kind.TIER_LIMITS: ((Instance, _off(EntitlementReason.TIER)),),
    Kind.EXCEPTION: ((InstanceConfig, _off(EntitlementReason.OVERRIDE)),),
}
