"""Orders as the services open them."""

from typing import Any

from billing.enums import OrderPurpose
from billing.models import PaymentOrder
from billing.qr_links import qr_url
from kitehub.enums import Tier
from kitehub.models import Instance
from tests.factories.billing import PaymentOrderFactory


def open_order(school: Instance, **more: Any) -> PaymentOrder:
    """An order for a month of STANDARD, paid to KiteHub's account."""
    given = {
        "instance": school,
        "tier": Tier.STANDARD,
        "purpose": OrderPurpose.PERIOD,
        "months": 1,
        "monthly_price": 599_000,
        "bank_bin": "970436",
        "account_number": "0011002233445",
        "account_name": "CONG TY KITEHUB",
    }
    order = PaymentOrderFactory(**(given | more))
    order.memo = order.order_id
    order.qr_image_url = qr_url(order.order_id)
    order.save()
    return order
