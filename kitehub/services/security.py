"""The log of sign-ins and of what becomes of accounts, and where a request comes from."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.http import HttpRequest

from kitehub.enums import SecurityEventKind
from kitehub.models import SecurityEvent, User
from kitehub.models.security import ADDRESS_LENGTH, BROWSER_LENGTH
from kitehub.services.sign_ins import caller_of

# What is older may be forgotten: so says the trigger, too.
KEPT = timedelta(days=2 * 365 + 1)
_BROWSERS = (
    (r"Edg(?:A|iOS)?/(\d+)", "Edge"),
    (r"OPR/(\d+)", "Opera"),
    (r"coc_coc_browser/(\d+)", "Cốc Cốc"),
    (r"(?:Firefox|FxiOS)/(\d+)", "Firefox"),
    (r"(?:Chrome|CriOS)/(\d+)", "Chrome"),
    (r"Version/(\d+)[\d.]* (?:Mobile/\S+ )?Safari", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True)
class Origin:
    """Where something comes from: who is signed in, IP address, browser in short."""

    actor: str = ""
    address: str = ""
    browser: str = ""


_CURRENT: ContextVar[HttpRequest | None] = ContextVar("security_request", default=None)


@contextmanager
def answering(request: HttpRequest) -> Iterator[None]:
    """What is recorded inside comes from this request."""
    token = _CURRENT.set(request)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def current_request() -> HttpRequest | None:
    """The request that is being answered; None in a command or a job."""
    return _CURRENT.get()


def origin_of(request: HttpRequest | None) -> Origin:
    """Where a request comes from; nowhere without one, as in a command."""
    if request is None:
        return Origin()
    user = getattr(request, "user", None) or AnonymousUser()
    return Origin(
        actor=user.get_username(),
        address=caller_of(request)[:ADDRESS_LENGTH],
        browser=browser_of(request.headers.get("User-Agent", "")),
    )


def browser_of(said: str) -> str:
    """A browser and its system in a few words, from what it says of itself."""
    names = ((name, re.search(pattern, said)) for pattern, name in _BROWSERS)
    name = next((f"{name} {found[1]}" for name, found in names if found), "")
    system = next((system for mark, system in _SYSTEMS if mark in said), "")
    short = " · ".join(part for part in (name, system) if part)
    return (short or said.replace("\x00", ""))[:BROWSER_LENGTH]


def record(
    kind: SecurityEventKind,
    *,
    user: User | None = None,
    login: str = "",
    actor: str | None = None,
    reason: str = "",
    request: HttpRequest | None = None,
    **details: Any,
) -> None:
    """Adds to the log; what is not said of who and where is the current request's."""
    origin = origin_of(request or _CURRENT.get())
    SecurityEvent.objects.create(
        kind=kind,
        user_id=user.pk if user else None,
        login=(user.email if user else login.replace("\x00", ""))[:254],
        actor=(origin.actor if actor is None else actor)[:100],
        reason=reason[:500],
        address=origin.address,
        browser=origin.browser,
        details=details,
    )


def tell_database(request: HttpRequest) -> None:
    """Has what triggers log until the end of the transaction say where it comes from."""
    origin = origin_of(request)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('kitehub.address', %s, true),"
            " set_config('kitehub.browser', %s, true)",
            [origin.address, origin.browser],
        )


def forget(*, at: datetime) -> int:
    """Deletes what happened more than two years ago; returns how many events."""
    count, _ = SecurityEvent.objects.filter(at__lt=at - KEPT).delete()
    return count
