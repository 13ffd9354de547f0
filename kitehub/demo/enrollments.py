"""Enrollments: course fees paid to the schools' own accounts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from billing.enums import PaymentStatus
from billing.models import PaymentOrder
from kitehub.demo import orders
from kitehub.demo.instances import bank_account, has_bank, qr_template
from kitehub.demo.moments import by_day
from kitehub.demo.people import student
from kitehub.demo.subscriptions import Life

# How old the newest orders are: some wait for their money, some are overdue and not swept up yet.
FRESH = (timedelta(minutes=12), timedelta(hours=3), timedelta(hours=9), timedelta(hours=19))
OVERDUE = (timedelta(hours=24, minutes=3), timedelta(hours=25), timedelta(hours=31))


# Why parents take an order back.
REASONS = (
    "Phụ huynh đổi ý",
    "Nhập nhầm khóa học",
    "Chuyển sang lớp khác",
    "Đóng tiền mặt tại quầy",
)


def enrollments(lives: Sequence[Life], *, at: datetime, rng: Random) -> list[PaymentOrder]:
    """The fees' orders, in every state; a few cancelled ones are softly deleted too."""
    paid_into = [life for life in lives if has_bank(life.school)]
    made = [
        order
        for life in paid_into
        for _ in range(_number(life, at=at, rng=rng))
        for order in _past(life, at=at, rng=rng)
    ]
    ended = {order.pk for order in made if order.updated_at <= at}
    # A superseded one is there with its successor only.
    made = [order for order in made if (order.superseded_by_id or order.pk) in ended]
    made = [order for order in made if order.pk in ended]
    open_now = [life for life in paid_into if life.closed_at is None and life.school.days > 3]
    for age, life in zip(FRESH + OVERDUE, open_now, strict=False):
        made.append(_opened(life, at - age, rng=rng))
    for order in _twice_open(made):
        orders.cancel(order, moment=order.created_at, by=order.created_by or "", reason=REASONS[1])
    cancelled = [order for order in made if order.cancel_reason in REASONS]
    for order in cancelled[:2]:
        order.deleted, order.deleted_at = True, order.updated_at
    return made


def _twice_open(made: Sequence[PaymentOrder]) -> list[PaymentOrder]:
    """Open orders for what another open order is for: by chance the same child, the same course."""
    waiting = [order for order in made if order.status == PaymentStatus.PENDING]
    seen: dict[object, PaymentOrder] = {}
    return [one for one in waiting if seen.setdefault((one.instance_id, one.subject), one) != one]


def _number(life: Life, *, at: datetime, rng: Random) -> int:
    months = ((life.closed_at or at) - life.born).days / 30
    return round(months * life.school.visitors * rng.uniform(0.25, 0.5))


def _opened(
    life: Life, opened: datetime, *, rng: Random, like: PaymentOrder | None = None
) -> PaymentOrder:
    """An order of some student for some course, or for the same as another's."""
    course, pupil = rng.choice(life.school.courses), student(rng)
    if like is not None:
        course = next(each for each in life.school.courses if each.code == like.course_id)
        pupil = like.student_name or ""
    return orders.enrollment_order(
        life.school,
        life.owner,
        course=course,
        student=pupil,
        account=bank_account(life),
        template=qr_template(life.school),
        opened=opened,
        rng=rng,
    )


def _past(life: Life, *, at: datetime, rng: Random) -> list[PaymentOrder]:
    """An order on some day of the school's, and its end; two where one superseded the other."""
    last = life.closed_at or at
    order = _opened(life, by_day(life.born, last, rng), rng=rng)
    fate = rng.random()
    if fate < 0.8:
        paid_at = orders.soon(order, within=timedelta(hours=23), rng=rng)
        if fate < 0.03:
            paid_at = orders.late(order, rng)
        orders.settle(order, paid_at=paid_at, rng=rng)
    elif fate < 0.9:
        orders.leave(order, at=at, rng=rng)
    elif fate < 0.95:
        moment = order.created_at + timedelta(minutes=rng.randint(3, 300))
        orders.cancel(order, moment=moment, by=life.owner.email, reason=rng.choice(REASONS))
    else:
        return [order, _successor(life, order, rng=rng)]
    return [order]


def _successor(life: Life, order: PaymentOrder, *, rng: Random) -> PaymentOrder:
    """The same again, a little later: the parents had closed the first page; paid."""
    opened = order.created_at + timedelta(minutes=rng.randint(3, 300))
    again = _opened(life, opened, rng=rng, like=order)
    orders.supersede(order, again)
    paid_at = orders.soon(again, within=timedelta(hours=23), rng=rng)
    orders.settle(again, paid_at=paid_at, rng=rng)
    return again
