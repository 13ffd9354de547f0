"""Browsers in which people are signed in: kept track of, and ended."""

from datetime import datetime, timedelta
from importlib import import_module
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from kitehub.enums import SecurityEventKind
from kitehub.models import SignedInSession, User
from kitehub.services import security

# Being seen is written at most this often.
SEEN_EVERY = timedelta(minutes=5)
_SEEN = "_seen_at"
# In a session: its password was right, and the code is still to come, within so many seconds.
_CODE_DUE = "_code_due"
_CODE_WITHIN = 10 * 60


def begin(request: HttpRequest, user: User, *, at: datetime) -> None:
    """Remembers that somebody has signed in here."""
    session = request.session
    if session.session_key is None:
        session.create()
    origin = security.origin_of(request)
    SignedInSession.objects.update_or_create(
        session_key=session.session_key,
        defaults={
            "user": user,
            "since": at,
            "last_seen": at,
            "address": origin.address,
            "browser": origin.browser,
        },
    )
    session[_SEEN] = at.timestamp()


def see(request: HttpRequest, user: User, *, at: datetime) -> None:
    """Notes that the person is still there, some minutes after it was noted last."""
    if at.timestamp() - request.session.get(_SEEN, 0) < SEEN_EVERY.total_seconds():
        return
    request.session[_SEEN] = at.timestamp()
    origin = security.origin_of(request)
    seen = {"last_seen": at, "address": origin.address, "browser": origin.browser}
    SignedInSession.objects.update_or_create(
        session_key=request.session.session_key,
        defaults=seen,
        create_defaults={**seen, "user": user, "since": at},
    )


def follow(*, before: str | None, after: str | None) -> None:
    """Keeps track of a session that got a new key, as it does with a new password."""
    if before and after and before != after:
        SignedInSession.objects.filter(session_key=before).update(session_key=after)


def ask_for_code(request: HttpRequest) -> None:
    """Has nothing open in this session before a code was right."""
    request.session[_CODE_DUE] = True
    request.session.set_expiry(_CODE_WITHIN)


def is_code_due(request: HttpRequest) -> bool:
    """Whether somebody's password was right here and their code is still to come."""
    return bool(request.session.get(_CODE_DUE))


def code_was_right(request: HttpRequest) -> None:
    """Lets somebody in whose password and code were right."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101
    del request.session[_CODE_DUE]
    request.session.set_expiry(None)
    request.session.cycle_key()
    security.record(
        SecurityEventKind.SIGNED_IN, user=user, actor=user.email, request=request, with_code=True
    )


def open_sessions(user: User, *, at: datetime) -> QuerySet[SignedInSession]:
    """Those of a person that are not over, last seen first."""
    live = Session.objects.filter(expire_date__gt=at).values("session_key")
    rows = SignedInSession.objects.filter(user=user, session_key__in=live)
    return rows.order_by("-last_seen", "-id")


def end(*, user_id: UUID, actor: str, reason: str, session_id: UUID | None = None) -> int:
    """Signs a person out of one browser, or of all; returns of how many."""
    with transaction.atomic():
        user = User.objects.get(pk=user_id)
        rows = SignedInSession.objects.filter(user=user)
        if session_id is not None:
            rows = rows.filter(pk=session_id)
        count = _drop(rows)
        if count:
            security.record(
                SecurityEventKind.SESSION_ENDED,
                user=user,
                actor=actor,
                reason=reason,
                sessions=count,
            )
    return count


def end_others(user: User, *, kept: str | None) -> int:
    """Signs a person out everywhere but in the session with this key; returns of how many."""
    with transaction.atomic():
        return _drop(SignedInSession.objects.filter(user=user).exclude(session_key=kept))


def forget(key: str | None) -> None:
    """Forgets a session that its own browser has ended."""
    if key:
        SignedInSession.objects.filter(session_key=key).delete()


def forget_over(*, at: datetime) -> int:
    """Forgets the sessions that are over; returns how many."""
    live = Session.objects.filter(expire_date__gt=at).values("session_key")
    count, _ = SignedInSession.objects.exclude(session_key__in=live).delete()
    return count


def _drop(rows: QuerySet[SignedInSession]) -> int:
    keys = list(rows.values_list("session_key", flat=True))
    store = import_module(settings.SESSION_ENGINE).SessionStore
    for key in keys:
        store(key).delete()
    SignedInSession.objects.filter(session_key__in=keys).delete()
    return len(keys)
