"""Enrollments: course fees paid to the schools' own accounts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from billing.enums import PaymentStatus
from billing.models import PaymentOrder
from kitehub.demo import orders
from kitehub.demo.instances import has_bank, qr_template
from kitehub.demo.moments import VIETNAM, by_day
from kitehub.demo.people import student
from kitehub.demo.subscriptions import Life
from kitehub.demo.texts import capitals

# How old the newest orders are: some wait for their money, some are overdue and not swept up yet.
FRESH = (timedelta(minutes=12), timedelta(hours=3), timedelta(hours=9), timedelta(hours=19))
OVERDUE = (timedelta(hours=24, minutes=3), timedelta(hours=25), timedelta(hours=31))


def enrollments(lives: Sequence[Life], *, at: datetime, rng: Random) -> list[PaymentOrder]:
    """The fees' orders, in every state; a few cancelled ones are softly deleted too."""
    paid_into = [life for life in lives if has_bank(life.school)]
    made = [
        _past(life, at=at, rng=rng)
        for life in paid_into
        for _ in range(_number(life, at=at, rng=rng))
    ]
    made = [order for order in made if order.updated_at <= at]
    open_now = [life for life in paid_into if life.closed_at is None and life.school.days > 3]
    for age, life in zip(FRESH + OVERDUE, open_now, strict=False):
        made.append(_opened(life, at - age, rng=rng))
    cancelled = [order for order in made if order.status == PaymentStatus.CANCELLED]
    for order in cancelled[:2]:
        order.deleted, order.deleted_at = True, order.updated_at
    return made


def _number(life: Life, *, at: datetime, rng: Random) -> int:
    months = ((life.closed_at or at) - life.born).days / 30
    return round(months * life.school.visitors * rng.uniform(0.25, 0.5))


def _opened(life: Life, opened: datetime, *, rng: Random) -> PaymentOrder:
    course = rng.choice(life.school.courses)
    memo = qr_template(life.school).format(
        courseId=course.code,
        studentName=capitals(student(rng)),
        timestamp=f"{opened.astimezone(VIETNAM):%d%m%H%M}",
    )
    return orders.enrollment_order(
        life.school, life.owner, fee=course.fee, memo=memo, opened=opened, rng=rng
    )


def _past(life: Life, *, at: datetime, rng: Random) -> PaymentOrder:
    """An order on some day of the school's, and its end."""
    last = life.closed_at or at
    order = _opened(life, by_day(life.born, last, rng), rng=rng)
    fate = rng.random()
    if fate < 0.8:
        paid_at = orders.soon(order, within=timedelta(hours=23), rng=rng)
        orders.settle(order, paid_at=paid_at, rng=rng)
    elif fate < 0.9:
        orders.leave(order, at=at, rng=rng)
    else:
        moment = order.created_at + timedelta(minutes=rng.randint(3, 300))
        orders.cancel(order, moment=moment, by=life.owner.email)
    return order
