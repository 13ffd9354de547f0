"""The pages of schools and of people, beside their forms."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db import DatabaseError
from django.db.models import F, Sum
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from billing.admin.related import (
    FEW,
    credit_fact,
    goodwill_panels,
    order_fact,
    orders_panel,
    subscription_fact,
)
from billing.admin.timelines.money import goodwill_events
from billing.admin.timelines.time import history_events
from billing.enums import PaymentStatus
from billing.models import (
    CreditEntry,
    Goodwill,
    PaymentOrder,
    Subscription,
    SubscriptionHistory,
)
from kitehub import tenancy
from kitehub.admin.blocked.words import moment
from kitehub.admin.school_events import (
    key_events,
    move_events,
    owner_events,
    school_events,
    suspension_events,
    tombstone_events,
)
from kitehub.backoffice.details import Detailed
from kitehub.backoffice.mail_events import mail_events
from kitehub.backoffice.panels import Copy, Fact, ListLink, Panel
from kitehub.backoffice.references import To, capped_count
from kitehub.backoffice.timeline import BEGUN, SAID, Event, Source
from kitehub.display import money, percent, size
from kitehub.models import (
    ApiKey,
    Email,
    Instance,
    InstanceMove,
    InstanceSuspension,
    SecurityEvent,
    SignedInSession,
    Tombstone,
    User,
)
from kitehub.services import sessions
from kitehub.tenancy import BadPlacement
from storage.models import StorageUsage

May = Callable[[Any], bool]


class InstanceDetails(Detailed):
    """For the admin of schools."""

    def sources_of(self, row: Instance) -> Sequence[Source]:
        """The tables that know what happened to the school."""
        history = SubscriptionHistory.objects.filter(subscription__instance_id=row.pk)
        return (
            Source(Instance, lambda: school_events(row)),
            Source(User, lambda: owner_events(row)),
            Source(SubscriptionHistory, lambda: history_events(history)),
            Source(Goodwill, lambda: goodwill_events(Goodwill.objects.filter(instance_id=row.pk))),
            Source(InstanceMove, lambda: move_events(row)),
            Source(InstanceSuspension, lambda: suspension_events(row)),
            Source(Tombstone, lambda: tombstone_events(row)),
            Source(ApiKey, lambda: key_events(row)),
            Source(Email, lambda: mail_events(Email.objects.filter(instance_id=row.pk))),
        )

    def panels_of(self, row: Instance, may: May) -> Sequence[Panel]:
        """Owner and money, the last orders, goodwill, keys and storage."""
        return (
            Panel(
                gettext("Owner and money"),
                list(_money(row, may)),
                empty=gettext("It has no owner and no subscription."),
            ),
            orders_panel(row.pk, may),
            *goodwill_panels(row.pk, may),
            Panel(
                gettext("Programs and storage"),
                list(_programs(row, may)),
                empty=gettext("No program uses it, and nothing is stored yet."),
            ),
        )

    def copies_of(self, row: Instance) -> Sequence[Copy]:
        """Its names in addresses, and its key."""
        return (
            Copy(gettext("Subdomain"), row.subdomain),
            Copy(gettext("Own domain"), row.custom_domain or ""),
            Copy(gettext("Account number"), row.account_number or ""),
            Copy(gettext("ID"), str(row.pk)),
        )


class UserDetails(Detailed):
    """For the admin of people."""

    def sources_of(self, row: User) -> Sequence[Source]:
        """When they came, and when they were here last."""
        return (Source(User, lambda: _person_events(row)),)

    def panels_of(self, row: User, may: May) -> Sequence[Panel]:
        """Their schools and their orders."""
        schools = Instance.objects.filter(owner_id=row.pk)
        orders = PaymentOrder.objects.filter(user_id=row.pk)
        found = []
        if may(Instance):
            facts = [
                Fact(school.get_status_display(), str(school), To(Instance, school.pk))
                for school in schools.order_by("-created_at")[:FEW]
            ]
            text = gettext("All %(count)s schools") % {"count": capped_count(schools)}
            links = [ListLink(text, Instance, {"q": str(row.pk)})]
            empty = gettext("They own no school.")
            found.append(Panel(gettext("Schools"), facts, links=links, empty=empty))
        if may(PaymentOrder):
            facts = [order_fact(order) for order in orders.order_by("-created_at", "-id")[:FEW]]
            text = gettext("All %(count)s orders") % {"count": capped_count(orders)}
            links = [ListLink(text, PaymentOrder, {"q": str(row.pk)})]
            empty = gettext("They have nothing to pay and have paid nothing.")
            found.append(Panel(gettext("Orders"), facts, links=links, empty=empty))
        if may(SignedInSession):
            facts = [
                Fact(each.browser or each.address, each.address, note=moment(each.last_seen))
                for each in sessions.open_sessions(row, at=timezone.now())[:FEW]
            ]
            links = [
                ListLink(gettext("Security log"), SecurityEvent, {"q": str(row.pk)}),
            ]
            empty = gettext("They are signed in nowhere.")
            found.append(Panel(gettext("Open sessions"), facts, links=links, empty=empty))
        return found

    def copies_of(self, row: User) -> Sequence[Copy]:
        """Their address and key."""
        return (Copy(gettext("E-mail address"), row.email), Copy(gettext("ID"), str(row.pk)))


def _money(school: Instance, may: May) -> Iterable[Fact]:
    if school.owner:
        yield Fact(gettext("Owner"), str(school.owner), To(User, school.owner_id))
    if may(Subscription):
        own = Subscription.objects.filter(instance_id=school.pk).first()
        if own:
            yield subscription_fact(own)
    if may(PaymentOrder):
        waiting = PaymentOrder.objects.filter(instance_id=school.pk, status=PaymentStatus.PENDING)
        asked = waiting.filter(expires_at__gt=timezone.now()).aggregate(
            rest=Sum(F("amount") - F("paid_amount") - F("refunded_amount"))
        )["rest"]
        yield Fact(gettext("Still to be paid on open orders"), money(int(asked or 0)))
    if may(CreditEntry) and (credit := credit_fact(school.pk)):
        yield credit


def _programs(school: Instance, may: May) -> Iterable[Fact]:
    if may(ApiKey):
        keys = ApiKey.objects.filter(instance_id=school.pk).order_by("-created_at")
        for key in keys[:FEW]:
            state = key.state(at=timezone.now()).label
            last = _day(key.last_used_at) if key.last_used_at else gettext("never used")
            said = gettext("last used: %(when)s") % {"when": last}
            yield Fact(gettext("API key"), f"{key.name} · {state}", To(ApiKey, key.pk), said)
    if may(StorageUsage):
        yield from _storage(school)


def _storage(school: Instance) -> Iterable[Fact]:
    """What is stored, from the school's own database; said so where it can't be asked."""
    try:
        with tenancy.use(school):
            usage = StorageUsage.objects.first()
    except (DatabaseError, BadPlacement):
        yield Fact(gettext("Storage"), gettext("Its database can't be reached."))
        return
    if usage is not None:
        limit = usage.limit_bytes
        said = gettext("%(used)s of %(limit)s") % {
            "used": size(usage.used_bytes),
            "limit": gettext("no limit") if limit is None else size(limit),
        }
        share = percent(usage.used_bytes, limit) if limit else ""
        # Its page is the pool's.
        to = To(StorageUsage, usage.pk) if usage._state.db == "default" else None
        yield Fact(gettext("Storage"), said, to, share)


def _person_events(person: User) -> list[Event]:
    found = [
        Event(
            at=person.date_joined,
            what=gettext("Account opened"),
            key=f"user:{person.pk}:1",
            icon="person_add",
            rank=BEGUN,
        )
    ]
    if person.last_login:
        found.append(
            Event(
                at=person.last_login,
                what=gettext("Signed in last"),
                key=f"user:{person.pk}:2",
                icon="login",
                rank=SAID,
            )
        )
    return found


def _day(at: Any) -> str:
    return date_format(timezone.localtime(at), "SHORT_DATE_FORMAT")
