"""Staff open an order: what has to be known, and the service that agrees on the rest."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from billing.accounts import NoReceivingAccount
from billing.admin.replaced_orders import opened_with
from billing.admin.what_comes import UNSAID
from billing.enums import PaymentType
from billing.models import PaymentOrder
from billing.models.transfers import MOST_DONG
from billing.months import MOST_MONTHS
from billing.services.order_terms import BadOrder
from billing.services.orders import open_order
from kitehub.backoffice.audit import Refusal, actor_of
from kitehub.backoffice.dialogs import Line
from kitehub.backoffice.forms import AmountField, Aside, RecordForm
from kitehub.backoffice.rehearsals import digest_of, rehearse
from kitehub.enums import Tier

OPENING_FIELDSETS: tuple[Any, ...] = (
    (None, {"fields": ("type", "instance", "user", "replaces")}),
    (_("For a subscription"), {"fields": (("tier", "months"),)}),
    (_("For a course"), {"fields": ("amount", ("course_id", "student_name"))}),
)
_NEEDED = {
    PaymentType.SUBSCRIPTION: ("tier", "months"),
    PaymentType.ENROLLMENT: ("amount", "course_id", "student_name"),
}


class OrderOpeningForm(RecordForm):
    """What has to be known to open an order. Code, memo, price and time follow from it.

    What would cancel another order, or move money, is said first, and done when it is sent again.
    """

    replaces = Aside(required=False, widget=forms.HiddenInput)

    months = forms.IntegerField(
        label=_("months"),
        required=False,
        min_value=1,
        max_value=MOST_MONTHS,
        initial=1,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    amount = AmountField(required=False, min_value=1, max_value=MOST_DONG, help_text=_("In đồng."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["instance"].required = True
        self.fields["user"].required = False
        self.fields["user"].help_text = gettext("Empty: the school's owner.")

    def clean(self) -> dict[str, Any]:
        """What its kind needs is there, and a plan has the price that it has."""
        cleaned = super().clean()
        kind = cleaned.get("type")
        for name in _NEEDED.get(PaymentType(kind), ()) if kind else ():
            if name not in self.errors and not cleaned.get(name):
                self.add_error(name, self.fields[name].error_messages["required"])
        if kind == PaymentType.SUBSCRIPTION and cleaned.get("amount"):
            self.add_error("amount", gettext("A plan has its price; leave this empty."))
        school = cleaned.get("instance")
        if school and "user" not in self.errors and not (cleaned.get("user") or school.owner):
            self.add_error("user", gettext("The school has no owner: choose who pays."))
        if not self.errors:
            self._tell_what_it_replaces()
        return cleaned

    def _tell_what_it_replaces(self) -> None:
        found = rehearse(self._others)
        lines = [line for line in found.lines if line.warns]
        told = digest_of(lines)
        # What can't be done is refused with its reason when it is tried.
        if not found.possible or not lines or told == self.cleaned_data["replaces"]:
            return
        self.fields["replaces"].bound_data = lambda data, initial: told  # type: ignore[method-assign]
        for line in lines:
            self.add_error(None, f"{line.label}: {line.value}")
        again = gettext("Nothing is done yet."), gettext("Look at it, then send again.")
        self.add_error(None, " ".join(again))

    def _others(self) -> Sequence[Line]:
        """What would become of other orders and of credit; of what is refused nothing."""
        try:
            return opened_with(self.cleaned_data["instance"].pk, lambda: self.open(UNSAID))[1]
        except (BadOrder, NoReceivingAccount):
            return ()

    def open(self, actor: str) -> PaymentOrder:
        """Opens the order; raises BadOrder and NoReceivingAccount."""
        told = self.cleaned_data
        about: dict[str, Any] = (
            {"tier": Tier(told["tier"]), "months": told["months"]}
            if told["type"] == PaymentType.SUBSCRIPTION
            else {name: told[name] for name in _NEEDED[PaymentType.ENROLLMENT]}
        )
        return open_order(
            type=PaymentType(told["type"]),
            instance=told["instance"],
            user=told["user"],
            actor=actor,
            **about,
        )


class OpensOrders:
    """For the admin of orders: to add one is to open it."""

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Of an order that is not there yet, the form that opens it."""
        if obj is None:
            kwargs["form"] = OrderOpeningForm
        return super().get_form(request, obj, change=change, **kwargs)  # type: ignore[misc]

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        """Opens the order; what was entered is only read."""
        if change:
            return super().save_form(request, form, change)  # type: ignore[misc]
        try:
            return form.open(actor_of(request))
        except (BadOrder, NoReceivingAccount) as error:
            raise Refusal(str(error.refusal.label)) from error

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Of a new order nothing: opening wrote it."""
        if change:
            super().save_model(request, obj, form, change)  # type: ignore[misc]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Of a new order nothing: it has no other rows yet."""
        if change:
            super().save_related(request, form, formsets, change)  # type: ignore[misc]
