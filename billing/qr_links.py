"""Addresses of an order's QR code: signed, so that nobody reads orders by counting.

Whoever has the address sees the code, as with the code itself; it works as long as the order is.
"""

from django.conf import settings
from django.core import signing

_SALT = "billing.qr"


def qr_path(code: str, form: str = "svg") -> str:
    """The path of an order's QR code, as SVG or PNG."""
    return f"/qr/{signing.Signer(salt=_SALT).sign(code)}.{form}"


def qr_url(code: str, form: str = "svg") -> str:
    """The whole address where KITEHUB_BASE_URL says what this site is called, else the path."""
    return f"{settings.KITEHUB_BASE_URL.rstrip('/')}{qr_path(code, form)}"


def code_of(token: str) -> str | None:
    """The order's code in a signed token; None for one that nobody here has signed."""
    try:
        return signing.Signer(salt=_SALT).unsign(token)
    except signing.BadSignature:
        return None
