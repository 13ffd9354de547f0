"""Payment orders and what becomes of them."""

from datetime import datetime, timedelta
from random import Random

from billing.enums import PaymentStatus, PaymentType
from billing.models import PaymentOrder
from billing.order_codes import draw_code
from kitehub.demo.banks import reference
from kitehub.demo.chance import random_id
from kitehub.demo.moments import awake
from kitehub.demo.people import AUTOMATIC
from kitehub.demo.schools import School
from kitehub.enums import Tier
from kitehub.models import User
from kitehub.plans import PLANS

# An order waits this long for its money (plan, V2).
LIFETIME = timedelta(hours=24)
# How late the duty that expires orders may be.
SWEEP = timedelta(minutes=5)


def subscription_order(
    school: School, owner: User, *, tier: Tier, opened: datetime, by: str, rng: Random
) -> PaymentOrder:
    """An order that waits for a month of a tier; the memo is the plan's (V2)."""
    order = _order(school, owner, opened=opened, by=by, rng=rng)
    order.type = PaymentType.SUBSCRIPTION
    order.tier = tier
    order.amount = PLANS[tier].monthly_price
    order.payment_content = f"KITEHUB {order.order_id} {owner.email}"
    return order


def enrollment_order(
    school: School, owner: User, *, fee: int, memo: str, opened: datetime, rng: Random
) -> PaymentOrder:
    """An order that waits for a student's course fee, opened by the school."""
    order = _order(school, owner, opened=opened, by=owner.email, rng=rng)
    order.type = PaymentType.ENROLLMENT
    order.amount = fee
    order.payment_content = memo
    return order


def _order(school: School, owner: User, *, opened: datetime, by: str, rng: Random) -> PaymentOrder:
    return PaymentOrder(
        id=random_id(rng),
        order_id=draw_code(rng.choice),
        user=owner,
        instance_id=school.id,
        status=PaymentStatus.PENDING,
        created_at=opened,
        expires_at=opened + LIFETIME,
        updated_at=opened,
        created_by=by,
        updated_by=by,
    )


def soon(order: PaymentOrder, *, within: timedelta, rng: Random) -> datetime:
    """When somebody pays: mostly within the hour, by day, and never later than `within`."""
    draws = (timedelta(seconds=round(120 + 60 * rng.lognormvariate(3.6, 1.2))) for _ in range(40))
    moments = (order.created_at + delay for delay in draws if delay <= within)
    return next(filter(awake, moments), order.created_at + timedelta(minutes=2))


def settle(order: PaymentOrder, *, paid_at: datetime, rng: Random, by: str = AUTOMATIC) -> None:
    """The money came, and the bank's notice a little later."""
    order.status = PaymentStatus.PAID
    order.paid_at = paid_at
    order.transaction_reference = reference(paid_at, rng)
    _touch(order, paid_at + timedelta(seconds=rng.randint(4, 90)), by)


def cancel(order: PaymentOrder, *, moment: datetime, by: str) -> None:
    """Somebody took the order back."""
    order.status = PaymentStatus.CANCELLED
    _touch(order, moment, by)


def leave(order: PaymentOrder, *, at: datetime, rng: Random) -> None:
    """Nobody pays: expired by the next sweep, or still waiting if that is yet to come."""
    swept = order.expires_at + timedelta(seconds=rng.randint(1, int(SWEEP.total_seconds())))
    if swept <= at:
        order.status = PaymentStatus.EXPIRED
        _touch(order, swept, AUTOMATIC)


def _touch(order: PaymentOrder, moment: datetime, by: str) -> None:
    order.updated_at = moment
    order.updated_by = by
