"""Forms about signing in."""

from datetime import datetime

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kitehub.models import User
from kitehub.services import emails, sign_ins

# One link to a person in so many seconds, however often it is asked for.
RESET_EVERY = 5 * 60


class SignInForm(AuthenticationForm):
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

    def get_invalid_login_error(self) -> ValidationError:
        """The same for a wrong address and a wrong password, unless it was once too often."""
        if self.request is not None and sign_ins.is_blocked(
            login=self.cleaned_data.get("username", ""),
            address=sign_ins.address_of(self.request),
            at=timezone.now(),
        ):
            return ValidationError(
                _("Too many attempts. Wait 15 minutes and try again, or set a new password."),
                code="too_many_attempts",
            )
        return ValidationError(
            _("The e-mail address or the password is wrong."), code="invalid_login"
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
