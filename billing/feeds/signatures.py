"""Checking who sent a body, in the same time whether or not it is the right sender."""

import hashlib
import hmac
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from billing.feeds.lines import Refused

# From here on a stamp is in milliseconds: as seconds it would be the year 5138.
_MILLISECONDS_FROM = 10**11
# 13 digits are milliseconds until the year 2286.
_LONGEST_STAMP = 13


def matches(sent: str, expected: Iterable[bytes]) -> bool:
    """Whether a text is one of those expected; compared with each of them, in constant time."""
    found = False
    given = sent.encode("utf-8", "surrogatepass")
    for each in expected:
        found |= hmac.compare_digest(given, each)
    return found


def signed_by(sent: str, keys: Iterable[str], messages: Iterable[bytes], *, hash_name: str) -> bool:
    """Whether a hexadecimal HMAC is that of one of the messages under one of the keys."""
    hashing: Callable[..., hashlib._Hash] = getattr(hashlib, hash_name)
    messages = tuple(messages)
    return matches(
        sent.lower(),
        (
            hmac.new(key.encode(), message, hashing).hexdigest().encode("ascii")
            for key in keys
            for message in messages
        ),
    )


def check_stamp(stamp: str, *, at: datetime, window: timedelta) -> None:
    """Raises Refused for a signature made longer before, or after, the moment `at` than allowed.

    The stamp is a Unix time in seconds or milliseconds. That of a clock that runs ahead of ours may
    be in the future by as much as the window.
    """
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= _LONGEST_STAMP):
        raise Refused("timestamp_unreadable", _("The signature's timestamp can't be read."), 401)
    seconds = int(stamp) / (1000 if int(stamp) >= _MILLISECONDS_FROM else 1)
    age = at.timestamp() - seconds
    if age > window.total_seconds():
        raise Refused("signature_stale", _("The signature is too old."), 403)
    if -age > window.total_seconds():
        raise Refused("signature_from_the_future", _("The signature is from the future."), 403)


def nothing_configured() -> Refused:
    """What is answered while no secret is set for a service."""
    return Refused("feed_not_configured", _("This service is not set up here."), 404)


def nothing_sent() -> Refused:
    """What is answered to a body without any proof."""
    return Refused("credentials_missing", _("The request has neither a key nor a signature."), 401)


def wrong_token() -> Refused:
    """What is answered to a key that is none of ours."""
    return Refused("key_wrong", _("The key is not one of those expected."), 403)


def wrong_signature() -> Refused:
    """What is answered to a signature that isn't the body's."""
    return Refused("signature_wrong", _("The signature doesn't fit the body."), 403)
