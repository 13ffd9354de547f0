"""What opening an order does to a school's other orders and its credit, in lines for a preview."""

from collections.abc import Callable, Iterator
from uuid import UUID

from django.utils.translation import gettext, ngettext

from billing.admin.what_comes import of_periods
from billing.enums import PaymentStatus, PaymentType
from billing.models import PaymentOrder
from billing.services import credit
from kitehub.backoffice.dialogs import Line
from kitehub.display import money


def opened_with(
    school: UUID, opens: Callable[[], PaymentOrder], *, anew: PaymentOrder | None = None
) -> tuple[PaymentOrder, list[Line]]:
    """Opens an order for a school, `anew` for an old one; and what that does to what was there.

    Without the new order's code, which is another one each time it is tried.
    """
    before = PaymentOrder.objects.open_or_part_paid().of_instance(school)
    paid = dict(before.filter(paid_amount__gt=0).values_list("pk", "paid_amount"))
    opened = opens()
    lines: list[Line] = []
    rows = PaymentOrder.objects.of_instance(school).filter(superseded_by=opened)
    for order in rows.order_by("created_at", "pk"):
        if order.status == PaymentStatus.CANCELLED and order != anew:
            lines.append(Line(gettext("Is cancelled"), _named(order), warns=True))
        if order.pk in paid:
            lines.append(Line(_becomes(order), f"{order.order_id} · {money(paid[order.pk])}", True))
    return opened, [*lines, *_at_once(opened)]


def touches_others(order: PaymentOrder) -> bool:
    """Whether opening an order anew moves money, or cancels another one; it is done once."""
    if order.superseded_by_id is not None or order.instance_id is None:
        return False
    same = PaymentOrder.objects.open_or_part_paid().filter(
        instance_id=order.instance_id, type=order.type
    )
    if order.type == PaymentType.ENROLLMENT:
        same = same.filter(subject=order.subject)
    elif credit.balance(instance_id=order.instance_id):
        return True
    return bool(order.paid_amount) or same.exclude(pk=order.pk).exists()


def _named(order: PaymentOrder) -> str:
    parts = [order.order_id, money(order.amount)]
    if order.tier:
        parts.append(str(order.get_tier_display()))
    if order.months:
        said = ngettext("%(months)s month", "%(months)s months", order.months)
        parts.append(said % {"months": order.months})
    return " · ".join(parts)


def _becomes(order: PaymentOrder) -> str:
    if order.type == PaymentType.SUBSCRIPTION:
        return gettext("Becomes the school's credit")
    return gettext("Waits for a person")


def _at_once(opened: PaymentOrder) -> Iterator[Line]:
    """That the school's credit pays all of it, which has no way back."""
    if opened.status == PaymentStatus.PAID:
        said = gettext("%(amount)s of the school's credit, with a receipt")
        yield Line(gettext("Is paid at once"), said % {"amount": money(opened.amount)}, True)
        yield from of_periods(opened)
