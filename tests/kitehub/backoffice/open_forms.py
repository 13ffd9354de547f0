"""Forms with fields to fill in, on the pages whose columns are of the most kinds.

On their own pages of today money and state are changed by actions alone. What a form does with what
is entered is the same for every table, and is tried here on these.
"""

from typing import Any

import pytest

from billing.admin import PaymentOrderAdmin, SubscriptionAdmin
from billing.enums import PaymentStatus
from billing.lifecycles import PAYMENT_ORDER, SUBSCRIPTION
from kitehub.admin.instances import InstanceAdmin
from kitehub.db.lifecycle import Lifecycle

_STAYS = {"instance", "tier", "current_period_start", "current_period_end", "trial_end"}
_ENTERED = {"status", "transaction_reference", "qr_image_url"}
_BY_HAND = Lifecycle(
    table=PAYMENT_ORDER.table,
    follows={PaymentStatus.PENDING.value: (PaymentStatus.CANCELLED.value,)},
)


@pytest.fixture(autouse=True)
def open_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    """State and price of a subscription, state of an order and the dates of a school are fields."""
    first: Any = (None, {"fields": ("instance", ("tier", "status"), "monthly_price")})
    monkeypatch.setattr(SubscriptionAdmin, "frozen", tuple(_STAYS))
    monkeypatch.setattr(SubscriptionAdmin, "fieldsets", (first, *SubscriptionAdmin.fieldsets[1:]))
    monkeypatch.setattr(SubscriptionAdmin, "lifecycle", SUBSCRIPTION)
    kept = tuple(name for name in PaymentOrderAdmin.frozen if name not in _ENTERED)
    monkeypatch.setattr(PaymentOrderAdmin, "frozen", kept)
    monkeypatch.setattr(PaymentOrderAdmin, "lifecycle", _BY_HAND)
    monkeypatch.setattr(InstanceAdmin, "terms", ("tier",))
