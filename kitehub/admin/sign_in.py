"""The back office's own pages to sign in and to change one's password."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminOwnPasswordChangeForm, AuthenticationForm

from kitehub.models import User
from kitehub.portal.forms import TellsWhen
from kitehub.services import sign_ins
from kitehub.services.sign_ins import TooManyAttempts

TOO_MANY = _("Too many attempts. Wait 15 minutes and try again.")


class StaffSignInForm(TellsWhen, AuthenticationForm):
    """E-mail address and password; after too many attempts, when to try again."""


class OwnPasswordForm(AdminOwnPasswordChangeForm):
    """A new password for who knows the old one, and doesn't have to guess it."""

    def clean_old_password(self) -> str:
        """The old password, if it is right."""
        return known_password(self.user, self.cleaned_data["old_password"])


def known_password(user: User, password: str) -> str:
    """What somebody who is signed in gave as their password; raises ValidationError if it isn't.

    Counted, as at the sign-in page: whoever finds an open browser can't try them all.
    """
    try:
        right = sign_ins.is_own_password(user, password, at=timezone.now())
    except TooManyAttempts as error:
        raise ValidationError(TOO_MANY) from error
    if not right:
        raise ValidationError(gettext("The password is wrong."))
    return password


def change_own_password(
    request: HttpRequest, extra_context: dict[str, Any] | None = None
) -> HttpResponse:
    """The page to change one's own password, with our form in place of unfold's."""
    site = admin.site
    request.current_app = site.name  # type: ignore[attr-defined]
    view = PasswordChangeView.as_view(
        form_class=OwnPasswordForm,
        success_url=reverse("admin:password_change_done", current_app=site.name),
        extra_context={**site.each_context(request), **(extra_context or {})},
    )
    answer: HttpResponse = view(request)
    return answer
