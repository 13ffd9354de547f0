"""What superusers do about a person's ways in: end sessions, reset codes. One's own, anybody."""

from typing import Any, ClassVar

from django import forms
from django.contrib.admin.models import CHANGE
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import formats, timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget

from kitehub.backoffice.audit import Refusal, actor_of, existing, lead_to, reason_of
from kitehub.backoffice.dialogs import WhyDialog
from kitehub.backoffice.search import parse_uuid
from kitehub.models import SignedInSession, User
from kitehub.services import second_factors, sessions


class EndSessionsDialog(WhyDialog):
    """Asks which session to end, all of them unless one is chosen."""

    model = User
    which = forms.ChoiceField(label=_("Session"), required=False, widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        every = [("", gettext("All sessions"))]
        found = sessions.open_sessions(self.row, at=timezone.now()) if self.row else ()
        self.fields["which"].choices = [  # type: ignore[attr-defined]
            *every,
            *((str(row.pk), session_text(row)) for row in found),
        ]


class EndsSessions:
    """For the admin of people: actions on a person's page about their ways in."""

    model: Any
    admin_site: Any
    actions_detail: ClassVar[Any] = ("end_sessions", "reset_codes")

    def get_urls(self) -> Any:
        """With an address that scripts ask, ahead of those that take a person's key."""
        urls = super().get_urls()  # type: ignore[misc]
        view = self.admin_site.admin_view(self.signed_in_view)
        return [path("signed-in/", view, name="kitehub_user_signed_in"), *urls]

    def signed_in_view(self, request: HttpRequest) -> HttpResponse:
        """Nothing, for who is wholly in; others are led to what is missing, as from any page."""
        return HttpResponse(status=204)

    def has_end_sessions_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers, and each person for themselves."""
        key = getattr(obj, "pk", None) or parse_uuid(str(obj))
        return bool(request.user.is_superuser or key == request.user.pk)

    def has_reset_codes_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers, for others: who still has the app turns it off themselves."""
        key = getattr(obj, "pk", None) or parse_uuid(str(obj))
        return bool(request.user.is_superuser and key != request.user.pk)

    @action(
        description=_("End sessions"),
        icon="logout",
        permissions=["end_sessions"],
        url_path="end-sessions",
        dialog={
            "title": _("Sign this person out?"),
            "description": _("They have to sign in again there."),
            "form_class": EndSessionsDialog,
            "form_submit_text": _("End sessions"),
        },
    )
    def end_sessions(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Signs the person out of one browser or of all."""
        its: Any = self
        user = existing(its.get_object(request, object_id))
        count = sessions.end(
            user_id=user.pk,
            actor=actor_of(request),
            reason=reason_of(request),
            session_id=parse_uuid(form.cleaned_data["which"]),
        )
        if not count:
            raise Refusal(gettext("There is no open session."))
        its.log(request, [user], CHANGE, [])
        said = ngettext("%(count)s session is over.", "%(count)s sessions are over.", count)
        if sessions.is_ended(request):
            # It is gone: whoever saves it now gets an error for an answer.
            request.session.flush()
        its.message_user(request, said % {"count": count})
        return lead_to(request, its._page("change", user.pk))

    @action(
        description=_("Reset codes"),
        icon="phonelink_erase",
        permissions=["reset_codes"],
        url_path="reset-codes",
        dialog={
            "title": _("Reset this person's codes?"),
            "description": _(
                "They sign in by password alone until they set up an app again. Make sure that it"
                " is really them who asks."
            ),
            "form_class": WhyDialog,
            "form_submit_text": _("Reset codes"),
        },
    )
    def reset_codes(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Takes a lost app from the person."""
        its: Any = self
        user = existing(its.get_object(request, object_id))
        # Of the row itself, however the address was read before.
        if user.pk == request.user.pk:
            raise Refusal(gettext("Nobody resets their own codes."))
        if not second_factors.reset(
            user_id=user.pk, actor=actor_of(request), reason=reason_of(request)
        ):
            raise Refusal(gettext("This person signs in without codes."))
        its.log(request, [user], CHANGE, [])
        its.message_user(request, gettext("The codes are reset."))
        return lead_to(request, its._page("change", user.pk))


def session_text(row: SignedInSession) -> str:
    """A session in a line: browser, address, when it was seen."""
    seen = formats.date_format(timezone.localtime(row.last_seen), "DATETIME_FORMAT")
    return " · ".join(part for part in (row.browser, row.address, seen) if part)
