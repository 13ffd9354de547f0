"""What is asked before a refund is decided or marked as sent, and what comes of it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from billing.admin.amount_dialogs import AmountDialog, StateDialog
from billing.admin.what_comes import of_school, of_time
from billing.banks import bank
from billing.enums import RefundSource
from billing.models import PaymentOrder, Refund, Subscription
from billing.services import refunds
from billing.services.refund_sources import RefundRefused
from kitehub.backoffice.audit import Refusal
from kitehub.backoffice.dialogs import Line
from kitehub.backoffice.rehearsals import RehearsedDialog
from kitehub.display import money


class ApproveDialog(RehearsedDialog, AmountDialog):
    """Shows what would be paid back, and asks for the amount again."""

    model = Refund

    def attempt(self, actor: str) -> Sequence[Line]:
        """Approves it."""
        return approved(self.row, actor)


class RejectDialog(StateDialog):
    """Asks why."""

    model = Refund


class SentDialog(AmountDialog):
    """Asks for the bank's reference, and for what was sent; what credit paid is not."""

    model = Refund

    reference = forms.CharField(
        label=_("bank reference"), max_length=100, widget=UnfoldAdminTextInputWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = False

    def sum_of_row(self) -> int:
        """What the bank sent."""
        return refunds.to_send(self.row)

    def preview(self) -> Sequence[Line]:
        """How much goes to whom, and what of it doesn't."""
        return paid_out(self.row, self.sum_of_row())


def approved(refund: Refund, actor: str) -> Sequence[Line]:
    """Approves a refund, and says what has come of it. Raises Refusal."""
    before = Subscription.objects.filter(instance=refund.instance).first()
    with refusals():
        done = refunds.approve(refund_id=refund.pk, actor=actor, at=timezone.now())
    lines = paid_out(done, refunds.cash_of(done))
    order = PaymentOrder.all_objects.filter(pk=done.order_id).first() if done.order_id else None
    if order is not None and not order.paid_amount:
        lines.append(
            Line(order.order_id, gettext("paid back whole: its period and receipt end"), warns=True)
        )
        after = Subscription.objects.filter(instance=refund.instance).first()
        if before is not None and after is not None:
            lines += of_time(before, after)
    return lines


def would_be_paid_back(refund: Refund) -> Iterator[Line]:
    """What a refund that is asked for would pay back, and what would be left then."""
    order = refund.order
    of = order.order_id if order else str(refund.get_source_display())
    yield Line(gettext("Would be paid back"), f"{money(refund.amount)} · {of}")
    yield from of_school(refund.instance)
    yield from paid_out(refund, refunds.to_send(refund))[1:]
    key = {RefundSource.ORDER: "order_id", RefundSource.TRANSFER: "transfer_id"}
    name = key.get(RefundSource(refund.source), "instance_id")
    left = refunds.refundable(**{name: getattr(refund, name)})
    yield Line(gettext("Left after that"), money(left))
    if order is not None and order.paid_amount <= refund.amount:
        said = gettext("paid back whole: once it is approved, its period and receipt end")
        yield Line(order.order_id, said, warns=True)
    yield Line(gettext("Then"), gettext("another person approves it"))


def paid_out(refund: Refund, cash: int) -> list[Line]:
    """What of a refund the bank sends to whom, and what is credit again."""
    lines = [Line(gettext("Paid back"), money(refund.amount))]
    if cash:
        lines += [Line(gettext("By bank transfer"), money(cash)), *payee_of(refund)]
    if refund.amount > cash:
        lines.append(Line(gettext("Credit again"), money(refund.amount - cash)))
    return lines


def payee_of(refund: Refund) -> list[Line]:
    """Where its money goes."""
    known = bank(refund.payee_bank_bin)
    named = [str(known) if known else refund.payee_bank_bin, refund.payee_account]
    said = " · ".join(filter(None, [*named, refund.payee_name]))
    return [Line(gettext("Goes to"), said)] if said else []


def asked_for(refund: Refund) -> str:
    """That a refund is asked for, of what, and that this is not the end of it."""
    said = {"amount": money(refund.amount)}
    if refund.order is not None:
        told = gettext(
            "%(amount)s of order %(order)s are asked for; another person has to approve it."
        )
        return told % {**said, "order": refund.order.order_id}
    if refund.source == RefundSource.CREDIT:
        told = gettext(
            "%(amount)s of the credit of %(school)s are asked for; another person has to approve "
            "it."
        )
        return told % {**said, "school": refund.instance}
    told = gettext(
        "%(amount)s of the bank transfer are asked for; another person has to approve it."
    )
    return told % said


@contextmanager
def refusals() -> Iterator[None]:
    """Tells what the service refuses in words, and how much there is."""
    try:
        yield
    except RefundRefused as error:
        said = str(error.refusal.label)
        if error.available is not None:
            said += " " + gettext("At most %(amount)s.") % {"amount": money(error.available)}
        raise Refusal(said) from error
