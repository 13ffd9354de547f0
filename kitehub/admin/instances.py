"""Instances."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.models import CHANGE
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from billing.services.bank_accounts import clean_template
from kitehub.admin.blocked.page import SaysWhyBlocked
from kitehub.admin.details import InstanceDetails
from kitehub.admin.levers.closing import ClosesSchools
from kitehub.admin.levers.finishing import FinishesOpenings
from kitehub.admin.levers.handing_over import ACCOUNT_COLUMNS, HandsSchoolsOver
from kitehub.admin.levers.moving import MovesSchools
from kitehub.admin.levers.suspending import Suspending
from kitehub.admin.levers.work import ShowsWork
from kitehub.admin.opening import OpensSchools
from kitehub.admin.tier_dialog import TierDialog, change, page_before
from kitehub.admin.watches import SEES_DATABASES, DatabaseFilter
from kitehub.backoffice import RecordAdmin, history
from kitehub.backoffice.audit import actor_of, existing, lead_to, reason_of
from kitehub.backoffice.base import RECORD_FIELDSET
from kitehub.backoffice.exports import Column
from kitehub.backoffice.filters import DayRangeFilter
from kitehub.backoffice.forms import RecordForm
from kitehub.backoffice.tabs import tabs_of
from kitehub.db.words import starts_words
from kitehub.domains import clean_domain, clean_subdomain
from kitehub.enums import InstanceStatus, Tier
from kitehub.models import Instance, User
from kitehub.tenancy import pool_url


class InstanceForm(RecordForm):
    """A school's form. A name in the DNS has to be right once somebody enters it."""

    def clean_subdomain(self) -> str:
        """The subdomain in its stored spelling; one that is left alone, as it is."""
        return self._name("subdomain", clean_subdomain)

    def clean_custom_domain(self) -> str:
        """The domain in its stored spelling; one that is left alone, as it is."""
        return self._name("custom_domain", clean_domain)

    def clean_qr_template(self) -> str | None:
        """The memo with known variables only; one that is left alone, as it is."""
        template: str | None = self.cleaned_data["qr_template"]
        if template is None or "qr_template" not in self.changed_data:
            return template
        return clean_template(template)

    def _name(self, field: str, clean: Callable[[str], str]) -> str:
        name: str = self.cleaned_data[field]
        return clean(name) if name and field in self.changed_data else name


STATUS_COLOURS = {
    InstanceStatus.TRIAL.value: "info",
    InstanceStatus.ACTIVE.value: "success",
    InstanceStatus.SUSPENDED.value: "danger",
    # Also of those without a colour: of one that is missing, unfold shows the code.
    InstanceStatus.CLOSED.value: "default",
}


# On the page of a school that is there.
OF_A_SCHOOL: Any = (
    (
        _("Terms"),
        {
            "fields": (
                ("tier", "status"),
                "trial_started_at",
                "trial_expires_at",
                "subscription_expires_at",
                "subscription_id",
            )
        },
    ),
    (
        _("Bank account for course fees"),
        {
            "fields": (
                ("bank_code", "bank_name"),
                ("account_number", "account_name"),
                "qr_template",
            )
        },
    ),
)


@admin.register(Instance)
class InstanceAdmin(
    InstanceDetails,
    OpensSchools,
    FinishesOpenings,
    Suspending,
    MovesSchools,
    ClosesSchools,
    HandsSchoolsOver,
    ShowsWork,
    SaysWhyBlocked,
    RecordAdmin,
):
    """Schools. Where an instance's data lives is not for this page's form, but for its levers."""

    form = InstanceForm
    actions = (
        *RecordAdmin.actions,
        "suspend_all",
        "resume_all",
        "reopen_all",
        "finish_selected",
    )
    actions_detail = (
        "why",
        *RecordAdmin.actions_detail,
        "change_tier",
        {
            "title": _("More"),
            "icon": "more_vert",
            "items": [
                "suspend_one",
                "resume_one",
                "finish_opening",
                "move",
                "go_on_with_move",
                "abort_move",
                "purge_moves",
                "work",
                "change_bank_account",
                "change_owner",
                "close",
                "finish_closing",
                "reopen",
            ],
        },
    )
    list_display = (
        "organization_name",
        "subdomain",
        "status_label",
        "tier",
        "owner",
        "trial_expires_at",
        "subscription_expires_at",
        "created_at",
    )
    export_columns: ClassVar = (
        "organization_name",
        "subdomain",
        "custom_domain",
        "status",
        "tier",
        Column("owner__email", _("owner")),
        "owner__full_name",
        "trial_expires_at",
        "subscription_expires_at",
        "created_at",
        "id",
    )
    list_filter = (("created_at", DayRangeFilter), "tier", DatabaseFilter)
    tabs = tabs_of("status", InstanceStatus)
    nothing_yet = _("Open the first school here, or let its owner do it in the portal.")
    list_select_related = ("owner",)
    ordering = ("-created_at",)
    search_columns: ClassVar = ("subdomain", "custom_domain")
    search_uuids = ("id", "owner_id")
    search_help_text = _("Subdomain, own domain, owner's e-mail, ID, or words of the name")
    autocomplete_fields = ("owner",)
    readonly_fields = (*RecordAdmin.readonly_fields, "subscription_id")
    # None of these is entered by hand: payments say so, or actions with a power of their own.
    terms = (
        "tier",
        "status",
        "trial_started_at",
        "trial_expires_at",
        "subscription_expires_at",
    )
    handed_over = ("owner", *ACCOUNT_COLUMNS)
    fieldsets = (
        (None, {"fields": ("organization_name", ("subdomain", "custom_domain"), "owner")}),
        *OF_A_SCHOOL,
        RECORD_FIELDSET,
    )

    def related_matches(self, term: str) -> Q:
        """Instances of the owner with this e-mail address, or at this domain in any letters."""
        owners = list(User.objects.filter(email=term).values_list("id", flat=True))
        matches = Q(owner_id__in=owners) if owners else Q()
        try:
            return matches | Q(custom_domain=clean_domain(term))
        except ValidationError:
            return matches

    def last_resort(self, term: str) -> Q:
        """Whole values first; only if none fits, names with words that begin as the term's do."""
        return starts_words(term, "organization_name")

    def get_list_filter(self, request: HttpRequest) -> Any:
        """How databases do is asked by those who may see it."""
        filters = super().get_list_filter(request)
        if request.user.has_perm(SEES_DATABASES):
            return filters
        return [each for each in filters if each is not DatabaseFilter]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What a school has bought, whether it is open, whose it is and where it is paid."""
        own = super().get_readonly_fields(request, obj)
        return own if obj is None else (*own, *self.terms, *self.handed_over)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A school entered by hand begins with the terms of every school, and no account."""
        parts = super().get_fieldsets(request, obj)
        return parts if obj is not None else [part for part in parts if part not in OF_A_SCHOOL]

    @action(
        description=_("Change tier"),
        icon="swap_vert",
        permissions=["change_plan"],
        url_path="change-tier",
        dialog={
            "title": _("Change the tier"),
            "description": _(
                "The subscription has the new price from now on, and the school the new limits as "
                "soon as its database can be reached."
            ),
            "form_class": TierDialog,
            "form_submit_text": _("Change tier"),
        },
    )
    def change_tier(self, request: HttpRequest, form: TierDialog, object_id: str) -> HttpResponse:
        """Changes what the school has bought."""
        school = existing(form.row)
        before, tier = {"tier": school.tier}, Tier(form.cleaned_data["tier"])
        changed = change(school, tier, actor=actor_of(request), reason=reason_of(request))
        part = history.values_part(before, {"tier": changed.tier})
        self.log(request, [school], CHANGE, [{"changed": {"fields": ["tier"]}}, *part])
        self.message_user(request, gettext("The tier is now %(tier)s.") % {"tier": tier.label})
        return lead_to(request, page_before(request, school) or self._page("change", school.pk))

    def has_change_plan_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may change what is bought."""
        return bool(request.user.has_perm("billing.change_plan"))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """A school entered by hand starts in the pool."""
        if not change:
            obj.database_url = pool_url()
        super().save_model(request, obj, form, change)

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def status_label(self, instance: Instance) -> tuple[str, str]:
        """The status as a coloured label."""
        return instance.status, instance.get_status_display()
