"""Payments by hand in their own list, where another person than who entered one decides it."""

from collections.abc import Hashable, Iterator, Sequence
from functools import partial
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.models import CHANGE
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from billing.admin.amount_dialogs import AmountDialog, StateDialog
from billing.admin.mark_paid import entered_lines, told_lines
from billing.admin.what_comes import minute, of_line, of_order, refusing
from billing.enums import ManualPaymentKind, ManualPaymentStatus, PaymentType
from billing.models import ManualPayment, PaymentOrder
from billing.services import manual
from billing.services.manual import CannotEnter
from kitehub.backoffice import AuditAdmin, Audited
from kitehub.backoffice.audit import Refusal, actor_of, existing, lead_to, reason_of
from kitehub.backoffice.bulk import Bulk, each_alone, run_on_each
from kitehub.backoffice.dialogs import Line, without_actions
from kitehub.backoffice.filters import DayRangeFilter
from kitehub.backoffice.labels import Label
from kitehub.backoffice.names import instances_at
from kitehub.backoffice.rehearsals import RehearsedDialog, foresee
from kitehub.backoffice.tabs import tabs_of
from kitehub.display import money

MANUAL_COLOURS = {
    ManualPaymentStatus.REQUESTED.value: "warning",
    ManualPaymentStatus.CONFIRMED.value: "success",
    ManualPaymentStatus.REJECTED.value: "default",
}


class ConfirmDialog(RehearsedDialog, AmountDialog):
    """Shows what would be booked, and asks for the amount again."""

    model = ManualPayment

    def attempt(self, actor: str) -> Sequence[Line]:
        """Confirms it."""
        return confirmed(self.row, actor)


class RejectDialog(StateDialog):
    """Asks why."""

    model = ManualPayment


@admin.register(ManualPayment)
class ManualPaymentAdmin(Audited, AuditAdmin):
    """The queue of payments by hand. Who entered one doesn't confirm it."""

    small = "Staff enter each row by hand."
    nothing_yet = _("Enter a payment by hand on the page of its order.")
    list_display = (
        "requested_at",
        "status_label",
        "order",
        "amount_text",
        "kind_text",
        "reference",
        "requested_by",
        "decided_by",
    )
    list_filter = (("requested_at", DayRangeFilter),)
    tabs = tabs_of("status", ManualPaymentStatus)
    list_select_related = ("order",)
    ordering = ("-requested_at",)
    search_columns: ClassVar = ("reference",)
    search_uuids = ("id", "order_id", "transfer_id")
    search_help_text = _("Order code, bank reference, subdomain or ID")
    actions: ClassVar[Any] = ("confirm_all",)
    actions_detail: ClassVar[Any] = ("confirm", "reject")
    fieldsets = (
        (None, {"fields": (("status_label", "amount_text"), "order", "kind_text")}),
        (
            _("Evidence"),
            {
                "fields": (
                    ("received_at", "reference"),
                    ("account_number", "payer_name"),
                    "memo",
                    "evidence",
                    "why_text",
                )
            },
        ),
        (
            _("What happened"),
            {
                "fields": (
                    ("requested_by", "requested_at"),
                    ("decided_by", "decided_at"),
                    "decision",
                    "transfer",
                )
            },
        ),
    )
    readonly_fields = ("status_label", "amount_text", "kind_text", "paper_text", "why_text")

    @action(
        description=_("Confirm"),
        icon="check",
        permissions=["decide"],
        url_path="confirm",
        dialog={
            "title": _("Confirm this payment?"),
            "description": _("It counts as money that came, and pays its order at once."),
            "form_class": ConfirmDialog,
            "form_submit_text": _("Confirm"),
        },
    )
    def confirm(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Confirms the payment."""
        work = partial(manual.confirm_payment, decision=reason_of(request))
        return self._decide(request, form, work, gettext("The payment is confirmed and booked."))

    @action(
        description=_("Reject"),
        icon="close",
        permissions=["decide_or_take_back"],
        url_path="reject",
        dialog={
            "title": _("Reject this payment?"),
            "description": _("Nothing is booked. It can be entered again."),
            "form_class": RejectDialog,
            "form_submit_text": _("Reject"),
        },
    )
    def reject(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Rejects the payment; who entered it takes it back so."""
        payment = form.row
        own = payment is not None and payment.requested_by == actor_of(request)
        if not own and not self.has_decide_permission(request):
            raise Refusal(gettext("Only who entered it may take it back."))
        work = partial(manual.reject_payment, decision=reason_of(request))
        return self._decide(request, form, work, gettext("The payment is rejected."))

    @admin.action(description=_("Confirm selected payments"), permissions=["decide"])
    @each_alone
    def confirm_all(self, request: HttpRequest, queryset: QuerySet[ManualPayment]) -> Any:
        """Confirms each that somebody else entered."""
        actor = actor_of(request)

        def preview(payment: ManualPayment) -> str:
            return foresee(lambda: confirmed(payment, actor), self.refusal_of)

        def act(payment: ManualPayment) -> str:
            with refusing(CannotEnter):
                manual.confirm_payment(
                    payment_id=payment.pk,
                    actor=actor,
                    at=timezone.now(),
                    decision=reason_of(request),
                )
            self.log(request, [payment], CHANGE, [{"changed": {"fields": ["status"]}}])
            return gettext("The payment is confirmed and booked.")

        bulk = Bulk(
            name="confirm_all",
            title=_("Confirm selected payments"),
            meaning=_("Each counts as money that came, and pays its order at once."),
            preview=preview,
            act=act,
            moves_money=True,
            of=_paid_by,
        )
        return run_on_each(self, request, queryset, bulk)

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may confirm what others entered."""
        return bool(request.user.has_perm("billing.approve_payment"))

    def has_decide_or_take_back_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may confirm, and who may enter: these take back what they entered."""
        may_enter = request.user.has_perm("billing.mark_paid")
        return self.has_decide_permission(request) or bool(may_enter)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Of cash the number of its paper; it came on no account, and with no memo."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or obj.kind != ManualPaymentKind.CASH:
            return fieldsets
        (top, (title, shown), *others) = fieldsets
        of_bank = (("received_at", "reference"), ("account_number", "payer_name"), "memo")
        rest = shown["fields"][len(of_bank) :]
        fields = (("received_at", "paper_text"), "payer_name", *rest)
        return [top, (title, {**shown, "fields": fields}), *others]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Offers what can be done to the payment as it is, and by whom."""
        payment = context.get("original")
        if payment is None or payment.status != ManualPaymentStatus.REQUESTED:
            without_actions(context, "confirm", "reject")
        elif payment.requested_by == actor_of(request):
            without_actions(context, "confirm")
        elif not self.has_decide_permission(request):
            without_actions(context, "reject")
        return super().render_change_form(request, context, *args, **kwargs)

    def _decide(self, request: HttpRequest, form: Any, work: Any, said: str) -> HttpResponse:
        payment = existing(form.row)
        with refusing(CannotEnter):
            work(payment_id=payment.pk, actor=actor_of(request), at=timezone.now())
        self.log(request, [payment], CHANGE, [{"changed": {"fields": ["status"]}}])
        self.message_user(request, said)
        return lead_to(request, self._page("change", payment.pk))

    # --- Columns --------------------------------------------------------------------------------

    def related_matches(self, term: str) -> Q:
        """Payments of the order with this code, or of the instance with this subdomain."""
        matches = Q()
        orders = PaymentOrder.all_objects.filter(order_id=term.upper()).values_list("id", flat=True)
        if found := list(orders):
            matches |= Q(order_id__in=found)
        if instances := instances_at(term):
            matches |= Q(order__instance_id__in=instances)
        return matches

    @display(description=_("state"), ordering="status", label=MANUAL_COLOURS)
    def status_label(self, payment: ManualPayment) -> Label:
        """The state as a coloured label."""
        return Label(payment.status, payment.get_status_display())

    @display(description=_("amount"), ordering="amount")
    def amount_text(self, payment: ManualPayment) -> str:
        """The amount as money."""
        return money(payment.amount)

    @display(description=_("way of payment"), ordering="kind")
    def kind_text(self, payment: ManualPayment) -> str:
        """Whether it is cash, or a bank line."""
        return payment.get_kind_display()

    @display(description=_("number of the paper"))
    def paper_text(self, payment: ManualPayment) -> str:
        """What cash has in place of a bank's reference."""
        return payment.reference

    @display(description=_("reason"))
    def why_text(self, payment: ManualPayment) -> str:
        """Why it was entered by hand."""
        return payment.reason


def confirmed(payment: ManualPayment, actor: str) -> Sequence[Line]:
    """Confirms a payment, and says what has come of it and what is like it. Raises Refusal."""
    with refusing(CannotEnter):
        done = manual.confirm_payment(payment_id=payment.pk, actor=actor, at=timezone.now())
    transfer: Any = done.transfer
    said = f"{money(done.amount)} · {minute(done.received_at)} · {done.reference}"
    cash = done.kind == ManualPaymentKind.CASH
    return [
        *_alike(done),
        Line(gettext("Cash") if cash else gettext("Bank transfer"), said),
        *of_order(done.order, transfer.allocated_amount),
        *_credited(transfer.credited_amount),
        of_line(transfer),
    ]


def _paid_by(payment: ManualPayment) -> Hashable:
    """Whose money it moves: the subscription's orders of a school share its credit and dates."""
    order = payment.order
    ours = order.type == PaymentType.SUBSCRIPTION
    return (ours and order.instance_id) or order.pk


def _alike(payment: ManualPayment) -> Iterator[Line]:
    """What may be the same money: as much by hand for the same order, or as a bank told it."""
    others = manual.entered_for(payment.order).filter(amount=payment.amount).exclude(pk=payment.pk)
    yield from entered_lines(others)
    yield from told_lines(payment)


def _credited(amount: int) -> Sequence[Line]:
    return [Line(gettext("Becomes the school's credit"), money(amount))] if amount else []
