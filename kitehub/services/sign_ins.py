"""Signing in, and how often somebody may try."""

from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Network, ip_address

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from kitehub.models import SignInAttempts, User

WINDOW = timedelta(minutes=15)
# Attempts within a window: for one login from one address, and from one address for whomever.
# Nobody can lock somebody else out: that takes attempts from that person's own address.
OF_ONE_LOGIN = 10
OF_ONE_ADDRESS = 100
_SWEPT = 20


class TooManyAttempts(Exception):
    """Whoever tries to sign in has tried too often; nobody looked at the password.

    `first` says whether this is the first attempt too many.
    """

    def __init__(self, *, first: bool = False) -> None:
        super().__init__()
        self.first = first


def count_attempt(*, login: str, address: str, at: datetime) -> None:
    """Counts an attempt before anybody looks at its password; raises TooManyAttempts.

    Counted first, so that a hundred at once are a hundred.
    """
    allowed = [(_key(login, address), OF_ONE_LOGIN), (_key("", address), OF_ONE_ADDRESS)]
    counts = [(_count(key, at=at), most) for key, most in allowed]
    _forget_old(at=at)
    over = [count - most for count, most in counts if count > most]
    if over:
        raise TooManyAttempts(first=max(over) == 1)


def is_own_password(user: User, password: str, *, at: datetime) -> bool:
    """Whether somebody who is signed in knows their password; raises TooManyAttempts.

    Counted by the person, wherever they are: only they come this far.
    """
    login, address = "password", f"person {user.pk}"
    count_attempt(login=login, address=address, at=at)
    right = user.check_password(password)
    if right:
        forgive(login=login, address=address)
    return right


def forgive(*, login: str, address: str) -> None:
    """Forgets the attempts for a login, because one of them had the right password."""
    SignInAttempts.objects.filter(key=_key(login, address)).delete()


def minutes_left(*, login: str, address: str, at: datetime) -> int:
    """In how many minutes, rounded up, somebody may try again; 0 where they may now."""
    allowed = {_key(login, address): OF_ONE_LOGIN, _key("", address): OF_ONE_ADDRESS}
    rows = SignInAttempts.objects.filter(key__in=allowed, since__gt=at - WINDOW)
    ends = [row.since + WINDOW for row in rows if row.attempts >= allowed[row.key]]
    return max((-int((at - end).total_seconds() // 60) for end in ends), default=0)


def caller_of(request: HttpRequest) -> str:
    """The IP address a request comes from; the proxy's word for it where there is one in front.

    The last entry of X-Forwarded-For is the proxy's own, the ones before it are anybody's. What is
    no address is passed over; empty where nothing is one, as behind a socket of the machine.
    """
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2]
    behind_proxy = getattr(settings, "SECURE_PROXY_SSL_HEADER", None) is not None
    said = [forwarded, request.META.get("REMOTE_ADDR", "")]
    return next(filter(None, map(_address, said if behind_proxy else said[1:])), "")


def way_on(request: HttpRequest) -> str:
    """Where somebody wanted to go before they proved who they are; empty unless it is ours."""
    asked = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(
        asked, {request.get_host()}, require_https=request.is_secure()
    )
    return asked if ours else ""


def address_of(request: HttpRequest) -> str:
    """What a request's attempts are counted by: its address, of IPv6 the network.

    Whoever has one address has the 2^64 of a /64 (RFC 6177).
    """
    return _network(caller_of(request))


# --- Parts --------------------------------------------------------------------------------------


def _address(text: str) -> str:
    # Without a zone: that of "fe80::1%eth0" may be any text.
    try:
        return str(ip_address(text.strip().partition("%")[0]))
    except ValueError:
        return ""


def _network(text: str) -> str:
    if not text:
        return ""
    found = ip_address(text)
    if isinstance(found, IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(IPv6Network((int(found), 64), strict=False))


def _key(login: str, address: str) -> str:
    return sha256(f"{login.strip().lower()}\n{address}".encode()).hexdigest()


def _count(key: str, *, at: datetime) -> int:
    """One more; the first of a new window where the old one is over."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO sign_in_attempts AS had (key, attempts, since)
            VALUES (%(key)s, 1, %(at)s)
            ON CONFLICT (key) DO UPDATE SET
                attempts = CASE WHEN had.since > %(over)s THEN had.attempts + 1 ELSE 1 END,
                since = CASE WHEN had.since > %(over)s THEN had.since ELSE excluded.since END
            RETURNING attempts
            """,
            {"key": key, "at": at, "over": at - WINDOW},
        )
        return int(cursor.fetchone()[0])


def _forget_old(*, at: datetime) -> None:
    """Sweeps a few rows whose window is over, so that no duty has to."""
    old = SignInAttempts.objects.filter(since__lte=at - WINDOW).order_by("since")
    some = old.select_for_update(skip_locked=True).values("pk")[:_SWEPT]
    SignInAttempts.objects.filter(pk__in=some).delete()
