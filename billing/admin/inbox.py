"""What staff do with a bank line that waits: assign it, keep it as credit, put it aside."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.contrib.admin.models import CHANGE
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from billing.admin.staff_time import WhyForm
from billing.enums import TransferState
from billing.models import BankTransfer, PaymentOrder
from billing.models.transfers import MOST_DONG
from billing.services import inbox
from kitehub.backoffice.audit import Refusal, actor_of, lead_to, reason_of
from kitehub.models import Instance

ASSIGN, KEEP, DISCARD, BRING_BACK = "assign", "keep", "discard", "bring-back"
# What can be done to a line, by its state; each is the last part of an address.
OFFERED = {
    TransferState.UNMATCHED: {ASSIGN, KEEP, DISCARD, "refund"},
    TransferState.DISCARDED: {BRING_BACK},
}
_ALWAYS = {"refund"}
# With or without what groups its thousands.
_AMOUNT = re.compile(r"[0-9]{1,3}(?:[.,][0-9]{3}){1,4}|[0-9]{1,15}")


class AssignForm(WhyForm):
    """Asks for the order, or for several with what each gets."""

    field_order = ("code", "reason")

    code = forms.CharField(
        label=_("order codes"),
        max_length=1_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_(
            "One order a line: its code and, behind a blank, how many đồng. Without a number: as "
            "much as there is and as is asked for."
        ),
    )

    def clean_code(self) -> list[tuple[PaymentOrder, int | None]]:
        """The orders with their amounts, as they were entered."""
        lines = [line for line in self.cleaned_data["code"].splitlines() if line.strip()]
        parts = [_part(line) for line in lines]
        if len({order.pk for order, _amount in parts}) < len(parts):
            raise forms.ValidationError(gettext("An order is there twice."))
        return parts


def _part(line: str) -> tuple[PaymentOrder, int | None]:
    """The order and the đồng of a line; raises ValidationError."""
    code, *others = line.split()
    number = "".join(others)
    if number and not _AMOUNT.fullmatch(number):
        raise forms.ValidationError(gettext("“%(line)s” has no amount in đồng.") % {"line": line})
    amount = int(re.sub("[.,]", "", number)) if number else None
    order = PaymentOrder.objects.filter(order_id=code.upper()).first()
    if order is None:
        raise forms.ValidationError(gettext("There is no order %(code)s.") % {"code": code})
    return order, amount


class KeepForm(WhyForm):
    """Asks for the school."""

    field_order = ("subdomain", "amount", "reason")

    subdomain = forms.CharField(
        label=_("subdomain"), max_length=100, widget=UnfoldAdminTextInputWidget
    )

    amount = forms.IntegerField(
        label=_("amount"),
        required=False,
        min_value=1,
        max_value=MOST_DONG,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("In đồng. Empty: as much as there is."),
    )

    def clean_subdomain(self) -> Instance:
        """The school there."""
        name = self.cleaned_data["subdomain"].strip().lower()
        school = Instance.objects.filter(subdomain=name).first()
        if school is None:
            raise forms.ValidationError(gettext("There is no school at this subdomain."))
        return school


class SortsOut:
    """For the admin of bank lines: the actions of a line's page."""

    @action(
        description=_("Assign to orders"),
        icon="link",
        permissions=["sort_out"],
        url_path=ASSIGN,
        dialog={
            "title": _("Which orders does it pay?"),
            "description": _("What is left of the line afterwards goes on waiting."),
            "form_class": AssignForm,
            "form_submit_text": _("Assign to orders"),
        },
    )
    def assign(self, request: HttpRequest, form: AssignForm, object_id: str) -> HttpResponse:
        """Books the line on one order or on several."""
        line = self._line(request, object_id)
        left, parts, codes = line.unmatched, [], []
        for order, entered in form.cleaned_data["code"]:
            amount = min(left, order.rest) if entered is None else entered
            left = max(left - amount, 0)
            parts.append((order.pk, amount))
            codes.append(order.order_id)
        with self._sorting_out(request, line):
            inbox.match_transfer(transfer_id=line.pk, parts=parts, **_by(request))
        said = gettext("It pays %(order)s.") % {"order": ", ".join(codes)}
        return self._done(request, line, said)

    @action(
        description=_("Keep as credit"),
        icon="savings",
        permissions=["sort_out"],
        url_path=KEEP,
        dialog={
            "title": _("Whose credit is it?"),
            "description": _("It goes into the school's next payment to KiteHub."),
            "form_class": KeepForm,
            "form_submit_text": _("Keep as credit"),
        },
    )
    def keep(self, request: HttpRequest, form: KeepForm, object_id: str) -> HttpResponse:
        """Keeps the line as a school's credit."""
        line = self._line(request, object_id)
        with self._sorting_out(request, line):
            inbox.keep_transfer_as_credit(
                transfer_id=line.pk,
                instance=form.cleaned_data["subdomain"],
                amount=form.cleaned_data["amount"],
                **_by(request),
            )
        return self._done(request, line, gettext("It is kept as credit."))

    @action(
        description=_("Discard"),
        icon="block",
        permissions=["sort_out"],
        url_path=DISCARD,
        dialog={
            "title": _("Take this line out of the inbox?"),
            "description": _("For money that isn't for us. It stays unmatched in the books."),
            "form_class": WhyForm,
            "form_submit_text": _("Discard"),
        },
    )
    def discard(self, request: HttpRequest, form: WhyForm, object_id: str) -> HttpResponse:
        """Takes the line out of the inbox."""
        line = self._line(request, object_id)
        with self._sorting_out(request, line):
            inbox.discard(transfer_id=line.pk, **_by(request))
        return self._done(request, line, gettext("It is discarded."))

    @action(
        description=_("Back into the inbox"),
        icon="undo",
        permissions=["sort_out"],
        url_path=BRING_BACK,
        dialog={
            "title": _("Put this line back into the inbox?"),
            "description": _("It waits for a person again."),
            "form_class": WhyForm,
            "form_submit_text": _("Back into the inbox"),
        },
    )
    def bring_back(self, request: HttpRequest, form: WhyForm, object_id: str) -> HttpResponse:
        """Puts the line back into the inbox."""
        line = self._line(request, object_id)
        with self._sorting_out(request, line):
            inbox.undo_discard(
                transfer_id=line.pk, actor=actor_of(request), reason=reason_of(request)
            )
        return self._done(request, line, gettext("It waits in the inbox again."))

    def has_sort_out_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may say what a line is for: by Django's permissions, change bank transfers."""
        return bool(request.user.has_perm("billing.change_banktransfer"))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Offers what can be done to the line as it is."""
        line = context.get("original")
        offered = OFFERED.get(TransferState(line.state), _ALWAYS) if line else set()
        # By its address: unfold's list has no names.
        context["actions_detail"] = [
            each
            for each in context.get("actions_detail", [])
            if str(each.get("path", "")).rstrip("/").rpartition("/")[2] in offered
        ]
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]

    # --- Parts ----------------------------------------------------------------------------------

    def _line(self, request: HttpRequest, object_id: str) -> BankTransfer:
        its: Any = self
        line: BankTransfer | None = its.get_object(request, object_id)
        if line is None:
            raise Refusal(gettext("There is no such row."))
        return line

    @contextmanager
    def _sorting_out(self, request: HttpRequest, line: BankTransfer) -> Iterator[None]:
        """Tells what the service refuses, and logs what it did."""
        its: Any = self
        try:
            yield
        except inbox.CannotMatch as error:
            raise Refusal(str(error)) from error
        its.log(request, [line], CHANGE, [{"changed": {"fields": ["state"]}}])

    def _done(self, request: HttpRequest, line: BankTransfer, said: str) -> HttpResponse:
        its: Any = self
        its.message_user(request, said)
        return lead_to(request, its._page("change", line.pk))


def _by(request: HttpRequest) -> dict[str, Any]:
    return {"actor": actor_of(request), "reason": reason_of(request), "at": timezone.now()}
