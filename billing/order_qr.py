"""The QR code of a payment order: what it says, and the signed address where it is drawn.

The address works without signing in, as mail and a school's own pages need it; nobody can make one
up, or count through the orders, without our key.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from django.core import signing

from billing import vietqr
from billing.enums import PaymentStatus
from kitehub.site import address

if TYPE_CHECKING:
    from billing.models import PaymentOrder

_signer = signing.Signer(salt="billing.order_qr")


def qr_image_url(code: str, kind: Literal["svg", "png"] = "svg") -> str:
    """The whole address of an order's QR code as an image; the same for ever, and for anybody."""
    return address(f"order_qr_{kind}", _signer.sign(code))


def code_in(token: str) -> str | None:
    """The order's code that an address was made for; None where it wasn't made here."""
    try:
        return _signer.unsign(token)
    except signing.BadSignature:
        return None


def due(order: "PaymentOrder") -> int:
    """What is still to be transferred, in đồng: the rest, less the credit that goes into it."""
    return max(order.rest - order.credit_offered, 0)


def payload_of(order: "PaymentOrder", *, at: datetime) -> str | None:
    """The VietQR payload that asks for what is still due.

    None where there is nothing to pay (any more) at that moment, and for orders of other programs,
    which don't say to which account.
    """
    amount = due(order)
    if order.status != PaymentStatus.PENDING or order.expires_at <= at or not amount:
        return None
    if not (order.bank_bin and order.account_number and order.memo):
        return None
    return vietqr.encode(
        bank_bin=order.bank_bin,
        account_number=order.account_number,
        amount=amount,
        memo=order.memo,
        one_time=True,
    )
