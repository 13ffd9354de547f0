"""Mail in the admin: read there, and sent again where it failed. And who tries to sign in."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.models import CHANGE
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm

from kitehub.backoffice import AuditAdmin
from kitehub.backoffice.audit import Audited, Refusal, existing, lead_to
from kitehub.backoffice.filters import DayRangeFilter
from kitehub.backoffice.forms import Reasoned
from kitehub.backoffice.labels import Label
from kitehub.backoffice.names import instances_at
from kitehub.backoffice.tabs import tabs_of
from kitehub.enums import EmailState
from kitehub.models import Email, SignInAttempts
from kitehub.services import emails

STATE_COLOURS = {
    EmailState.QUEUED.value: "warning",
    EmailState.SENDING.value: "info",
    EmailState.SENT.value: "success",
    EmailState.FAILED.value: "danger",
}


class SendAgainForm(Reasoned, BaseDialogForm):
    """Asks why before a message is sent again."""

    field_order = ("reason",)


@admin.register(Email)
class EmailAdmin(Audited, AuditAdmin):
    """Messages, the newest first."""

    nothing_yet = _("Mail appears here once a duty or a person sends some.")
    list_display = ("recipient", "subject", "template", "state_label", "queued_at", "sent_at")
    list_filter = (("queued_at", DayRangeFilter),)
    tabs = tabs_of("state", EmailState)
    ordering = ("-queued_at",)
    search_uuids: ClassVar = ("id", "instance_id")
    search_columns: ClassVar = ("recipient",)
    search_help_text = _("Recipient, subdomain or ID")
    fields = (
        "recipient",
        "instance",
        ("reason", "template", "language"),
        ("state_label", "attempts"),
        "error",
        ("queued_at", "sent_at"),
        "subject",
        "text_body",
    )
    readonly_fields = ("state_label",)
    actions_detail: ClassVar[Any] = ("send_again",)

    def related_matches(self, term: str) -> Q:
        """Messages about the instance with this subdomain."""
        instances = instances_at(term)
        return Q(instance_id__in=instances) if instances else Q()

    def has_send_again_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Those who may change mail; what they change is that it goes out again."""
        return request.user.has_perm("kitehub.change_email")

    @action(
        description=_("Send again"),
        icon="replay",
        permissions=["send_again"],
        url_path="send-again",
        dialog={
            "title": _("Send this message again?"),
            "description": _("It may have arrived although it failed here; read its error first."),
            "form_class": SendAgainForm,
            "form_submit_text": _("Send again"),
        },
    )
    def send_again(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Puts a failed message into the queue again."""
        email = existing(self.get_object(request, object_id))
        if not emails.send_again(email_id=email.pk):
            raise Refusal(gettext("Only a message that failed can be sent again."))
        self.log(request, [email], CHANGE, [{"changed": {"fields": ["state"]}}])
        self.message_user(request, gettext("The message is in the queue again."))
        return lead_to(request, self._page("change", email.pk))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Offers to send again only what failed."""
        email = context.get("original")
        if email is None or email.state != EmailState.FAILED:
            context["actions_detail"] = []
        return super().render_change_form(request, context, *args, **kwargs)

    @display(description=_("status"), label=STATE_COLOURS, ordering="state")
    def state_label(self, email: Email) -> Label:
        """What became of it, as a coloured label."""
        return Label(email.state, str(EmailState(email.state).label))


@admin.register(SignInAttempts)
class SignInAttemptsAdmin(AuditAdmin):
    """Who has tried to sign in within the last minutes, by digest."""

    small = "Rows go after minutes."
    search_uuids: ClassVar[Any] = ()

    nothing_yet = _("Nobody has mistyped a password lately.")
    list_display = ("key", "attempts", "since")
    ordering = ("-since",)
    search_columns: ClassVar = ("key",)
    search_help_text = _("Key")
