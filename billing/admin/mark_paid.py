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
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextInputWidget,
)

from billing.admin.what_comes import minute, of_school, refusing
from billing.enums import PAYABLE, ManualPaymentKind
from billing.models import ManualPayment, PaymentOrder
from billing.models.transfers import MOST_DONG
from billing.services import manual
from billing.services.manual import CannotEnter
from kitehub.backoffice.audit import actor_of, existing, lead_to, reason_of
from kitehub.backoffice.dialogs import Line, RetypedDialog, without_actions
from kitehub.backoffice.moments import MomentField
from kitehub.display import money

MARK_PAID = "mark-paid"


class MarkPaidDialog(RetypedDialog):
    """Asks what was seen, with what proves it. The order's code is typed again."""

    model = PaymentOrder

    kind = forms.ChoiceField(
        label=_("what was seen"),
        choices=ManualPaymentKind.choices,
        initial=ManualPaymentKind.BANK,
        widget=UnfoldAdminSelectWidget,
    )
    amount = forms.IntegerField(
        label=_("amount"),
        min_value=1,
        max_value=MOST_DONG,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("In đồng."),
    )
    received_at = MomentField(
        label=_("received at"),
        widget=UnfoldAdminSplitDateTimeWidget,
        help_text=_("The bank's time, or when the cash was handed over."),
    )
    reference = forms.CharField(
        label=_("bank reference"),
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("The bank's; of cash, the number of the paper."),
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
        """What is asked for, and that another person has to confirm."""
        return [
            *of_school(self.row.instance),
            Line(gettext("Still to be paid"), money(self.row.rest)),
            *entered_lines(manual.entered_for(self.row)),
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
        names = ("amount", "received_at", "reference", "memo", "payer_name", "evidence")
        with refusing(CannotEnter):
            payment = manual.enter_payment(
                order_id=order.pk,
                kind=ManualPaymentKind(form.cleaned_data["kind"]),
                **{name: form.cleaned_data[name] for name in names},
                actor=actor_of(request),
                reason=reason_of(request),
                at=timezone.now(),
            )
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
