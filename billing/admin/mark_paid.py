"""Staff enter a payment by hand, on an order's page, for another person to confirm."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django import forms
from django.contrib.admin.models import ADDITION
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextInputWidget,
)

from billing.admin.what_comes import UNSAID, minute, of_school, refusing
from billing.enums import PAYABLE, ManualPaymentKind
from billing.models import BankTransfer, ManualPayment, PaymentOrder
from billing.models.transfers import MOST_DONG
from billing.services import duplicates, manual
from billing.services.manual import CannotEnter
from kitehub.backoffice.audit import actor_of, existing, lead_to, reason_of
from kitehub.backoffice.dialogs import Line, RetypedDialog, without_actions
from kitehub.backoffice.forms import AmountField
from kitehub.backoffice.moments import MomentField
from kitehub.backoffice.rehearsals import PlannedDialog
from kitehub.display import money

MARK_PAID = "mark-paid"


class MarkPaidDialog(RetypedDialog, PlannedDialog):
    """Asks what was seen, with what proves it, and shows what may be the same money.

    The order's code is typed again.
    """

    model = PaymentOrder

    kind = forms.ChoiceField(
        label=_("way of payment"),
        choices=ManualPaymentKind.choices,
        initial=ManualPaymentKind.BANK,
        widget=UnfoldAdminSelectWidget,
    )
    amount = AmountField(min_value=1, max_value=MOST_DONG, help_text=_("In đồng."))
    received_at = MomentField(
        label=_("received at"),
        widget=UnfoldAdminSplitDateTimeWidget,
        help_text=_("The bank's time, or when the cash was handed over."),
    )
    reference = forms.CharField(
        label=_("bank reference or number of the paper"),
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
    )
    memo = forms.CharField(
        label=_("memo"),
        max_length=300,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("As the bank shows it: so the same line is known when a feed tells it later."),
    )
    payer_name = forms.CharField(
        label=_("payer's name"),
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )
    evidence = forms.CharField(
        label=_("evidence"),
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Number of the photo or the paper, and who has it."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.row is not None:
            self.fields["amount"].initial = self.row.rest or None

    def preview(self) -> Sequence[Line]:
        """Before anything is entered, what is asked for."""
        return super().preview() or self._about(manual.entered_for(self.row))

    def attempt(self, actor: str) -> Sequence[Line]:
        """Enters it."""
        payment = self.enter(actor, UNSAID)
        said = f"{money(payment.amount)} · {minute(payment.received_at)} · {payment.reference}"
        before = manual.entered_for(self.row).exclude(pk=payment.pk)
        return [Line(gettext("Is entered"), said), *self._about(before), *told_lines(payment)]

    def enter(self, actor: str, reason: str) -> ManualPayment:
        """Enters it, as it was typed. Raises Refusal."""
        names = ("amount", "received_at", "reference", "memo", "payer_name", "evidence")
        with refusing(CannotEnter):
            return manual.enter_payment(
                order_id=self.row.pk,
                kind=ManualPaymentKind(self.cleaned_data["kind"]),
                **{name: self.cleaned_data[name] for name in names},
                actor=actor,
                reason=reason,
                at=timezone.now(),
            )

    def _about(self, before: Iterable[ManualPayment]) -> list[Line]:
        """What is asked for, what was entered before, and that another person has to confirm."""
        return [
            *of_school(self.row.instance),
            Line(gettext("Still to be paid"), money(self.row.rest)),
            *entered_lines(before),
            Line(gettext("Then"), gettext("another person confirms it")),
        ]


class EntersPayments:
    """For the admin of orders: the action that enters a payment by hand."""

    @action(
        description=_("Mark as paid by hand"),
        icon="payments",
        permissions=["mark_paid"],
        url_path=MARK_PAID,
        dialog={
            "title": _("Which money has come for this order?"),
            "description": _(
                "For cash, and for bank lines that no feed told. Nothing is booked before another "
                "person confirms it."
            ),
            "form_class": MarkPaidDialog,
            "form_submit_text": _("Enter the payment"),
        },
    )
    def mark_paid(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Enters a payment, for another person to confirm."""
        its: Any = self
        order = existing(form.row)
        payment = form.enter(actor_of(request), reason_of(request))
        added = {"name": str(ManualPayment._meta.verbose_name), "object": str(payment)}
        its.log(request, [order], ADDITION, [{"added": added}])
        its.message_user(request, gettext("The payment is entered. Another person confirms it."))
        return lead_to(request, its._page("change", order.pk))

    def has_mark_paid_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may enter payments by hand."""
        return bool(request.user.has_perm("billing.mark_paid"))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Offers it while the order can be paid."""
        order = context.get("original")
        if order is None or order.deleted or order.status not in PAYABLE:
            without_actions(context, MARK_PAID)
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]


def entered_lines(payments: Iterable[ManualPayment]) -> Iterator[Line]:
    """What was entered already, as warnings."""
    for payment in payments:
        said = f"{money(payment.amount)} · {minute(payment.received_at)} · {payment.reference}"
        yield Line(gettext("Entered by hand before"), said, warns=True)


def told_lines(payment: ManualPayment) -> Iterator[Line]:
    """Bank lines that may be a payment's money, on its order or still waiting, as warnings."""
    for transfer in manual.told_alike(payment):
        yield Line(gettext("The bank has told as much"), _told(transfer), warns=True)
    for transfer in manual.waiting_alike(payment):
        said = f"{_told(transfer)} · {transfer.memo[:60]}"
        yield Line(gettext("As much waits in the inbox: the same money?"), said, warns=True)


def alike_lines(transfer: BankTransfer) -> Iterator[Line]:
    """Payments by hand whose money a bank line may be, as warnings."""
    for payment in duplicates.entered_alike(transfer):
        yield Line(gettext("Entered by hand: the same money?"), named(payment), warns=True)


def named(payment: ManualPayment) -> str:
    """A payment as staff tell it from others."""
    parts = (
        payment.order.order_id,
        money(payment.amount),
        minute(payment.received_at),
        payment.reference,
        payment.requested_by,
    )
    return " · ".join(parts)


def _told(transfer: BankTransfer) -> str:
    parts = (money(transfer.amount), minute(transfer.transferred_at), transfer.reference)
    return " · ".join(filter(None, parts))
