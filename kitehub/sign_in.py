"""How people prove who they are, in the portal and in the back office alike."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.password_validation import MinimumLengthValidator
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.core.exceptions import PermissionDenied
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from kitehub.enums import SecurityEventKind as Kind
from kitehub.services import security, sessions, sign_ins
from kitehub.services.sign_ins import TooManyAttempts

_API = "/api/"
_BACK_OFFICE = "/admin/"


class ThrottledBackend(ModelBackend):
    """E-mail address and password, as Django has it, for as many attempts as `sign_ins` allows."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """The person, or None; PermissionDenied, which ends the search, after too many attempts."""
        login = username or kwargs.get("email") or ""
        if request is None or not login:
            return super().authenticate(request, username, password, **kwargs)
        address = sign_ins.address_of(request)
        try:
            sign_ins.count_attempt(login=login, address=address, at=timezone.now())
        except TooManyAttempts as error:
            request.was_refused = True  # type: ignore[attr-defined]
            if error.first:
                _record_failure(Kind.THROTTLED, login, request)
            raise PermissionDenied from error
        user = super().authenticate(request, username, password, **kwargs)
        if user is not None:
            sign_ins.forgive(login=login, address=address)
        return user

    async def aauthenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """The same from async code: Django's own would look at any number of attempts."""
        return await sync_to_async(self.authenticate)(request, username, password, **kwargs)


class WatchedPasswords(MinimumLengthValidator):
    """The shortest password allowed; and whoever gets a new one is signed out elsewhere.

    Django tells validators of each password that was set, however that was done.
    """

    def password_changed(self, password: str, user: Any = None) -> None:
        """Logs who set whose password, and ends the sessions begun with the old one."""
        if user is not None and user.pk is not None:
            note_changed_password(user)


def note_changed_password(user: Any, **details: Any) -> None:
    """Logs who changed somebody's password, and ends the sessions begun with the old one."""
    request = security.current_request()
    own = request is not None and getattr(request, "user", None) == user
    security.record(Kind.PASSWORD_CHANGED, user=user, way=_way(request, own=own), **details)
    kept = request.session.session_key if request is not None and own else None
    sessions.end_others(user, kept=kept)


class SignedInMiddleware:
    """Follows sessions of people, and keeps those out whose code is still to come.

    A password opens nothing of somebody who signs in with codes, whichever page it was typed in. A
    session that nobody keeps track of is none: one from before V18 is over.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The response, or the way to what is missing."""
        with security.answering(request):
            if request.path_info.startswith(_API) or not _has_session(request):
                return self.get_response(request)
            before = request.session.session_key
            if SESSION_KEY in request.session and request.user.is_authenticated:
                if (missing := _missing(request)) is not None:
                    return missing
                if not sessions.see(request, at=timezone.now()):
                    request.session.flush()
                    request.user = AnonymousUser()
            response = self.get_response(request)
            sessions.follow(before=before, after=request.session.session_key)
            return response


@receiver(user_logged_in, dispatch_uid="kitehub.sign_in")
def _signed_in(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    sessions.begin(request, user, at=timezone.now())
    if user.asks_for_code:
        sessions.ask_for_code(request)
    kind = Kind.CODE_ASKED if user.asks_for_code else Kind.SIGNED_IN
    security.record(kind, user=user, actor=user.email, request=request)


@receiver(user_login_failed, dispatch_uid="kitehub.sign_in")
def _failed(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    login = str(credentials.get("username") or credentials.get("email") or "")
    if login and not getattr(request, "was_refused", False):
        _record_failure(Kind.SIGN_IN_FAILED, login, request)


@receiver(user_logged_out, dispatch_uid="kitehub.sign_in")
def _signed_out(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    sessions.forget(request.session.session_key)
    if user is not None:
        security.record(Kind.SIGNED_OUT, user=user, actor=user.email, request=request)


def _record_failure(kind: Kind, login: str, request: HttpRequest | None) -> None:
    # What has no @ may be a password in the wrong field.
    shown = login.strip().lower() if "@" in login else ""
    clean = shown.replace("\x00", "")
    user = get_user_model().objects.filter(email=clean).first() if clean else None
    security.record(kind, user=user, login=clean, actor="", request=request)


def _has_session(request: HttpRequest) -> bool:
    return settings.SESSION_COOKIE_NAME in request.COOKIES


def _missing(request: HttpRequest) -> HttpResponse | None:
    """Where somebody has to go before they may go on; None for who may."""
    path = request.path_info
    code_page, set_up = reverse("login_code"), reverse("admin:kitehub_user_second_factor")
    free = {reverse("logout"), reverse("admin:logout"), reverse("set_language")}
    user: Any = request.user
    if sessions.is_code_due(request):
        if user.asks_for_code:
            return None if path in {*free, code_page} else _led(code_page, request)
        # A superuser has reset the codes meanwhile.
        sessions.code_is_needless(request)
    if (
        settings.KITEHUB_STAFF_TOTP
        and user.is_staff
        and not user.asks_for_code
        and path.startswith(_BACK_OFFICE)
    ):
        free |= {set_up, reverse("admin:jsi18n"), reverse("admin:login")}
        return None if path in free else _led(set_up, request)
    return None


def _led(page: str, request: HttpRequest) -> HttpResponse:
    """To a page that leads on to the one that was asked for; from what is no page, to the first."""
    if request.method == "GET" and "HX-Request" not in request.headers:
        path = request.get_full_path()
    else:
        office = request.path_info.startswith(_BACK_OFFICE)
        path = reverse("admin:index" if office else "home")
    return redirect(f"{page}?{urlencode({'next': path}, safe='/')}")


def _way(request: HttpRequest | None, *, own: bool) -> str:
    if request is None:
        return "command"
    if own:
        return "self"
    user = getattr(request, "user", None)
    return "staff" if user is not None and user.is_authenticated else "mail"
