"""What staff do with a bank line that waits: assign it, keep it as credit, put it aside."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.models import CHANGE
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from billing.admin.inbox_dialogs import (
    AssignDialog,
    BringBackDialog,
    DiscardDialog,
    KeepDialog,
    TakeBackDialog,
    TakeCreditBackDialog,
    UnmatchDialog,
    approves,
    given_by,
)
from billing.admin.what_comes import by_whom, codes, refusing
from billing.enums import TransferState
from billing.models import BankTransfer, PaymentOrder
from billing.services import inbox, planned
from billing.services.candidates import candidates
from billing.services.inbox import CannotMatch
from kitehub.backoffice.audit import Refusal, actor_of, existing, lead_to
from kitehub.backoffice.bulk import Bulk, each_alone, run_on_each
from kitehub.backoffice.dialogs import Line, without_actions
from kitehub.backoffice.rehearsals import foresee
from kitehub.display import money

ASSIGN, KEEP, DISCARD, BRING_BACK = "assign", "keep", "discard", "bring-back"
TAKE_BACK, TAKE_CREDIT_BACK, UNMATCH = "take-back", "take-credit-back", "unmatch"
# What can be done to a line, by its state; each is the last part of an address.
OFFERED = {
    TransferState.UNMATCHED: {ASSIGN, KEEP, DISCARD, "refund"},
    TransferState.DISCARDED: {BRING_BACK},
}
_ALWAYS = {"refund"}
# A dialog that was opened from the inbox leads back there.
FROM = "from"


class SortsOut:
    """For the admin of bank lines: the actions of a line's page, and of the list."""

    actions: ClassVar[Any] = ("discard_all", "assign_best")

    @action(
        description=_("Assign to orders"),
        icon="link",
        permissions=["sort_out"],
        url_path=ASSIGN,
        dialog={
            "title": _("Which orders does it pay?"),
            "description": _("What is left of the line afterwards goes on waiting."),
            "form_class": AssignDialog,
            "form_submit_text": _("Assign to orders"),
        },
    )
    def assign(self, request: HttpRequest, form: AssignDialog, object_id: str) -> HttpResponse:
        """Books the line on one order or on several."""
        parts = form.parts()
        said = gettext("It pays %(order)s.") % {
            "order": codes(order for order, _entered in form.cleaned_data["code"])
        }
        told: dict[str, Any] = {"parts": parts, "approves": approves(request)}
        return self._sort_out(request, form, said, lambda by: inbox.match_transfer(**told, **by))

    @action(
        description=_("Keep as credit"),
        icon="savings",
        permissions=["sort_out"],
        url_path=KEEP,
        dialog={
            "title": _("Whose credit is it?"),
            "description": _("It goes into the school's next payment to KiteHub."),
            "form_class": KeepDialog,
            "form_submit_text": _("Keep as credit"),
        },
    )
    def keep(self, request: HttpRequest, form: KeepDialog, object_id: str) -> HttpResponse:
        """Keeps the line as a school's credit."""
        told = {"instance": form.cleaned_data["subdomain"], "amount": form.cleaned_data["amount"]}
        told["approves"] = approves(request)
        said = gettext("It is kept as credit.")
        return self._sort_out(
            request, form, said, lambda by: inbox.keep_transfer_as_credit(**told, **by)
        )

    @action(
        description=_("Discard"),
        icon="block",
        permissions=["sort_out"],
        url_path=DISCARD,
        dialog={
            "title": _("Take this line out of the inbox?"),
            "description": _("For money that isn't for us. It stays unmatched in the books."),
            "form_class": DiscardDialog,
            "form_submit_text": _("Discard"),
        },
    )
    def discard(self, request: HttpRequest, form: DiscardDialog, object_id: str) -> HttpResponse:
        """Takes the line out of the inbox."""
        said = gettext("It is discarded.")
        return self._sort_out(request, form, said, lambda by: inbox.discard(**by))

    @action(
        description=_("Back into the inbox"),
        icon="undo",
        permissions=["sort_out"],
        url_path=BRING_BACK,
        dialog={
            "title": _("Put this line back into the inbox?"),
            "description": _("It waits for a person again."),
            "form_class": BringBackDialog,
            "form_submit_text": _("Back into the inbox"),
        },
    )
    def bring_back(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Puts the line back into the inbox."""
        said = gettext("It waits in the inbox again.")
        return self._sort_out(request, form, said, lambda by: inbox.undo_discard(**_timeless(by)))

    @action(
        description=_("Undo the assignment"),
        icon="undo",
        permissions=["sort_out"],
        url_path=TAKE_BACK,
        dialog={
            "title": _("Undo the assignment?"),
            "description": _("It isn't booked yet. The line waits for a person again."),
            "form_class": TakeBackDialog,
            "form_submit_text": _("Undo the assignment"),
        },
    )
    def take_back(self, request: HttpRequest, form: TakeBackDialog, object_id: str) -> HttpResponse:
        """Undoes an assignment that isn't booked yet."""
        plan = form.plan

        def work(by: dict[str, Any]) -> BankTransfer:
            if plan is None:
                raise CannotMatch(gettext("Nothing is planned for this line any more."))
            del by["transfer_id"]
            return planned.take_back(plan_id=plan.pk, **by).transfer

        return self._sort_out(request, form, gettext("It waits in the inbox again."), work)

    @action(
        description=_("Take the credit back"),
        icon="undo",
        permissions=["sort_out"],
        url_path=TAKE_CREDIT_BACK,
        dialog={
            "title": _("Is it no credit after all?"),
            "description": _("The line waits for a person again."),
            "form_class": TakeCreditBackDialog,
            "form_submit_text": _("Take the credit back"),
        },
    )
    def take_credit_back(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Undoes that the line was kept as credit."""
        said = gettext("It waits in the inbox again.")
        return self._sort_out(request, form, said, lambda by: inbox.take_credit_back(**by))

    @action(
        description=_("Take off an order"),
        icon="link_off",
        permissions=["sort_out"],
        url_path=UNMATCH,
        dialog={
            "title": _("For which order was this money not?"),
            "description": _("The line waits for a person again. A paid order is refunded."),
            "form_class": UnmatchDialog,
            "form_submit_text": _("Take off the order"),
        },
    )
    def unmatch(self, request: HttpRequest, form: UnmatchDialog, object_id: str) -> HttpResponse:
        """Takes what the line has given off an order that isn't paid."""
        key = form.cleaned_data["allocation"]

        def work(by: dict[str, Any]) -> BankTransfer:
            del by["transfer_id"]
            return inbox.unmatch(allocation_id=key, **by)

        return self._sort_out(request, form, gettext("It waits in the inbox again."), work)

    @admin.action(description=_("Discard selected transfers"), permissions=["sort_out"])
    @each_alone
    def discard_all(self, request: HttpRequest, queryset: QuerySet[BankTransfer]) -> Any:
        """Takes each that waits out of the inbox."""

        def preview(line: BankTransfer) -> str:
            if line.state != TransferState.UNMATCHED:
                raise Refusal(_state(line))
            return f"{money(line.unmatched)} · {line.memo[:80]}"

        def act(line: BankTransfer) -> str:
            with refusing(CannotMatch):
                inbox.discard(transfer_id=line.pk, **by_whom(request))
            self._log(request, line)
            return gettext("It is discarded.")

        bulk = Bulk(
            name="discard_all",
            title=_("Discard selected transfers"),
            meaning=_("For money that isn't for us. It stays unmatched in the books."),
            preview=preview,
            act=act,
        )
        return run_on_each(self, request, queryset, bulk)

    @admin.action(description=_("Assign selected to the likeliest order"), permissions=["sort_out"])
    @each_alone
    def assign_best(self, request: HttpRequest, queryset: QuerySet[BankTransfer]) -> Any:
        """Assigns each to the order that is the likeliest, and the only one as likely.

        What is booked is what was shown: the preview, which is compared with what was seen, says
        to which order each line goes. For a moment it can be undone, as on the page of the inbox.
        """
        chosen: dict[UUID, PaymentOrder] = {}

        def plan(line: BankTransfer, order: PaymentOrder) -> Sequence[Line]:
            with refusing(CannotMatch):
                planned.plan_match(
                    transfer_id=line.pk,
                    order_id=order.pk,
                    actor=actor_of(request),
                    at=timezone.now(),
                    approves=approves(request),
                )
            return ()

        def preview(line: BankTransfer) -> str:
            best = _best(line)
            if best.order in chosen.values():
                said = gettext("An earlier row pays %(order)s already.")
                raise Refusal(said % {"order": best.order.order_id})
            foresee(lambda: plan(line, best.order))
            chosen[line.pk] = best.order
            why = "; ".join(str(each.label) for each in best.why)
            return f"{best.order.order_id} · {money(min(line.unmatched, best.order.rest))} · {why}"

        def act(line: BankTransfer) -> str:
            plan(line, chosen[line.pk])
            self._log(request, line)
            said = gettext("It pays %(order)s in %(seconds)s seconds. Until then it can be undone.")
            seconds = int(planned.UNDO_FOR.total_seconds())
            return said % {"order": chosen[line.pk].order_id, "seconds": seconds}

        bulk = Bulk(
            name="assign_best",
            title=_("Assign selected to the likeliest order"),
            meaning=_("What is left of a line afterwards goes on waiting."),
            preview=preview,
            act=act,
            moves_money=True,
        )
        return run_on_each(self, request, queryset, bulk)

    def has_sort_out_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may say what a line is for."""
        return bool(request.user.has_perm("billing.match_transfer"))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Offers what can be done to the line as it is."""
        line = context.get("original")
        offered = OFFERED.get(TransferState(line.state), _ALWAYS) if line else set()
        if line and line.state == TransferState.UNMATCHED and planned.open_plan(line):
            offered = {TAKE_BACK}  # all else is refused until it is booked or undone
        if line and line.credited_amount:
            offered = offered | {TAKE_CREDIT_BACK}
        if line and line.allocated_amount and given_by(line):
            offered = offered | {UNMATCH}
        every = {ASSIGN, KEEP, DISCARD, BRING_BACK, TAKE_BACK, TAKE_CREDIT_BACK, UNMATCH, "refund"}
        without_actions(context, *(every - offered))
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]

    # --- Parts ----------------------------------------------------------------------------------

    def _sort_out(
        self,
        request: HttpRequest,
        form: Any,
        said: str,
        work: Callable[[dict[str, Any]], BankTransfer],
    ) -> HttpResponse:
        """Does it, tells what the service refuses, logs, and leads to where it was asked from."""
        its: Any = self
        line = existing(form.row)
        with refusing(CannotMatch):
            work({"transfer_id": line.pk, **by_whom(request)})
        self._log(request, line)
        its.message_user(request, said)
        if request.GET.get(FROM) == "inbox":
            return lead_to(request, reverse("admin:billing_banktransfer_inbox"))
        return lead_to(request, its._page("change", line.pk))

    def _log(self, request: HttpRequest, line: BankTransfer) -> None:
        its: Any = self
        its.log(request, [line], CHANGE, [{"changed": {"fields": ["state"]}}])


def _best(line: BankTransfer) -> Any:
    """The likeliest order of a line that waits; raises Refusal for none, or several as likely."""
    if line.state != TransferState.UNMATCHED:
        raise Refusal(_state(line))
    found: Sequence[Any] = candidates(line, limit=2)
    if not found:
        raise Refusal(gettext("None is like it."))
    if len(found) > 1 and found[0].score == found[1].score:
        raise Refusal(
            gettext("%(orders)s come into question alike.")
            % {"orders": codes(each.order for each in found)}
        )
    return found[0]


def _state(line: BankTransfer) -> str:
    said = gettext("The bank line is in the state “%(state)s”.")
    return said % {"state": line.get_state_display()}


def _timeless(by: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in by.items() if name != "at"}
