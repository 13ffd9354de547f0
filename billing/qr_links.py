"""Addresses of an order's QR code: signed, so that nobody reads orders by counting.

Whoever has the address sees the code, as with the code itself; it works as long as the order is.
"""

from django.core import signing
from django.urls import reverse

from kitehub.site import address

_SALT = "billing.qr"


def qr_path(code: str, form: str = "svg") -> str:
    """The path of an order's QR code, as SVG or PNG."""
    return reverse(f"order_qr_{form}", args=[_token(code)])


def qr_url(code: str, form: str = "svg") -> str:
    """The whole address, for mail and for other sites."""
    return address(f"order_qr_{form}", _token(code))


def code_of(token: str) -> str | None:
    """The order's code in a signed token; None for one that nobody here has signed."""
    try:
        return signing.Signer(salt=_SALT).unsign(token)
    except signing.BadSignature:
        return None


def _token(code: str) -> str:
    return signing.Signer(salt=_SALT).sign(code)
