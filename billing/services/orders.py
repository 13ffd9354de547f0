"""Orders are opened, superseded and cancelled."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from billing import memos
from billing.enums import CreditKind, OrderPurpose, PaymentStatus, PaymentType
from billing.models import PaymentOrder
from billing.order_codes import new_code
from billing.qr_links import qr_url
from billing.services import credit, settlement
from billing.services.order_locks import lock_with_lines
from billing.services.order_terms import (
    BadOrder,
    Terms,
    check_course,
    checked_amount,
    enrollment_terms,
    subscription_terms,
)
from billing.services.releasing import release
from billing.vietqr import VietQRError, encode
from kitehub.db.acting import acting
from kitehub.enums import Tier
from kitehub.models import Instance, User

# Plan, V2: 24-hour expiry for payment.
OPEN_FOR = timedelta(hours=24)
# Two that open for the same thing at once meet in the unique index; more than a few never do.
_ATTEMPTS = 10
_CLASHES = (
    "payment_orders_open_subject_key",
    "payment_orders_client_reference_key",
    "payment_orders_order_id_key",
)


class OrderClosed(Exception):
    """An order that is paid or cancelled can't be changed; `status` is what it is."""

    def __init__(self, order: PaymentOrder) -> None:
        super().__init__(f"{order.order_id} is {order.status}")
        self.status = order.status


class ReferenceUsed(Exception):
    """A program's reference is that of an order with other terms; `order` is that one."""

    def __init__(self, order: PaymentOrder) -> None:
        super().__init__(order.order_id)
        self.order = order


def open_order(
    *,
    type: PaymentType = PaymentType.SUBSCRIPTION,
    instance: Instance,
    actor: str,
    user: User | None = None,
    tier: Tier | None = None,
    months: int = 1,
    purpose: OrderPurpose = OrderPurpose.PERIOD,
    amount: int | None = None,
    course_id: str = "",
    student_name: str = "",
    client_reference: str = "",
    open_for: timedelta = OPEN_FOR,
    at: datetime | None = None,
) -> PaymentOrder:
    """Opens an order that can be paid at once, with its code, memo and QR code.

    SUBSCRIPTION is for `months` of a `tier`, paid to KiteHub; with purpose UPGRADE and an `amount`,
    for a higher tier until the end of what is paid. ENROLLMENT is for a course, `amount` in đồng,
    paid to the instance's own account. What is agreed is frozen on the order. An open order for the
    same thing, the subscription or the student's course, is superseded; what was paid on it becomes
    the instance's credit or, of a course, waits for a person. Credit is used for a subscription:
    where it pays all, the order is PAID at once.

    With a `client_reference` that the instance has used before, that order, whatever it is like.
    Raises BadOrder and NoReceivingAccount.
    """
    now = at or timezone.now()
    if type == PaymentType.SUBSCRIPTION:
        terms = subscription_terms(instance, tier, months, purpose, amount)
    else:
        terms = enrollment_terms(instance, amount, course_id, student_name, client_reference)
    return _find_or_open(terms, instance, user, now=now, open_for=open_for, actor=actor)[0]


def open_enrollment(
    *,
    instance: Instance,
    actor: str,
    amount: int,
    course_id: str,
    student_name: str,
    client_reference: str = "",
    open_for: timedelta = OPEN_FOR,
    at: datetime | None = None,
) -> tuple[PaymentOrder, bool]:
    """Opens an order for a course as `open_order` does; returns it, and whether it is a new one.

    It isn't where the instance has used the `client_reference` before for the same amount, course
    and student, whatever has become of that order and of the account. Raises ReferenceUsed where
    these differ or that order is deleted, BadOrder and NoReceivingAccount.
    """
    check_course(course_id, student_name, client_reference)
    checked_amount(amount)
    found = _by_reference(instance, client_reference) if client_reference else None
    order, new = found, False
    if order is None:
        terms = enrollment_terms(instance, amount, course_id, student_name, client_reference)
        now = at or timezone.now()
        order, new = _find_or_open(terms, instance, None, now=now, open_for=open_for, actor=actor)
    agreed = (order.amount, order.course_id, order.student_name)
    if agreed != (amount, course_id, student_name) or order.deleted:
        raise ReferenceUsed(order)
    return order, new


def cancel_order(
    *, order_id: UUID, actor: str, reason: str, at: datetime | None = None
) -> PaymentOrder:
    """Cancels an open order; what was paid on it is kept as credit or waits for a person.

    A cancelled one is left as it is. Raises OrderClosed for a paid one, DoesNotExist for none.
    """
    now = at or timezone.now()
    with transaction.atomic(), acting(actor, reason, at=now):
        locked = lock_with_lines(PaymentOrder.objects.filter(pk=order_id))
        if not locked:
            raise PaymentOrder.DoesNotExist(f"There is no order {order_id}.")
        order = locked[0]
        if order.status == PaymentStatus.CANCELLED:
            return order
        if order.status != PaymentStatus.PENDING:
            raise OrderClosed(order)
        _close(order, reason=reason, actor=actor, now=now)
        order.refresh_from_db()
    return order


def qr_payload(order: PaymentOrder) -> str:
    """The VietQR text that pays what is still to be paid; raises VietQRError for an old order."""
    return encode(
        bank_bin=order.bank_bin or "",
        account_number=order.account_number or "",
        amount=to_transfer(order),
        memo=order.memo,
        one_time=True,
    )


def payload_of(order: PaymentOrder, *, at: datetime) -> str | None:
    """As `qr_payload`; None where nobody is to pay (any more), or an old order has no account."""
    if status_of(order, at=at) != PaymentStatus.PENDING or not to_transfer(order):
        return None
    try:
        return qr_payload(order)
    except VietQRError:
        return None


def status_of(order: PaymentOrder, *, at: datetime) -> PaymentStatus:
    """What an order is by the clock: EXPIRED in time, also where the job that says so is late."""
    overdue = order.status == PaymentStatus.PENDING and order.expires_at <= at
    return PaymentStatus.EXPIRED if overdue else PaymentStatus(order.status)


def to_transfer(order: PaymentOrder) -> int:
    """What is still to be transferred, in đồng: the rest without the credit that is offered."""
    return max(order.rest - order.credit_offered, 0)


# --- Rows ---------------------------------------------------------------------------------------


def _find_or_open(
    terms: Terms,
    instance: Instance,
    user: User | None,
    *,
    now: datetime,
    open_for: timedelta,
    actor: str,
) -> tuple[PaymentOrder, bool]:
    """The order with the terms' reference, or a new one; and whether it is new."""
    if open_for <= timedelta(0):
        raise BadOrder("open_for", "must be above 0")
    payer = user or instance.owner
    if payer is None:
        raise BadOrder("user", "nobody pays")
    reference = terms.client_reference
    for _attempt in range(_ATTEMPTS):
        if reference and (found := _by_reference(instance, reference)):
            return found, False
        try:
            with transaction.atomic(), acting(actor, at=now):
                opened = _open(terms, instance, payer, now=now, open_for=open_for, actor=actor)
            return opened, True
        except IntegrityError as error:
            if not any(name in str(error) for name in _CLASHES):
                raise
    raise BadOrder("subject", "too many open it at once; try again")


def _by_reference(instance: Instance, reference: str) -> PaymentOrder | None:
    found = PaymentOrder.all_objects.filter(instance_id=instance.pk, client_reference=reference)
    return found.first()


def _open(
    terms: Terms,
    instance: Instance,
    payer: User,
    *,
    now: datetime,
    open_for: timedelta,
    actor: str,
) -> PaymentOrder:
    before = _open_before(terms, instance)
    for order in before:
        _close(order, reason="superseded", actor=actor, now=now)
    code = new_code()
    offered = min(credit.lock_balance(instance_id=instance.pk), terms.amount) if terms.credit else 0
    order = PaymentOrder.objects.create(
        order_id=code,
        user=payer,
        instance=instance,
        qr_image_url=qr_url(code),
        payment_content=memos.payment_content(code, payer.email),
        memo=_memo(terms, code, instance, now),
        expires_at=now + open_for,
        created_at=now,
        credit_offered=offered,
        **terms.columns,
    )
    if before:
        keys = [each.pk for each in before]
        PaymentOrder.objects.filter(pk__in=keys).update(superseded_by=order)
    if offered == terms.amount:
        settlement.pay_by_credit(order, at=now, actor=actor)
        order.refresh_from_db()
    return order


def _memo(terms: Terms, code: str, instance: Instance, now: datetime) -> str:
    if terms.type == PaymentType.SUBSCRIPTION:
        return memos.subscription_memo(code)
    return memos.enrollment_memo(
        code=code,
        template=instance.qr_template,
        course_id=terms.course_id or "",
        student_name=terms.student_name or "",
        at=now,
    )


def _open_before(terms: Terms, instance: Instance) -> list[PaymentOrder]:
    """The open order for the same thing, locked as settlement locks: bank lines, then the order.

    Those too that have expired with a part of their money on them, which nothing else gives back;
    and those of other programs, which say no subject, where they are for the subscription.
    """
    same = Q(subject=terms.subject)
    if terms.type == PaymentType.SUBSCRIPTION:
        same |= Q(subject__isnull=True, type=PaymentType.SUBSCRIPTION)
    rows = PaymentOrder.objects.open_or_part_paid().filter(same, instance_id=instance.pk)
    return lock_with_lines(rows) if rows.exists() else []


def _close(order: PaymentOrder, *, reason: str, actor: str, now: datetime) -> None:
    """Cancels a locked order, if it is open, and gives back what was paid on it."""
    if order.paid_amount:
        kind = CreditKind.RELEASED
        release(order, kind=kind, reason=reason, actor=actor, at=now)
    PaymentOrder.objects.filter(pk=order.pk, status=PaymentStatus.PENDING).update(
        status=PaymentStatus.CANCELLED, cancelled_at=now, cancel_reason=reason
    )
