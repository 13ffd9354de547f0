"""One-time codes in the back office: each sets up their own; superusers reset a lost one."""

from typing import Any

import segno
from django import forms
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from kitehub import totp
from kitehub.admin.sign_in import TOO_MANY, known_password
from kitehub.models import SecondFactor, User
from kitehub.services import second_factors, sessions, sign_ins
from kitehub.services.second_factors import WrongCode
from kitehub.services.sign_ins import TooManyAttempts

ISSUER = "KiteHub"
_TOO_LATE = _("That took more than 10 minutes: enter your password once more.")


class CodeForm(forms.Form):
    """A code of the app."""

    code = forms.CharField(
        label=_("One-time code"),
        max_length=20,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "one-time-code"}),
    )


class PasswordForm(forms.Form):
    """One's own password, counted as it is at the sign-in page.

    A browser that somebody left open is not enough to see a secret, or to take codes away.
    """

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        """The password, if it is right."""
        return known_password(self.user, self.cleaned_data["password"])


class OffForm(PasswordForm, CodeForm):
    """Password and code, before codes are turned off."""

    field_order = ("password", "code")


class FirstCodeForm(CodeForm):
    """The first code, of who gave their password on the page before."""

    proof = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        # Good for nobody else.
        self._salt = f"{__name__}:{user.pk}"
        proof = signing.dumps("password", salt=self._salt)
        super().__init__(*args, initial={"proof": proof}, **kwargs)

    def clean_proof(self) -> str:
        """The proof, if it is this person's and not too old."""
        proof: str = self.cleaned_data["proof"]
        try:
            signing.loads(proof, salt=self._salt, max_age=second_factors.SET_UP_WITHIN)
        except signing.BadSignature as error:
            raise forms.ValidationError(_TOO_LATE) from error
        return proof


class SetsUpCodes:
    """For the admin of people: the page where whoever is signed in sets up codes."""

    admin_site: Any

    def get_urls(self) -> Any:
        """With the page, ahead of those that take a person's key."""
        urls = super().get_urls()  # type: ignore[misc]
        view = self.admin_site.admin_view(never_cache(self.second_factor_view))
        return [path("second-factor/", view, name="kitehub_user_second_factor"), *urls]

    def second_factor_view(self, request: HttpRequest) -> HttpResponse:
        """Sets codes up; later turns them off, or renews backup codes."""
        user: Any = request.user
        deed = request.POST.get("deed", "") if request.method == "POST" else ""
        sent = request.POST if deed else None
        codes: list[str] = []
        if user.asks_for_code:
            off = OffForm(sent if deed == "off" else None, user=user, prefix="off")
            anew = CodeForm(sent if deed == "anew" else None, prefix="anew")
            if deed == "off" and off.is_valid() and _try(off, _turn_off, user):
                user.asks_for_code = False
            elif deed == "anew" and anew.is_valid():
                codes = _try(anew, second_factors.new_backup_codes, user) or []
            context = {"off": off, "anew": anew, "left": _left(user)}
        if not user.asks_for_code:
            try:
                codes, context = _setting_up(user, deed, sent)
            except ValueError:
                # Turned on meanwhile, by the other of two clicks.
                return redirect("admin:kitehub_user_second_factor")
            if codes:
                user.asks_for_code = True
                sessions.end_others(user, kept=request.session.session_key)
        return TemplateResponse(
            request,
            "kitehub/backoffice/second_factor.html",
            {
                **self.admin_site.each_context(request),
                "title": gettext("Sign in with a code"),
                "codes": codes,
                "page": sign_ins.way_on(request) or reverse("admin:kitehub_user_second_factor"),
                **context,
            },
        )


def _setting_up(user: User, deed: str, sent: Any) -> tuple[list[str], dict[str, Any]]:
    """Takes the password, then shows the QR code, then takes a first code: the backup codes.

    And what the page shows. Raises ValueError where codes are turned on meanwhile.
    """
    if deed == "on":
        on = FirstCodeForm(sent, user=user, prefix="on")
        if on.is_valid() and (codes := _try(on, second_factors.turn_on, user)):
            return codes, {}
        if "proof" not in on.errors:
            return [], {"on": on, **_to_scan(user, second_factors.pending(user_id=user.pk))}
    show = PasswordForm(sent if deed == "show" else None, user=user, prefix="show")
    if deed == "show" and show.is_valid():
        secret = second_factors.prepare(user_id=user.pk, at=timezone.now())
        on = FirstCodeForm(user=user, prefix="on")
        return [], {"on": on, **_to_scan(user, secret)}
    return [], {"show": show, "too_late": _TOO_LATE if deed == "on" else ""}


def _try(form: Any, work: Any, user: User) -> Any:
    """What the work gives; None where the code is wrong, which the form says then."""
    try:
        return work(user_id=user.pk, code=form.cleaned_data["code"], at=timezone.now())
    except WrongCode:
        said = gettext("This code is wrong, or was used before. Wait for the next.")
        form.add_error("code", said)
    except TooManyAttempts:
        form.add_error(None, TOO_MANY)
    return None


def _turn_off(**said: Any) -> bool:
    second_factors.turn_off(**said)
    return True


def _to_scan(user: User, secret: str) -> dict[str, str]:
    address = totp.address(secret, login=user.email, issuer=ISSUER)
    drawn = segno.make_qr(address, error="M", boost_error=False)
    return {
        "qr": drawn.svg_data_uri(border=4, scale=5, light="#fff"),
        "secret": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
    }


def _left(user: User) -> int:
    factor = SecondFactor.objects.filter(user=user).first()
    return len(factor.backup_codes) if factor else 0
