"""The security log and open sessions in the admin: read by people, written by the system."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from kitehub.backoffice import AuditAdmin
from kitehub.backoffice.filters import DayRangeFilter
from kitehub.backoffice.labels import Label
from kitehub.enums import SecurityEventKind as Kind
from kitehub.models import SecondFactor, SecurityEvent, SignedInSession, User
from kitehub.services import sessions

KIND_COLOURS = {
    Kind.SIGNED_IN.value: "success",
    Kind.CODE_ASKED.value: "info",
    Kind.SIGN_IN_FAILED.value: "warning",
    Kind.CODE_REFUSED.value: "warning",
    Kind.THROTTLED.value: "danger",
    Kind.SIGNED_OUT.value: "default",
    Kind.SESSION_ENDED.value: "default",
    Kind.PASSWORD_CHANGED.value: "info",
    Kind.EMAIL_CHANGED.value: "info",
    Kind.POWERS_CHANGED.value: "danger",
    Kind.GROUP_CHANGED.value: "danger",
    Kind.FACTOR_ON.value: "success",
    Kind.FACTOR_OFF.value: "warning",
    Kind.FACTOR_RESET.value: "danger",
    Kind.BACKUP_CODE_USED.value: "warning",
    Kind.BACKUP_CODES_MADE.value: "info",
}


@admin.register(SecurityEvent)
class SecurityEventAdmin(AuditAdmin):
    """What happened to accounts and groups, the newest first."""

    nothing_yet = _(
        "Sign-ins, changed passwords and changed rights are written here by themselves."
    )
    list_display = ("at", "kind_label", "login", "actor", "address", "browser")
    list_filter = ("kind", ("at", DayRangeFilter))
    ordering = ("-at", "-id")
    search_uuids: ClassVar = ("user_id",)
    search_columns: ClassVar = ("login", "address")
    search_help_text = _("E-mail address, IP address, or a person's ID")
    fields = (
        ("at", "kind_label"),
        ("user", "login"),
        ("actor", "reason"),
        ("address", "browser"),
        "details",
    )
    readonly_fields = ("kind_label",)

    @display(description=_("what"), ordering="kind", label=KIND_COLOURS)
    def kind_label(self, event: SecurityEvent) -> Label:
        """What happened, as a coloured label."""
        return Label(event.kind, str(Kind(event.kind).label))


class _OfPerson(AuditAdmin):
    small = "Rows of the people who are signed in, or sign in with codes."
    list_select_related = ("user",)
    search_uuids: ClassVar[Any] = ("user_id",)
    search_help_text = _("E-mail address, or a person's ID")

    def related_matches(self, term: str) -> Q:
        """Those of the person with this e-mail address."""
        people = User.objects.filter(email=term.lower()).values_list("pk", flat=True)
        return Q(user_id__in=list(people))


@admin.register(SignedInSession)
class SignedInSessionAdmin(_OfPerson):
    """Browsers in which people are signed in. They are ended on the person's page."""

    nothing_yet = _("Nobody is signed in.")
    list_display = ("user", "last_seen", "since", "address", "browser")
    ordering = ("-last_seen", "-id")
    fields = ("user", ("since", "last_seen"), ("address", "browser"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Those that are not over: the duty that forgets the others comes once a night."""
        return sessions.not_over(super().get_queryset(request), at=timezone.now())


@admin.register(SecondFactor)
class SecondFactorAdmin(_OfPerson):
    """Who signs in with codes. What makes the codes is shown to nobody."""

    nothing_yet = _("Everybody sets up codes in their own menu, at the lower left.")
    list_display = ("user", "created_at", "confirmed_at")
    ordering = ("-created_at", "-user")
    fields = ("user", ("created_at", "confirmed_at"))
