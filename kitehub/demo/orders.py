"""Payment orders and what becomes of them."""

from datetime import datetime, timedelta
from random import Random

from billing.accounts import Account, NoReceivingAccount, own_account
from billing.enums import OrderPurpose, PaymentStatus, PaymentType
from billing.memos import enrollment_memo, payment_content, subscription_memo
from billing.models import PaymentOrder
from billing.order_codes import draw_code
from billing.plain_text import fold
from billing.qr_links import qr_url
from kitehub.demo.banks import reference
from kitehub.demo.chance import random_id
from kitehub.demo.moments import awake
from kitehub.demo.people import AUTOMATIC
from kitehub.demo.schools import School
from kitehub.demo.subjects import Course
from kitehub.enums import Tier
from kitehub.models import User
from kitehub.plans import PLANS

# An order waits this long for its money (plan, V2).
LIFETIME = timedelta(hours=24)
# How late the duty that expires orders may be.
SWEEP = timedelta(minutes=5)


# Where KiteHub is paid while the settings name no account.
NOBODYS_ACCOUNT = Account("970436", "0123499999", "CONG TY KITEHUB")


def kitehub_account() -> Account:
    """KiteHub's own account, or one that is nobody's where there is none."""
    try:
        return own_account()
    except NoReceivingAccount:
        return NOBODYS_ACCOUNT


def subscription_order(
    school: School, owner: User, *, tier: Tier, opened: datetime, by: str, rng: Random
) -> PaymentOrder:
    """An order that waits for a month of a tier; the memo is its code."""
    order = _order(school, owner, opened=opened, by=by, rng=rng)
    order.type = PaymentType.SUBSCRIPTION
    order.tier = tier
    order.amount = order.monthly_price = PLANS[tier].monthly_price
    order.purpose, order.months = OrderPurpose.PERIOD, 1
    order.subject = "subscription"
    order.memo = subscription_memo(order.order_id)
    return _payable(order, kitehub_account())


def enrollment_order(
    school: School,
    owner: User,
    *,
    course: Course,
    student: str,
    account: Account,
    template: str,
    opened: datetime,
    rng: Random,
) -> PaymentOrder:
    """An order that waits for a student's course fee, opened by the school."""
    order = _order(school, owner, opened=opened, by=owner.email, rng=rng)
    order.type = PaymentType.ENROLLMENT
    order.amount = course.fee
    order.course_id, order.student_name = course.code, student
    order.subject = f"enrollment {course.code} {fold(student)}"
    order.memo = enrollment_memo(
        code=order.order_id,
        template=template,
        course_id=course.code,
        student_name=student,
        at=opened,
    )
    return _payable(order, account)


def _payable(order: PaymentOrder, account: Account) -> PaymentOrder:
    order.bank_bin, order.account_number = account.bank_bin, account.number
    order.account_name = account.name
    return order


def _order(school: School, owner: User, *, opened: datetime, by: str, rng: Random) -> PaymentOrder:
    pk, code = random_id(rng), draw_code(rng.choice)
    return PaymentOrder(
        id=pk,
        order_id=code,
        user=owner,
        qr_image_url=qr_url(code),
        payment_content=payment_content(code, owner.email),
        credit_offered=0,
        paid_amount=0,
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


def late(order: PaymentOrder, rng: Random) -> datetime:
    """A moment after the order's time was up at which its money still comes."""
    return order.expires_at + timedelta(minutes=rng.randint(40, 700))


def cancel(order: PaymentOrder, *, moment: datetime, by: str, reason: str) -> None:
    """Somebody took the order back."""
    order.status = PaymentStatus.CANCELLED
    order.cancelled_at, order.cancel_reason = moment, reason
    _touch(order, moment, by)


def supersede(order: PaymentOrder, successor: PaymentOrder) -> None:
    """Another order for the same thing took this one's place when it was opened."""
    cancel(order, moment=successor.created_at, by=successor.created_by or "", reason="superseded")
    order.superseded_by = successor


def leave(order: PaymentOrder, *, at: datetime, rng: Random) -> None:
    """Nobody pays: expired by the next sweep, or still waiting if that is yet to come."""
    swept = order.expires_at + timedelta(seconds=rng.randint(1, int(SWEEP.total_seconds())))
    if swept <= at:
        order.status = PaymentStatus.EXPIRED
        _touch(order, swept, AUTOMATIC)


def _touch(order: PaymentOrder, moment: datetime, by: str) -> None:
    order.updated_at = moment
    order.updated_by = by
