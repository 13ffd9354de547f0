"""One-time codes of RFC 6238: what an authenticator app shows, computed and compared."""

import base64
import hmac
import secrets
from datetime import datetime
from hashlib import sha1
from urllib.parse import quote, urlencode

STEP_SECONDS = 30
DIGITS = 6
# Clocks may differ by a step either way (RFC 6238, 5.2).
DRIFT = 1
# RFC 4226 wants 128 bits at least and advises 160: 32 letters of base 32.
_SECRET_BYTES = 20


def new_secret() -> str:
    """A secret for an app, in base 32."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii")


def step_of(at: datetime) -> int:
    """Which step of 30 seconds a moment is in, since 1970."""
    return int(at.timestamp()) // STEP_SECONDS


def code_at(secret: str, step: int) -> str:
    """The code of a step, six digits (RFC 4226, 5.3)."""
    # The algorithm that every authenticator app knows; HMAC-SHA1 has no known weakness.
    digest = hmac.new(base64.b32decode(secret), step.to_bytes(8, "big"), sha1).digest()
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def matching_step(secret: str, code: str, *, at: datetime, after: int) -> int | None:
    """The step whose code this is, at most one off; None for a wrong one or a step used before.

    `after` is the step that was used last: neither its code nor an older one is good again.
    """
    now = step_of(at)
    found = None
    # All are compared, so that the time it takes tells nothing.
    for step in range(now - DRIFT, now + DRIFT + 1):
        if hmac.compare_digest(code_at(secret, step), code) and step > after:
            found = step
    return found


def address(secret: str, *, login: str, issuer: str) -> str:
    """What the QR code says to an app: an otpauth address."""
    label = quote(f"{issuer}:{login}", safe="")
    said = {"secret": secret, "issuer": issuer, "digits": DIGITS, "period": STEP_SECONDS}
    return f"otpauth://totp/{label}?{urlencode(said)}"
