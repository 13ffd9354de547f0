"""What is asked before something is made of a bank line that waits, and what comes of it."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import F, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from billing.admin.amount_dialogs import SumDialog
from billing.admin.mark_paid import alike_lines
from billing.admin.unmatching import AllocationDialog
from billing.admin.what_comes import UNSAID, minute, of_line, of_order, of_school, refusing
from billing.enums import PaymentStatus
from billing.models import BankTransfer, PaymentAllocation, PaymentOrder, PlannedMatch
from billing.models.transfers import MOST_DONG
from billing.services import inbox, planned
from billing.services.candidates import Likeness, candidates
from billing.services.inbox import CannotMatch
from kitehub.backoffice.amounts import parse_amount
from kitehub.backoffice.dialogs import Line, RetypedDialog, WhyDialog
from kitehub.backoffice.forms import AmountField
from kitehub.backoffice.rehearsals import PlannedDialog, RehearsedDialog
from kitehub.backoffice.search import parse_uuid
from kitehub.display import money
from kitehub.models import Instance

# With or without what groups its thousands.


class LineDialog(WhyDialog):
    """Of a bank line, which has no version: its state and what is left of it say as much."""

    model = BankTransfer

    @cached_property
    def row(self) -> Any:
        """The line; of a dialog that is sent nobody else's, from before it is compared on.

        First of all locks, as everywhere: so what was seen is what is done, even if the same
        dialog is sent twice at once.
        """
        key = parse_uuid(str(self.object_id))
        if key is None or self.request.method != "POST":
            return super().row
        rows = BankTransfer.objects.select_for_update(of=("self",), no_key=True)
        return rows.filter(pk=key).first()

    @property
    def _version(self) -> str:
        return f"{self.row.state} {self.row.unmatched}" if self.row else ""


class LeftDialog(LineDialog, SumDialog):
    """Of a bank line that waits: what is left of it is typed again."""

    def sum_of_row(self) -> int:
        """What waits."""
        left: int = self.row.unmatched
        return left


class AssignDialog(LeftDialog, PlannedDialog):
    """Asks for the order, or for several with what each gets."""

    code = forms.CharField(
        label=_("order codes"),
        max_length=1_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_(
            "One order a line: its code and, behind a blank, how many đồng. Without a number: as "
            "much as there is and as is asked for."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].initial = self._named  # asked for where it is shown

    def _named(self) -> str:
        """The codes that the line itself names, where it names several orders that can be paid."""
        found = candidates(self.row, limit=20) if self.row else []
        named = [each.order.order_id for each in found if Likeness.CODE in each.why]
        return "\n".join(named) if len(named) > 1 else ""

    def clean_code(self) -> list[tuple[PaymentOrder, int | None]]:
        """The orders with their amounts, as they were entered."""
        lines = [line for line in self.cleaned_data["code"].splitlines() if line.strip()]
        parts = [_part(line) for line in lines]
        if len({order.pk for order, _amount in parts}) < len(parts):
            raise forms.ValidationError(gettext("An order is there twice."))
        return parts

    def parts(self) -> list[tuple[UUID, int]]:
        """The orders with what each gets."""
        left, parts = self.row.unmatched, []
        for order, entered in self.cleaned_data["code"]:
            amount = min(left, order.rest) if entered is None else entered
            left = max(left - amount, 0)
            parts.append((order.pk, amount))
        return parts

    def attempt(self, actor: str) -> Sequence[Line]:
        """Books the line."""
        parts = dict(self.parts())
        with refusing(CannotMatch):
            transfer = inbox.match_transfer(
                transfer_id=self.row.pk,
                parts=list(parts.items()),
                actor=actor,
                reason=UNSAID,
                at=timezone.now(),
                approves=approves(self.request),
            )
        lines = list(alike_lines(self.row))
        for order, _entered in self.cleaned_data["code"]:
            lines += [*of_school(order.instance), *of_order(order, parts[order.pk])]
        return [*lines, of_line(transfer)]


class KeepDialog(LeftDialog, PlannedDialog):
    """Asks for the school."""

    subdomain = forms.CharField(
        label=_("subdomain"), max_length=100, widget=UnfoldAdminTextInputWidget
    )
    amount = AmountField(
        required=False,
        min_value=1,
        max_value=MOST_DONG,
        help_text=_("In đồng. Empty: as much as there is."),
    )

    def clean_subdomain(self) -> Instance:
        """The school there."""
        name = self.cleaned_data["subdomain"].strip().lower()
        school = Instance.objects.filter(subdomain=name).first()
        if school is None:
            raise forms.ValidationError(gettext("There is no school at this subdomain."))
        return school

    def attempt(self, actor: str) -> Sequence[Line]:
        """Keeps it."""
        school, before = self.cleaned_data["subdomain"], self.row.unmatched
        with refusing(CannotMatch):
            transfer = inbox.keep_transfer_as_credit(
                transfer_id=self.row.pk,
                instance=school,
                amount=self.cleaned_data["amount"],
                actor=actor,
                reason=UNSAID,
                at=timezone.now(),
                approves=approves(self.request),
            )
        kept = Line(gettext("Becomes the school's credit"), money(before - transfer.unmatched))
        return [*alike_lines(transfer), *of_school(school), kept, of_line(transfer)]


class DiscardDialog(LineDialog):
    """Shows the line once more."""

    def preview(self) -> Sequence[Line]:
        """What is put aside."""
        said = f"{money(self.row.unmatched)} · {minute(self.row.transferred_at)}"
        return [
            Line(gettext("Left of the transfer"), said),
            Line(gettext("Memo"), self.row.memo[:200] or "–"),
        ]


class BringBackDialog(DiscardDialog):
    """Shows the line once more."""


class TakeBackDialog(WhyDialog):
    """Shows what is planned. A plan is locked before its line, so this doesn't lock the line."""

    model = BankTransfer

    @cached_property
    def plan(self) -> PlannedMatch | None:
        """What is to be taken back; None where it is booked by now."""
        return planned.open_plan(self.row) if self.row else None

    def preview(self) -> Sequence[Line]:
        """What is taken back."""
        if self.plan is None:
            return ()
        said = f"{money(self.plan.amount)} · {self.plan.created_by}"
        return [Line(self.plan.order.order_id, said)]

    @property
    def _version(self) -> str:
        return str(self.plan.pk) if self.plan else ""


class TakeCreditBackDialog(LineDialog, RehearsedDialog, SumDialog):
    """Shows what is left of the line then, and asks for the credit's amount again."""

    def sum_of_row(self) -> int:
        """What is taken back."""
        kept: int = self.row.credited_amount
        return kept

    def attempt(self, actor: str) -> Sequence[Line]:
        """Takes it back."""
        before = self.row.credited_amount
        with refusing(CannotMatch):
            transfer = inbox.take_credit_back(
                transfer_id=self.row.pk, actor=actor, reason=UNSAID, at=timezone.now()
            )
        return [Line(gettext("No credit any more"), money(before)), of_line(transfer)]


class UnmatchDialog(LineDialog, AllocationDialog, RetypedDialog):
    """Asks from which order what the line has given is taken, and shows what both are then.

    The order's code is typed again.
    """

    allocation = forms.ChoiceField(label=_("payment order"), widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["retyped"].label = gettext("Type the order's code to confirm")

    def code_of_row(self) -> str:
        """The code of the order that is chosen; nothing before one is."""
        chosen = getattr(self, "cleaned_data", {}).get("allocation", "")
        codes = {str(each.pk): each.order.order_id for each, _said in self.offered()}
        return codes.get(chosen, "")

    def offered(self) -> Iterable[tuple[PaymentAllocation, str]]:
        """What the line has given to orders that aren't paid."""
        return [
            (each, f"{each.order.order_id} · {money(left)}") for each, left in given_by(self.row)
        ]


def approves(request: HttpRequest) -> bool:
    """Whether who sent a request may confirm payments by hand, and so redirect their money."""
    return bool(request.user.has_perm("billing.approve_payment"))


def given_by(transfer: BankTransfer) -> list[tuple[PaymentAllocation, int]]:
    """What of a line is on orders that aren't paid, and so can be taken off them."""
    rows = (
        PaymentAllocation.objects.filter(transfer=transfer, amount__gt=0)
        .exclude(order__status=PaymentStatus.PAID)
        .annotate(left=F("amount") + Coalesce(Sum("reversals__amount"), 0))
        .filter(left__gt=0)
        .select_related("order")
        .order_by("created_at", "pk")
    )
    return [(allocation, allocation.left) for allocation in rows]


def _part(line: str) -> tuple[PaymentOrder, int | None]:
    """The order and the đồng of a line; raises ValidationError."""
    code, *others = line.split()
    amount = parse_amount(" ".join(others)) if others else None
    if others and (amount is None or amount < 0):
        raise forms.ValidationError(gettext("“%(line)s” has no amount in đồng.") % {"line": line})
    found = PaymentOrder.objects.filter(order_id=code.upper()).select_related("instance")
    order = found.first()
    if order is None:
        raise forms.ValidationError(gettext("There is no order %(code)s.") % {"code": code})
    return order, amount
