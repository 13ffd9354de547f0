"""What belongs to orders, bank lines and subscriptions, in boxes on their pages."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from billing.enums import ReceiptKind
from billing.models import (
    BankTransfer,
    CreditBalance,
    CreditEntry,
    Goodwill,
    PaymentAllocation,
    PaymentOrder,
    Receipt,
    Refund,
    Subscription,
)
from kitehub.backoffice.panels import Fact, ListLink, Panel
from kitehub.backoffice.references import To, capped_count
from kitehub.display import money
from kitehub.models import Instance, User

# Of each kind; the links lead to all.
FEW = 5
May = Callable[[Any], bool]


def order_panels(order: PaymentOrder, may: May) -> Sequence[Panel]:
    """The school with its owner, subscription and credit; and what has come of the order."""
    school = order.instance
    who = _school(school, may) if school else []
    if order.user and (school is None or order.user_id != school.owner_id):
        who.append(Fact(gettext("Who pays"), str(order.user), To(User, order.user_id)))
    return (
        Panel(
            gettext("School"),
            who,
            links=orders_links(school.pk, may) if school else (),
            empty=gettext("There is no such school any more."),
        ),
        Panel(
            gettext("What has come of it"),
            list(_outcome(order, may)),
            empty=gettext("Nothing has been paid or booked yet."),
        ),
    )


def transfer_panels(line: BankTransfer, may: May) -> Sequence[Panel]:
    """The orders that a bank line pays, and the lines that say the same."""
    paid: list[Fact] = []
    links: list[ListLink] = []
    if may(PaymentOrder):
        rows = PaymentAllocation.objects.filter(transfer=line).select_related("order")
        orders = {row.order_id: row.order for row in rows.order_by("-created_at")[:100]}
        paid = [order_fact(order) for order in list(orders.values())[:FEW]]
    if may(PaymentAllocation):
        count = capped_count(PaymentAllocation.objects.filter(transfer=line))
        text = gettext("All %(count)s allocations") % {"count": count}
        links = [ListLink(text, PaymentAllocation, {"q": str(line.pk)})]
    same = [
        Fact(gettext("Told again by"), str(twin), To(BankTransfer, twin.pk))
        for twin in BankTransfer.objects.filter(duplicate_of=line).order_by("-received_at")[:FEW]
    ]
    if line.duplicate_of_id:
        first = To(BankTransfer, line.duplicate_of_id)
        same.insert(0, Fact(gettext("The same as"), str(line.duplicate_of), first))
    school = _school(line.instance, may) if line.instance else []
    return (
        Panel(gettext("Orders"), paid, links=links, empty=gettext("It pays no order.")),
        Panel(
            gettext("Duplicates"), same, empty=gettext("Nobody else has told of the same money.")
        ),
        Panel(gettext("School"), school, empty=gettext("The account is KiteHub's own.")),
    )


def subscription_panels(own: Subscription, may: May) -> Sequence[Panel]:
    """The school, its last orders, and what it was given for nothing."""
    school = own.instance
    if school is None:
        return ()
    return (
        Panel(gettext("School"), _school(school, may, subscription=False)),
        orders_panel(school.pk, may),
        *goodwill_panels(school.pk, may),
    )


def goodwill_panels(school: Any, may: May) -> Sequence[Panel]:
    """What was last proposed to give a school for nothing; no panel for who may not see it."""
    if not may(Goodwill):
        return ()
    rows = Goodwill.objects.filter(instance_id=school).order_by("-proposed_at", "-id")
    facts = [
        Fact(
            f"{row.get_status_display()} · {_day(row.proposed_at)}",
            str(row),
            To(Goodwill, row.pk),
            row.reason,
        )
        for row in rows[: FEW + 1]
    ]
    text = gettext("All goodwill for the school")
    more = [ListLink(text, Goodwill, {"q": str(school)})] if len(facts) > FEW else []
    empty = gettext("Nobody has proposed any.")
    return (Panel(gettext("Goodwill"), facts[:FEW], links=more, empty=empty),)


def goodwill_school(row: Goodwill, may: May) -> Sequence[Panel]:
    """For whom goodwill is."""
    facts = _school(row.instance, may) if row.instance else []
    empty = gettext("There is no such school any more.")
    return (Panel(gettext("School"), facts, empty=empty),)


def orders_panel(school: Any, may: May) -> Panel:
    """The last orders of a school."""
    rows: Iterable[PaymentOrder] = ()
    if may(PaymentOrder):
        rows = PaymentOrder.objects.filter(instance_id=school).order_by("-created_at", "-id")[:FEW]
    return Panel(
        gettext("Last orders"),
        [order_fact(order) for order in rows],
        links=orders_links(school, may),
        empty=gettext("There is no order yet."),
    )


def orders_links(school: Any, may: May) -> list[ListLink]:
    """The list of all orders of a school, by how many there are."""
    if not may(PaymentOrder):
        return []
    count = capped_count(PaymentOrder.objects.filter(instance_id=school))
    text = gettext("All %(count)s orders of the school") % {"count": count}
    return [ListLink(text, PaymentOrder, {"q": str(school)})]


def order_fact(order: PaymentOrder) -> Fact:
    """An order by its code, with amount and state."""
    said = f"{money(order.amount)} · {order.get_status_display()} · {_day(order.created_at)}"
    return Fact(said, order.order_id, To(PaymentOrder, order.pk))


def subscription_fact(own: Subscription) -> Fact:
    """A subscription by its tier, with its state and until when."""
    return Fact(
        gettext("Subscription"),
        f"{own.get_tier_display()} · {own.get_status_display()}",
        To(Subscription, own.pk),
        gettext("until %(day)s") % {"day": _day(own.current_period_end)},
    )


def credit_fact(school: Any) -> Fact | None:
    """What a school has with KiteHub, and the last entry that made it so; None without any."""
    balance = CreditBalance.objects.filter(instance_id=school).first()
    if balance is None:
        return None
    last = CreditEntry.objects.filter(instance_id=school).order_by("-created_at", "-id").first()
    return Fact(
        gettext("Credit"), money(balance.balance), To(CreditEntry, last.pk if last else None)
    )


def _school(school: Instance, may: May, *, subscription: bool = True) -> list[Fact]:
    found: list[Fact | None] = [
        Fact(gettext("School"), school.organization_name, To(Instance, school.pk), school.subdomain)
    ]
    if school.owner:
        found.append(Fact(gettext("Owner"), str(school.owner), To(User, school.owner_id)))
    if subscription and may(Subscription):
        own = Subscription.objects.filter(instance_id=school.pk).first()
        found.append(subscription_fact(own) if own else None)
    if may(CreditEntry):
        found.append(credit_fact(school.pk))
    return [fact for fact in found if fact is not None]


def _outcome(order: PaymentOrder, may: May) -> Iterable[Fact]:
    if order.superseded_by_id:
        heir = order.superseded_by
        name = heir.order_id if heir else str(order.superseded_by_id)
        yield Fact(gettext("Replaced by"), name, To(PaymentOrder, order.superseded_by_id))
    if may(BankTransfer):
        paying = PaymentAllocation.objects.filter(order=order, transfer__isnull=False)
        lines = BankTransfer.objects.filter(pk__in=paying.values("transfer_id"))
        for line in lines.order_by("-received_at", "-id")[:FEW]:
            moment = _day(line.transferred_at)
            said = f"{money(line.amount)} · {line.get_provider_display()}"
            yield Fact(gettext("Bank transfer"), said, To(BankTransfer, line.pk), moment)
    if may(Refund):
        for refund in Refund.objects.filter(order=order).order_by("-requested_at")[:FEW]:
            said = f"{money(refund.amount)} · {refund.get_status_display()}"
            yield Fact(gettext("Refund"), said, To(Refund, refund.pk))
    if may(Receipt):
        issued = Q(order=order, kind=ReceiptKind.RECEIPT)
        for receipt in Receipt.objects.filter(issued).select_related("voided_by"):
            void = getattr(receipt, "voided_by", None)
            note = gettext("void by %(number)s") % {"number": void.code} if void else ""
            yield Fact(gettext("Receipt of the order"), receipt.code, To(Receipt, receipt.pk), note)


def _day(at: Any) -> str:
    return date_format(timezone.localtime(at), "SHORT_DATE_FORMAT")
