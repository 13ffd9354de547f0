"""Orders of schools, and the bank lines that say something of them."""

from datetime import UTC, datetime
from typing import Any

from billing.enums import PaymentType
from billing.models import BankTransfer, PaymentOrder, Refund
from billing.services import refunds
from billing.services.orders import open_order
from billing.services.refund_sources import Payee
from kitehub.enums import Tier
from kitehub.models import Instance
from tests.factories.billing import BankTransferFactory
from tests.factories.kitehub import InstanceFactory

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
OWN = "0123499999"
SCHOOLS = "0001234567"
PAYEE = Payee(bank_bin="970436", account_number="0071000123456", name="NGUYEN VAN A")


def school() -> Instance:
    """One with a bank account of its own."""
    return InstanceFactory(bank_code="970422", account_number=SCHOOLS)


def subscribe(school: Instance, tier: Tier = Tier.STANDARD, **said: Any) -> PaymentOrder:
    return open_order(instance=school, actor="lan", **{"tier": tier, "at": NOW, **said})


def expired(order: PaymentOrder) -> PaymentOrder:
    """The order, when its time is up; another one may be opened beside it then."""
    PaymentOrder.objects.filter(pk=order.pk).update(status="EXPIRED")
    return order


def enroll(school: Instance, student: str = "An", **said: Any) -> PaymentOrder:
    return open_order(
        type=PaymentType.ENROLLMENT,
        instance=school,
        actor="api",
        course_id="TOAN9",
        student_name=student,
        **{"at": NOW, "amount": 500_000, **said},
    )


def line(
    memo: str | None, amount: int, at: datetime = NOW, account: str = OWN, **said: Any
) -> BankTransfer:
    """One that nothing was made of yet."""
    return BankTransferFactory(
        memo=memo or "", amount=amount, transferred_at=at, account_number=account, **said
    )


def ask(amount: int, at: datetime = NOW, **of: Any) -> Refund:
    return refunds.request_refund(
        amount=amount, reason="asked to", actor="lan", at=at, payee=PAYEE, **of
    )
