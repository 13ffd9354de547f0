"""One-time codes of RFC 6238: what an authenticator app shows, and which of them are good."""

import hmac
from datetime import datetime

import pyotp

STEP_SECONDS = 30
DIGITS = 6
# Clocks may differ by a step either way (RFC 6238, 5.2).
DRIFT = 1


def new_secret() -> str:
    """A secret for an app, in base 32: 160 bits, as RFC 4226 advises."""
    return pyotp.random_base32()


def step_of(at: datetime) -> int:
    """Which step of 30 seconds a moment is in, since 1970."""
    return int(at.timestamp()) // STEP_SECONDS


def code_at(secret: str, step: int) -> str:
    """The code of a step, six digits."""
    return _codes(secret).generate_otp(step)


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
    return _codes(secret).provisioning_uri(name=login, issuer_name=issuer)


def _codes(secret: str) -> pyotp.TOTP:
    return pyotp.TOTP(secret, digits=DIGITS, interval=STEP_SECONDS)
