"""Forms about signing in."""

from datetime import datetime

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from kitehub.models import User
from kitehub.services import emails, sign_ins

# One link to a person in so many seconds, however often it is asked for.
RESET_EVERY = 5 * 60


class TellsWhen(AuthenticationForm):
    """For forms to sign in: says when to try again after too many attempts."""

    def get_invalid_login_error(self) -> ValidationError:
        """The same for a wrong address and a wrong password, unless it was once too often."""
        minutes = self.request is not None and sign_ins.minutes_left(
            login=self.cleaned_data.get("username", ""),
            address=sign_ins.address_of(self.request),
            at=timezone.now(),
        )
        if minutes:
            return ValidationError(too_many(minutes), code="too_many_attempts")
        return ValidationError(
            _("The e-mail address or the password is wrong."), code="invalid_login"
        )


def too_many(minutes: int) -> str:
    """What to tell who tried too often."""
    return ngettext(
        "Too many attempts. Try again in %(minutes)s minute, or set a new password.",
        "Too many attempts. Try again in %(minutes)s minutes, or set a new password.",
        minutes,
    ) % {"minutes": minutes}


class SignInForm(TellsWhen):
    """E-mail address and password."""

    username = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CodeForm(forms.Form):
    """The code of an authenticator app, or a backup code."""

    code = forms.CharField(
        label=_("One-time code"),
        max_length=20,
        help_text=_("Six digits from your app, or one of your backup codes."),
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "text", "autofocus": True}
        ),
    )


class PasswordResetForm(forms.Form):
    """Asks for a link to set a new password."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "autofocus": True}),
    )

    def save(self, *, language: str, at: datetime) -> bool:
        """Queues the link, if somebody who may sign in has this address; whether it did.

        Nobody is told which: the page says the same.
        """
        user = User.objects.filter(email=self.cleaned_data["email"], is_active=True).first()
        if user is None:
            return False
        with transaction.atomic():
            return emails.queue(
                to=user.email,
                reason=f"password_reset:{user.pk}:{int(at.timestamp()) // RESET_EVERY}",
                template="password_reset",
                context={"user_id": str(user.pk)},
                language=user.mail_language if user.language else language,
            )
