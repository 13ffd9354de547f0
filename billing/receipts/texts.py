"""The sentences of a receipt in the active language, the same on its page and in its PDF."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from billing.receipts.content import Payment, ReceiptContent
from kitehub.display import money
from kitehub.enums import Tier

# Receipts are dated, and numbered by year, by the time of the country they are for.
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def title(content: ReceiptContent) -> str:
    """What the paper is called."""
    return _("Receipt void") if content.voids else _("Payment receipt")


def day(moment: datetime) -> str:
    """A moment's day in Vietnam, as d/m/Y."""
    return f"{moment.astimezone(ZONE):%d/%m/%Y}"


def amount(content: ReceiptContent) -> str:
    """The amount with its sign: a counter-entry takes it back."""
    return money(-content.amount if content.voids else content.amount)


def what(content: ReceiptContent) -> str:
    """What was paid for, in a line."""
    if content.upgrade and content.tier:
        return upgrade_words(content.tier, content.period_end)
    said = _("KiteHub subscription")
    if content.tier:
        said = _("KiteHub subscription, plan %(tier)s") % {"tier": content.tier.label}
    if content.period_start and content.period_end:
        start, end = day(content.period_start), day(content.period_end)
        said += ", " + _("from %(start)s to %(end)s") % {"start": start, "end": end}
    return said


def upgrade_words(tier: Tier, until: datetime | None) -> str:
    """What an upgrade pays for: the difference, as far as the time that it raises goes."""
    said = {"tier": tier.label}
    if until is None:
        return _("Difference for the upgrade to %(tier)s") % said
    return _("Difference for the upgrade to %(tier)s until %(end)s") % {**said, "end": day(until)}


def how(payment: Payment) -> str:
    """Where a payment came from, in a line without its amount."""
    if not payment.bank and not payment.reference:
        return _("The school's credit")
    parts = [_("Bank transfer")]
    if payment.received_at:
        parts[0] += f" {payment.received_at.astimezone(ZONE):%d/%m/%Y %H:%M}"
    if payment.bank:
        parts.append(payment.bank)
    if payment.reference:
        parts.append(_("ref. %(reference)s") % {"reference": payment.reference})
    return " · ".join(parts)
