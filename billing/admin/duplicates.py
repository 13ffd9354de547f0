"""Staff say that a bank line is the money of a payment by hand, or that it is other money."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget

from billing.admin.amount_dialogs import SumDialog
from billing.admin.inbox_dialogs import LeftDialog, LineDialog
from billing.admin.mark_paid import named
from billing.admin.what_comes import UNSAID, refusing
from billing.enums import TransferState
from billing.models import BankTransfer, ManualPayment
from billing.services import duplicates, planned
from billing.services.inbox import CannotMatch
from kitehub.backoffice.dialogs import Line, without_actions
from kitehub.backoffice.rehearsals import PlannedDialog, RehearsedDialog
from kitehub.backoffice.search import parse_uuid
from kitehub.display import money

SAME_MONEY, OTHER_MONEY = "same-money", "other-money"
# Which payment a dialog is opened with.
PAYMENT = "payment"


class SameMoneyDialog(LeftDialog, PlannedDialog):
    """Asks which payment by hand it is, and shows that the line counts no more."""

    payment = forms.ChoiceField(label=_("payment entered by hand"), widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        which: Any = self.fields["payment"]
        found = duplicates.entered_alike(self.row) if self.row else ()
        which.choices = [(str(each.transfer_id), named(each)) for each in found]
        which.initial = self.request.GET.get(PAYMENT)

    @cached_property
    def row(self) -> Any:
        """The line; of a dialog that is sent locked, behind what is locked before lines."""
        key = parse_uuid(str(self.object_id))
        found = BankTransfer.objects.filter(pk=key).first() if key else None
        if found is not None and self.request.method == "POST":
            duplicates.lock_alike(found)
        return super().row

    def told_id(self) -> UUID:
        """The bank line of the payment that was chosen."""
        return UUID(self.cleaned_data["payment"])

    def attempt(self, actor: str) -> Sequence[Line]:
        """Ties them."""
        with refusing(CannotMatch):
            duplicates.mark_duplicate(
                transfer_id=self.row.pk,
                told_id=self.told_id(),
                actor=actor,
                reason=UNSAID,
                at=timezone.now(),
            )
        payment = ManualPayment.objects.select_related("order").get(transfer=self.told_id())
        return [
            Line(gettext("The same money as"), named(payment)),
            Line(gettext("Counted once"), gettext("this line is for nothing any more")),
        ]


class OtherMoneyDialog(LineDialog, RehearsedDialog, SumDialog):
    """Shows that the line waits again, and asks for its amount."""

    def attempt(self, actor: str) -> Sequence[Line]:
        """Unties them."""
        with refusing(CannotMatch):
            line = duplicates.unmark_duplicate(
                transfer_id=self.row.pk, actor=actor, reason=UNSAID, at=timezone.now()
            )
        return [Line(gettext("Counts by itself and waits"), money(line.unmatched), warns=True)]


class TellsDuplicates:
    """For the admin of bank lines, before SortsOut: that a line is a payment's money, or isn't."""

    @action(
        description=_("The same money as a payment by hand"),
        icon="content_copy",
        permissions=["sort_out"],
        url_path=SAME_MONEY,
        dialog={
            "title": _("Which payment by hand is this money?"),
            "description": _(
                "The money counts once: as the payment that was entered. This line waits no more."
            ),
            "form_class": SameMoneyDialog,
            "form_submit_text": _("It is the same money"),
        },
    )
    def same_money(
        self, request: HttpRequest, form: SameMoneyDialog, object_id: str
    ) -> HttpResponse:
        """Says that the line is a payment's money."""
        its: Any = self
        said = gettext("It is the same money, and counts once.")
        answer: HttpResponse = its._sort_out(
            request,
            form,
            said,
            lambda by: duplicates.mark_duplicate(told_id=form.told_id(), **by),
        )
        return answer

    @action(
        description=_("It is other money"),
        icon="undo",
        permissions=["sort_out"],
        url_path=OTHER_MONEY,
        dialog={
            "title": _("Is it other money than the payment by hand?"),
            "description": _("The line waits for a person again."),
            "form_class": OtherMoneyDialog,
            "form_submit_text": _("It is other money"),
        },
    )
    def other_money(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Takes back that the line is a payment's money."""
        its: Any = self
        said = gettext("It waits in the inbox again.")
        answer: HttpResponse = its._sort_out(
            request, form, said, lambda by: duplicates.unmark_duplicate(**by)
        )
        return answer

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Offers it where a payment is alike, or where a person has said so."""
        line = context.get("original")
        if line is None or not entered_like(line):
            without_actions(context, SAME_MONEY)
        if line is None or not line.is_tied:
            without_actions(context, OTHER_MONEY)
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]


def entered_like(line: BankTransfer) -> Sequence[ManualPayment]:
    """The payments by hand whose money a line that waits may be."""
    if line.state != TransferState.UNMATCHED or line.unmatched < line.amount:
        return ()
    return () if planned.open_plan(line) else list(duplicates.entered_alike(line))
