"""Goodwill in the admin: one person proposes it, another approves it."""

from functools import partial
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.models import CHANGE
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from billing.admin.details import GoodwillDetails
from billing.admin.goodwill_dialogs import (
    ApproveDialog,
    CreditForm,
    WhyGoodwillDialog,
    approved,
    how_it_goes,
    what_comes,
)
from billing.admin.what_comes import refusing
from billing.enums import GoodwillStatus
from billing.models import Goodwill
from billing.services import goodwill
from billing.services.goodwill import CannotGive
from kitehub.backoffice import AuditAdmin, Audited
from kitehub.backoffice.audit import actor_of, existing, lead_to, reason_of
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
GOODWILL_COLOURS = {
    GoodwillStatus.PROPOSED.value: "warning",
    GoodwillStatus.APPROVED.value: "success",
    GoodwillStatus.DECLINED.value: "default",
    GoodwillStatus.WITHDRAWN.value: "default",
    GoodwillStatus.GIVEN.value: "info",
}


@admin.register(Goodwill)
class GoodwillAdmin(GoodwillDetails, Audited, AuditAdmin):
    """The queue of goodwill. To add one is to propose credit; subscriptions' pages propose days."""

    small = "Staff propose each row by hand."

    form = CreditForm
    list_display = (
        "proposed_at",
        "status_label",
        "instance",
        "what_text",
        "worth_text",
        "proposed_by",
        "decided_by",
    )
    export_columns: ClassVar = (
        "proposed_at",
        "status",
        "kind",
        Column("instance__organization_name", _("instance")),
        "instance__subdomain",
        amount("amount"),
        "days",
        "reason",
        "proposed_by",
        "decided_by",
        "decided_at",
        "decision",
        "id",
    )
    list_filter = (("proposed_at", DayRangeFilter), ("amount", AmountRangeFilter), "kind")
    tabs = tabs_of("status", GoodwillStatus)
    more_orders = (("-amount", "-proposed_at"),)
    search_amount = "amount"
    sums: ClassVar[Any] = {_("Total"): Sum("amount")}
    nothing_yet = _("Propose credit here, and days on the page of a subscription.")
    list_select_related = ("instance",)
    ordering = ("-proposed_at",)
    search_uuids = ("id", "instance_id")
    search_help_text = _("Subdomain, ID or amount")
    autocomplete_fields = ("instance",)
    actions: ClassVar[Any] = ("approve_all",)
    actions_detail: ClassVar[Any] = ("approve", "decline", "withdraw")
    fieldsets = (
        (None, {"fields": (("status_label", "kind"), "instance", ("what_text", "worth_text"))}),
        (
            _("What happened"),
            {
                "fields": (
                    ("proposed_by", "proposed_at"),
                    "why_text",
                    ("decided_by", "decided_at"),
                    "decision",
                )
            },
        ),
    )
    add_fieldsets = ((None, {"fields": ("instance", "amount", "retyped")}),)
    readonly_fields = ("status_label", "what_text", "worth_text", "why_text")

    # --- Who may what ---------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may propose credit."""
        return bool(request.user.has_perm("billing.grant_credit"))

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may decide what others propose."""
        return bool(request.user.has_perm("billing.approve_goodwill"))

    def has_take_back_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may propose anything: they take back what they proposed."""
        may = request.user.has_perm
        return bool(may("billing.grant_credit") or may("billing.extend_subscription"))

    # --- Proposing ------------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Where something is proposed, with who decides."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            (title, shown), *others = fieldsets
            return [(title, {**shown, "description": how_it_goes(actor_of(request))}), *others]
        return fieldsets

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Goodwill:
        """Proposes it. What was entered is only read."""
        made: Goodwill = form.propose(actor_of(request))
        self.message_user(request, what_comes(made))
        return made

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing: proposing wrote it."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing: goodwill has no other rows."""

    # --- Deciding -------------------------------------------------------------------------------

    @action(
        description=_("Approve"),
        icon="check",
        permissions=["decide"],
        url_path="approve",
        dialog={
            "title": _("Approve this goodwill?"),
            "description": _("The school has it at once."),
            "form_class": ApproveDialog,
            "form_submit_text": _("Approve"),
        },
    )
    def approve(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Approves it."""
        return self._do(request, form, goodwill.approve, gettext("It is approved and given."))

    @action(
        description=_("Decline"),
        icon="close",
        permissions=["decide"],
        url_path="decline",
        dialog={
            "title": _("Decline this goodwill?"),
            "description": _("Nothing is given. It can be proposed again."),
            "form_class": WhyGoodwillDialog,
            "form_submit_text": _("Decline"),
        },
    )
    def decline(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Declines what somebody else proposed."""
        return self._do(request, form, goodwill.decline, gettext("It is declined."))

    @action(
        description=_("Withdraw"),
        icon="undo",
        permissions=["take_back"],
        url_path="withdraw",
        dialog={
            "title": _("Withdraw this goodwill?"),
            "description": _("Nothing is given. It can be proposed again."),
            "form_class": WhyGoodwillDialog,
            "form_submit_text": _("Withdraw"),
        },
    )
    def withdraw(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Takes one's own proposal back."""
        return self._do(request, form, goodwill.withdraw, gettext("It is withdrawn."))

    @admin.action(description=_("Approve selected goodwill"), permissions=["decide"])
    @each_alone
    def approve_all(self, request: HttpRequest, queryset: QuerySet[Goodwill]) -> Any:
        """Approves each that somebody else proposed."""
        actor = actor_of(request)

        def preview(row: Goodwill) -> str:
            return foresee(lambda: approved(row, actor), self.refusal_of)

        def act(row: Goodwill) -> str:
            self._decide(request, row, goodwill.approve)
            return gettext("It is approved and given.")

        bulk = Bulk(
            name="approve_all",
            title=_("Approve selected goodwill"),
            meaning=_("The schools have it at once."),
            preview=preview,
            act=act,
            moves_money=True,
        )
        return run_on_each(self, request, queryset, bulk)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Offers what can be done to it as it is, and by whom."""
        row = context.get("original")
        if row is None or row.status != GoodwillStatus.PROPOSED:
            without_actions(context, "approve", "decline", "withdraw")
        elif row.proposed_by == actor_of(request):
            without_actions(context, "approve", "decline")
        else:
            without_actions(context, "withdraw")
        return super().render_change_form(request, context, *args, **kwargs)

    def _do(self, request: HttpRequest, form: Any, work: Any, said: str) -> HttpResponse:
        row: Goodwill = existing(form.row)
        self._decide(request, row, work)
        self.message_user(request, said)
        return lead_to(request, self._page("change", row.pk))

    def _decide(self, request: HttpRequest, row: Goodwill, work: Any) -> None:
        decide = partial(work, goodwill_id=row.pk, decision=reason_of(request))
        with refusing(CannotGive):
            decide(actor=actor_of(request), at=timezone.now())
        self.log(request, [row], CHANGE, [{"changed": {"fields": ["status"]}}])

    # --- Columns --------------------------------------------------------------------------------

    def related_matches(self, term: str) -> Q:
        """Goodwill for the instance with this subdomain."""
        found = instances_at(term)
        return Q(instance_id__in=found) if found else Q()

    @display(description=_("state"), ordering="status", label=GOODWILL_COLOURS)
    def status_label(self, row: Goodwill) -> Label:
        """The state as a coloured label."""
        return Label(row.status, row.get_status_display())

    @display(description=_("what"))
    def what_text(self, row: Goodwill) -> str:
        """How much credit, or how many days."""
        return str(row)

    @display(description=_("worth"), ordering="amount")
    def worth_text(self, row: Goodwill) -> str:
        """As money; of days, what they cost."""
        return money(row.amount)

    @display(description=_("reason"))
    def why_text(self, row: Goodwill) -> str:
        """Why it was proposed."""
        return row.reason
