"""Browsers in which people are signed in: kept track of, and ended."""

from datetime import datetime, timedelta
from hashlib import sha256
from importlib import import_module
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from kitehub.db.functions import Sha256
from kitehub.enums import SecurityEventKind
from kitehub.models import SignedInSession, User
from kitehub.services import security

# Being seen is written at most this often.
SEEN_EVERY = timedelta(minutes=5)
_SEEN = "_seen_at"
# In a session: its password was right, and the code is still to come, within so many seconds.
_CODE_DUE = "_code_due"
_CODE_WITHIN = 10 * 60
# Django's table has the keys themselves, and its own readers.
_KEYED = Session.objects.annotate(digest=Sha256("session_key"))
_FOLLOW = """
    WITH begun AS (SELECT 1 FROM signed_in_sessions WHERE key_digest = %(after)s),
    over AS (
        DELETE FROM signed_in_sessions
        WHERE key_digest = %(before)s AND EXISTS (SELECT FROM begun)
    )
    UPDATE signed_in_sessions SET key_digest = %(after)s
    WHERE key_digest = %(before)s AND NOT EXISTS (SELECT FROM begun)
"""


def begin(request: HttpRequest, user: User, *, at: datetime) -> None:
    """Remembers that somebody has signed in here."""
    session = request.session
    if session.session_key is None:
        session.create()
    origin = security.origin_of(request)
    SignedInSession.objects.update_or_create(
        key_digest=digest_of(session.session_key),
        defaults={
            "user": user,
            "since": at,
            "last_seen": at,
            "address": origin.address,
            "browser": origin.browser,
        },
    )
    session[_SEEN] = at.timestamp()


def see(request: HttpRequest, *, at: datetime) -> bool:
    """Notes that the person is still there, some minutes after it was noted last.

    False where nobody keeps track of the session, so that nobody could end it either: it was begun
    before there was a track, or what there was of it is gone.
    """
    seen = request.session.get(_SEEN)
    if seen is None:
        return False
    if at.timestamp() - seen < SEEN_EVERY.total_seconds():
        return True
    request.session[_SEEN] = at.timestamp()
    origin = security.origin_of(request)
    rows = SignedInSession.objects.filter(key_digest=digest_of(request.session.session_key))
    return bool(rows.update(last_seen=at, address=origin.address, browser=origin.browser))


def follow(*, before: str | None, after: str | None) -> None:
    """Keeps track of a session that got a new key, as it does with a new password.

    Where a sign-in has begun a new one under that key, the old one is over.
    """
    if before and after and before != after:
        with connection.cursor() as cursor:
            cursor.execute(_FOLLOW, {"before": digest_of(before), "after": digest_of(after)})


def digest_of(key: str | None) -> str:
    """What is kept of a session's key: whoever reads it cannot make a cookie of it."""
    return sha256((key or "").encode()).hexdigest()


def ask_for_code(request: HttpRequest) -> None:
    """Has nothing open in this session before a code was right."""
    request.session[_CODE_DUE] = True
    request.session.set_expiry(_CODE_WITHIN)


def is_code_due(request: HttpRequest) -> bool:
    """Whether somebody's password was right here and their code is still to come."""
    return bool(request.session.get(_CODE_DUE))


def code_was_right(request: HttpRequest) -> None:
    """Lets somebody in whose password and code were right."""
    _let_in(request, with_code=True)


def code_is_needless(request: HttpRequest) -> None:
    """Lets somebody in whose password was right and whose codes were reset before one came."""
    _let_in(request, codes_reset=True)


def _let_in(request: HttpRequest, **details: Any) -> None:
    user = request.user
    assert isinstance(user, User)  # noqa: S101
    del request.session[_CODE_DUE]
    request.session.set_expiry(None)
    request.session.cycle_key()
    security.record(
        SecurityEventKind.SIGNED_IN, user=user, actor=user.email, request=request, **details
    )


def open_sessions(user: User, *, at: datetime) -> QuerySet[SignedInSession]:
    """Those of a person that are not over, last seen first."""
    rows = not_over(SignedInSession.objects.filter(user=user), at=at)
    return rows.order_by("-last_seen", "-id")


def not_over(rows: QuerySet[SignedInSession], *, at: datetime) -> QuerySet[SignedInSession]:
    """Those of the rows in which somebody is still signed in; the others wait to be forgotten."""
    return rows.filter(key_digest__in=_KEYED.filter(expire_date__gt=at).values("digest"))


def is_ended(request: HttpRequest) -> bool:
    """Whether somebody has ended the very session of this request meanwhile."""
    digest = digest_of(request.session.session_key)
    return not SignedInSession.objects.filter(key_digest=digest).exists()


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
        return _drop(SignedInSession.objects.filter(user=user).exclude(key_digest=digest_of(kept)))


def forget(key: str | None) -> None:
    """Forgets a session that its own browser has ended."""
    if key:
        SignedInSession.objects.filter(key_digest=digest_of(key)).delete()


def forget_over(*, at: datetime) -> int:
    """Forgets the sessions that are over; returns how many."""
    live = not_over(SignedInSession.objects.all(), at=at)
    count, _ = SignedInSession.objects.exclude(pk__in=live.values("pk")).delete()
    return count


def _drop(rows: QuerySet[SignedInSession]) -> int:
    """Ends them; returns how many were not over."""
    count = not_over(rows, at=timezone.now()).count()
    digests = list(rows.values_list("key_digest", flat=True))
    store = import_module(settings.SESSION_ENGINE).SessionStore
    for key in _KEYED.filter(digest__in=digests).values_list("session_key", flat=True):
        store(key).delete()
    SignedInSession.objects.filter(key_digest__in=digests).delete()
    return count
