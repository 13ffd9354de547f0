"""Refunds in the admin: one person asks, another approves, and the bank gets a file."""

from functools import partial
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE
from django.db.models import Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from billing.admin.details import RefundDetails
from billing.admin.refund_dialogs import (
    ApproveDialog,
    RejectDialog,
    SentDialog,
    approved,
    asked_for,
    refusals,
)
from billing.admin.refund_form import REFUNDED, RefundForm
from billing.banks import bank
from billing.enums import RefundStatus
from billing.models import PaymentOrder, Refund
from billing.refund_export import payouts_csv
from billing.services import refunds
from kitehub.backoffice import AuditAdmin, Audited
from kitehub.backoffice.audit import Refusal, actor_of, existing, lead_to, reason_of
from kitehub.backoffice.bulk import Bulk, each_alone, run_on_each
from kitehub.backoffice.dialogs import without_actions
from kitehub.backoffice.exports import Column, amount
from kitehub.backoffice.filters import AmountRangeFilter, DayRangeFilter
from kitehub.backoffice.labels import Label
from kitehub.backoffice.names import instances_at
from kitehub.backoffice.rehearsals import foresee
from kitehub.backoffice.tabs import tabs_of
from kitehub.display import money

# Each status is there: of one that is missing, unfold shows the code.
REFUND_COLOURS = {
    RefundStatus.REQUESTED.value: "warning",
    RefundStatus.APPROVED.value: "info",
    RefundStatus.SENT.value: "success",
    RefundStatus.REJECTED.value: "default",
}


@admin.register(Refund)
class RefundAdmin(RefundDetails, Audited, AuditAdmin):
    """The queue of refunds. To add one is to ask for it; who asked doesn't approve it."""

    form = RefundForm
    list_display = (
        "requested_at",
        "status_label",
        "of_text",
        "amount_text",
        "instance",
        "requested_by",
        "decided_by",
        "sent_at",
    )
    export_columns: ClassVar = (
        "requested_at",
        "status",
        "source",
        "order__order_id",
        amount("amount"),
        Column("instance__organization_name", _("instance")),
        "reason",
        "payee_bank_bin",
        "payee_account",
        "payee_name",
        "requested_by",
        "decided_by",
        "decided_at",
        "decision",
        "sent_by",
        "sent_at",
        "sent_reference",
        "id",
    )
    list_filter = (("requested_at", DayRangeFilter), ("amount", AmountRangeFilter), "source")
    tabs = tabs_of("status", RefundStatus)
    more_orders = (("-amount", "-requested_at"),)
    search_amount = "amount"
    sums: ClassVar[Any] = {_("Total"): Sum("amount")}
    nothing_yet = _("Ask for a refund here, or on the page of an order or a bank transfer.")
    list_select_related = ("instance", "order")
    ordering = ("-requested_at",)
    search_uuids = ("id", "instance_id", "order_id", "transfer_id")
    search_help_text = _("Order code, subdomain, ID or amount")
    autocomplete_fields = REFUNDED
    actions_detail: ClassVar[Any] = ("approve", "reject", "mark_sent")
    actions: ClassVar[Any] = ("approve_all",)
    actions_list: ClassVar[Any] = ("payouts",)
    fieldsets = (
        (None, {"fields": (("status_label", "amount_text", "cash_text"), "why_text")}),
        (_("What is paid back"), {"fields": ("order", "transfer", "instance")}),
        (_("Pay to"), {"fields": (("bank_text", "payee_account"), "payee_name")}),
        (
            _("What happened"),
            {
                "fields": (
                    ("requested_by", "requested_at"),
                    ("decided_by", "decided_at"),
                    "decision",
                    ("sent_by", "sent_at"),
                    "sent_reference",
                )
            },
        ),
    )
    add_fieldsets = (
        (_("What is paid back"), {"fields": (*REFUNDED, "amount", "plan")}),
        (_("Pay to"), {"fields": ("payee_bank_bin", "payee_account", "payee_name")}),
    )
    readonly_fields = (
        "status_label",
        "amount_text",
        "cash_text",
        "why_text",
        "bank_text",
    )

    # --- Who may what ---------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may ask for refunds."""
        return bool(request.user.has_perm("billing.request_refund"))

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may decide what others ask for."""
        return bool(request.user.has_perm("billing.approve_refund"))

    def has_decide_or_take_back_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may decide, and who may ask: these take back what they asked for."""
        return self.has_decide_permission(request) or self.has_add_permission(request)

    # --- Asking ---------------------------------------------------------------------------------

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Refund:
        """Asks for the refund. What was entered is only read."""
        with refusals():
            return form.ask(actor_of(request))  # type: ignore[no-any-return]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing: asking wrote it."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing: a refund has no other rows."""

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Says what was asked for, and what has to follow."""
        self.message_user(request, asked_for(obj), messages.SUCCESS)
        answer: HttpResponse = self.response_post_save_add(request, obj)
        return answer

    # --- Deciding -------------------------------------------------------------------------------

    @action(
        description=_("Approve"),
        icon="check",
        permissions=["decide"],
        url_path="approve",
        dialog={
            "title": _("Approve this refund?"),
            "description": _(
                "The money counts as paid back at once; then the bank has to send it."
            ),
            "form_class": ApproveDialog,
            "form_submit_text": _("Approve"),
        },
    )
    def approve(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Approves the refund."""
        said = gettext("The refund is approved.")
        work = partial(refunds.approve, decision=reason_of(request))
        return self._do(request, form, work, said)

    @action(
        description=_("Reject"),
        icon="close",
        permissions=["decide_or_take_back"],
        url_path="reject",
        dialog={
            "title": _("Reject this refund?"),
            "description": _("Nothing is paid back. It can be asked for again."),
            "form_class": RejectDialog,
            "form_submit_text": _("Reject"),
        },
    )
    def reject(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Rejects the refund; who asked for it takes it back so."""
        own = form.row is not None and form.row.requested_by == actor_of(request)
        if not own and not self.has_decide_permission(request):
            raise Refusal(gettext("Only who asked for it may take it back."))
        said = gettext("The refund is rejected.")
        work = partial(refunds.reject, decision=reason_of(request))
        return self._do(request, form, work, said)

    @action(
        description=_("Sent"),
        icon="send",
        permissions=["decide"],
        url_path="sent",
        dialog={
            "title": _("Has the bank sent it?"),
            "description": _("Enter the reference that the bank gave this transfer."),
            "form_class": SentDialog,
            "form_submit_text": _("Sent"),
        },
    )
    def mark_sent(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Says that the bank has sent the refund."""
        said = gettext("The refund is marked as sent.")
        work = partial(refunds.mark_sent, reference=form.cleaned_data["reference"])
        return self._do(request, form, work, said)

    @action(
        description=_("File for the bank"),
        icon="download",
        permissions=["decide"],
        url_path="payouts",
    )
    def payouts(self, request: HttpRequest) -> HttpResponse:
        """What is approved and not sent, as CSV for the bank's bulk transfers."""
        name = f"hoan-tien-{timezone.localdate():%Y-%m-%d}.csv"
        return HttpResponse(
            payouts_csv(refunds.payouts()),
            content_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{name}"',
                "Cache-Control": "private, no-store",
            },
        )

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Offers what can be done to the refund as it is, and by whom."""
        refund = context.get("original")
        offered = {
            RefundStatus.REQUESTED: {"approve", "reject"},
            RefundStatus.APPROVED: {"sent"},
        }.get(RefundStatus(refund.status) if refund else RefundStatus.SENT, set())
        own = refund is not None and refund.requested_by == actor_of(request)
        if own:
            offered = offered - {"approve"}
        elif not self.has_decide_permission(request):
            offered = offered - {"reject"}
        without_actions(context, *({"approve", "reject", "sent"} - offered))
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.action(description=_("Approve selected refunds"), permissions=["decide"])
    @each_alone
    def approve_all(self, request: HttpRequest, queryset: QuerySet[Refund]) -> Any:
        """Approves each that somebody else asked for."""
        actor = actor_of(request)

        def preview(refund: Refund) -> str:
            return foresee(lambda: approved(refund, actor), self.refusal_of)

        def act(refund: Refund) -> str:
            with refusals():
                refunds.approve(
                    refund_id=refund.pk,
                    actor=actor,
                    at=timezone.now(),
                    decision=reason_of(request),
                )
            self.log(request, [refund], CHANGE, [{"changed": {"fields": ["status"]}}])
            return gettext("The refund is approved.")

        bulk = Bulk(
            name="approve_all",
            title=_("Approve selected refunds"),
            meaning=_("The money counts as paid back at once; then the bank has to send it."),
            preview=preview,
            act=act,
            moves_money=True,
            # A school's refunds move each other's sums and dates.
            of=lambda refund: refund.instance_id or refund.order_id or refund.transfer_id,
        )
        return run_on_each(self, request, queryset, bulk)

    def _do(self, request: HttpRequest, form: Any, work: Any, said: str) -> HttpResponse:
        refund = existing(form.row)
        with refusals():
            work(refund_id=refund.pk, actor=actor_of(request), at=timezone.now())
        self.log(request, [refund], CHANGE, [{"changed": {"fields": ["status"]}}])
        self.message_user(request, said)
        return lead_to(request, self._page("change", refund.pk))

    # --- Columns --------------------------------------------------------------------------------

    def related_matches(self, term: str) -> Q:
        """Refunds of the instance with this subdomain, or of the order with this code."""
        matches = Q()
        if instances := instances_at(term):
            matches |= Q(instance_id__in=instances)
        orders = PaymentOrder.all_objects.filter(order_id=term.upper()).values_list("id", flat=True)
        if found := list(orders):
            matches |= Q(order_id__in=found)
        return matches

    @display(description=_("state"), ordering="status", label=REFUND_COLOURS)
    def status_label(self, refund: Refund) -> Label:
        """The state as a coloured label."""
        return Label(refund.status, refund.get_status_display())

    @display(description=_("of"), ordering="source")
    def of_text(self, refund: Refund) -> str:
        """The order's code, or what else is paid back."""
        return refund.order.order_id if refund.order else refund.get_source_display()

    @display(description=_("amount"), ordering="amount")
    def amount_text(self, refund: Refund) -> str:
        """The amount as money."""
        return money(refund.amount)

    @display(description=_("by bank transfer"))
    def cash_text(self, refund: Refund) -> str:
        """What the bank sends, which is less where credit had paid."""
        return money(refunds.to_send(refund))

    @display(description=_("reason"))
    def why_text(self, refund: Refund) -> str:
        """Why it was asked for."""
        return refund.reason

    @display(description=_("bank"))
    def bank_text(self, refund: Refund) -> str:
        """The bank by its name."""
        known = bank(refund.payee_bank_bin)
        return str(known) if known else refund.payee_bank_bin or "–"


class Refundable:
    """For the admin of orders and of bank transfers: a way to the form that asks for a refund."""

    refund_of: ClassVar[str]

    @action(
        description=_("Refund…"),
        icon="undo",
        permissions=["refund"],
        url_path="refund",
    )
    def refund(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Leads to the form, filled in with what can be paid back."""
        its: Any = self
        row = its.get_object(request, object_id)
        if row is None:
            raise Http404
        amount = refunds.refundable(**{f"{self.refund_of}_id": row.pk})
        if not amount:
            messages.error(request, gettext("There is nothing to pay back."))
            return HttpResponseRedirect(its._page("change", row.pk))
        address = reverse("admin:billing_refund_add")
        return HttpResponseRedirect(f"{address}?{self.refund_of}={row.pk}&amount={amount}")

    def has_refund_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may ask for refunds."""
        return bool(request.user.has_perm("billing.request_refund"))
