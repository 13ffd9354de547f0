"""Staff ask for a refund: of what, how much, why, and to which account."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from billing.admin.refund_dialogs import refusals, would_be_paid_back
from billing.admin.what_comes import UNSAID
from billing.banks import BANKS
from billing.models import Refund
from billing.services import refunds
from billing.services.refund_sources import Payee
from kitehub.backoffice.dialogs import Line
from kitehub.backoffice.forms import AmountField, Aside, ReasonedModelForm
from kitehub.backoffice.rehearsals import digest_of, rehearse

# What can be paid back, one of them.
REFUNDED = ("order", "transfer", "instance")


class RefundForm(ReasonedModelForm):
    """What is to be paid back, why, and to which account.

    The page carries the key of the request, so that what is sent twice is asked for once. What
    comes of it is shown first, and it is asked for when that is sent again.
    """

    once = forms.UUIDField(initial=uuid4, widget=forms.HiddenInput)
    plan = Aside(required=False, widget=forms.HiddenInput)

    payee_bank_bin = forms.ChoiceField(
        label=_("bank"),
        required=False,
        choices=[("", _("Where the money came from")), *((each.bin, str(each)) for each in BANKS)],
        widget=UnfoldAdminSelectWidget,
    )
    amount = AmountField()

    class Meta:
        model = Refund
        fields = (*REFUNDED, "amount", "payee_bank_bin", "payee_account", "payee_name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = True

    def clean(self) -> dict[str, Any]:
        """One thing is paid back, to an account that is named whole or not at all."""
        cleaned = super().clean()
        if sum(cleaned.get(name) is not None for name in REFUNDED) != 1:
            self.add_error(
                None, gettext("Choose an order, a bank transfer or an instance's credit.")
            )
        if bool(cleaned.get("payee_bank_bin")) != bool(cleaned.get("payee_account")):
            self.add_error(
                "payee_account", gettext("Enter both the bank and the account, or neither.")
            )
        if not self.errors:
            self._tell_what_comes()
        return cleaned

    def _tell_what_comes(self) -> None:
        found = rehearse(self._asked)
        told = digest_of([str(self.cleaned_data[name]) for name in REFUNDED], found.lines)
        # What can't be asked for is refused with its reason when it is tried.
        if not found.possible or told == self.cleaned_data["plan"]:
            return
        self.fields["plan"].bound_data = lambda data, initial: told  # type: ignore[method-assign]
        for line in found.lines:
            self.add_error(None, f"{line.label}: {line.value}")
        again = gettext("Nothing is done yet."), gettext("Look at it, then send again.")
        self.add_error(None, " ".join(again))

    def _asked(self) -> Sequence[Line]:
        """Asks for it, and says what would come of it. Raises Refusal."""
        with refusals():
            return list(would_be_paid_back(self.ask(UNSAID)))

    def ask(self, actor: str) -> Refund:
        """Asks for the refund; raises RefundRefused."""
        told = self.cleaned_data
        keys = {f"{name}_id": told[name].pk for name in REFUNDED if told[name] is not None}
        payee = Payee(told["payee_bank_bin"], told["payee_account"], told["payee_name"])
        return refunds.request_refund(
            amount=told["amount"],
            reason=told["reason"],
            actor=actor,
            at=timezone.now(),
            payee=payee if payee.account_number else None,
            key=told["once"],
            **keys,
        )
