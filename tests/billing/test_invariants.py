"""Each thing that must be true of money and time is looked at: one broken row is found."""

from datetime import timedelta

import pytest
from django.db import connection, transaction

from billing.services import credit, refunds, subscriptions
from billing.services.orders import cancel_order
from billing.services.settlement import settle_transfer
from kitehub.db.invariants import findings
from tests.billing.broken import broken
from tests.billing.settling import NOW, OWN, SCHOOLS, ask, enroll, line, school, subscribe
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.db.records import execute

pytestmark = pytest.mark.django_db


def told(memo: str | None, amount: int, account: str = OWN) -> None:
    settle_transfer(transfer_id=line(memo, amount, account=account).pk, at=NOW)


def books() -> None:
    """A month that is paid with too much, a second one paid back, a third one cancelled."""
    own = school()
    told(subscribe(own).memo, 700_000)
    back = subscribe(own)
    told(back.memo, 498_000)
    refunds.approve(refund_id=ask(599_000, order_id=back.pk).pk, actor="minh", at=NOW)
    cancelled = subscribe(own)
    told(cancelled.memo, 100_000)
    cancel_order(order_id=cancelled.pk, actor="lan", reason="asked to", at=NOW)
    told(enroll(own).memo, 600_000, SCHOOLS)
    credit.grant(instance_id=own.pk, amount=1000, reason="sorry", actor="lan", at=NOW)
    subscriptions.extend(instance_id=own.pk, days=3, at=NOW, actor="lan", reason="sorry")


TOTALS = "totals are not those of allocations, credit and refunds"
EQUATION = "received + granted is not allocated + credit + refunded + unmatched"
LINE = "the state is not what is left of the line"
PAID = "what is paid is not the sum of its allocations"
ORDER = "the state is not what is paid"
TIME = "paid before it was opened, or after its money was booked"
CREDIT = "the balance is not the sum of its entries"
GOODWILL = "more went back to bank lines than was money"
NUMBERS = "numbers have gaps, or are not the counter's"
RECEIPT = "missing, or not made void with its order"
GAP = "overlap, or a gap without reason"
UNPAID = "its order isn't paid"
DATES = "dates are not those of the periods"
FACTS = "periods are not those that orders and adjustments make"
SCHOOL = "says something else than its subscription"
LIVE = "UPDATE subscription_periods SET {} WHERE voided_at IS NULL"
BREAKS = [
    ("UPDATE bank_transfers SET allocated_amount = 1 WHERE amount = 700000", {TOTALS, EQUATION}),
    ("UPDATE bank_transfers SET refunded_amount = 1 WHERE refunded_amount > 1", {TOTALS, EQUATION}),
    ("UPDATE bank_transfers SET credited_amount = 99 WHERE amount = 100000", {TOTALS, EQUATION}),
    ("UPDATE bank_transfers SET state = 'MATCHED'", {LINE}),
    ("UPDATE bank_transfers SET state = 'UNMATCHED'", {LINE}),
    ("UPDATE bank_transfers SET state = 'RECEIVED' WHERE amount = 700000", {LINE}),
    (
        "UPDATE payment_orders SET paid_amount = 1 WHERE paid_amount > 1",
        {PAID, ORDER},
    ),
    ("UPDATE payment_orders SET refunded_amount = 0 WHERE status = 'PAID'", {PAID, ORDER}),
    ("UPDATE payment_orders SET status = 'EXPIRED' WHERE type = 'ENROLLMENT'", {ORDER}),
    ("UPDATE payment_orders SET status = 'CANCELLED' WHERE type = 'ENROLLMENT'", {ORDER}),
    ("UPDATE payment_orders SET paid_at = '2020-01-01' WHERE status = 'PAID'", {TIME}),
    ("UPDATE payment_orders SET paid_at = '2036-01-01' WHERE status = 'PAID'", {TIME}),
    ("UPDATE credit_balances SET balance = balance + 1", {CREDIT, EQUATION}),
    ("DELETE FROM credit_balances", {CREDIT, EQUATION}),
    ("DELETE FROM credit_entries WHERE kind = 'GRANTED'", {CREDIT, EQUATION}),
    (
        "UPDATE credit_entries SET amount = -500000,"
        " transfer_id = (SELECT id FROM bank_transfers WHERE amount = 700000)"
        " WHERE kind = 'GRANTED'",
        {GOODWILL, CREDIT, TOTALS},
    ),
    (
        "UPDATE payment_allocations SET amount = amount - 1"
        " WHERE credit_entry_id IS NOT NULL AND amount > 0",
        {PAID, "used for an order, and not allocated to it", EQUATION},
    ),
    ("UPDATE refunds SET status = 'REJECTED'", {EQUATION}),
    ("DELETE FROM receipts WHERE number = 2", {NUMBERS, RECEIPT}),
    ("UPDATE receipt_counters SET last = 7", {NUMBERS}),
    ("DELETE FROM receipts WHERE kind = 'VOID'", {NUMBERS, RECEIPT}),
    (LIVE.format("gap_reason = 'LAPSED'"), {GAP, FACTS}),
    (LIVE.format("starts_at = starts_at + interval '1 s'"), {GAP, DATES, FACTS}),
    (LIVE.format("tier = 'PREMIUM'"), {FACTS}),
    (LIVE.format("voided_at = now(), voided_by = 'x'"), {DATES}),
    (
        "UPDATE payment_orders SET status = 'EXPIRED' WHERE paid_amount > 0 AND purpose = 'PERIOD'",
        {ORDER, UNPAID, FACTS},
    ),
    ("UPDATE subscription_adjustments SET voided_at = now(), voided_by = 'x'", {FACTS}),
    (
        "UPDATE subscriptions SET current_period_end = now()",
        {DATES, SCHOOL},
    ),
    ("UPDATE instances SET subscription_expires_at = now()", {SCHOOL}),
    ("UPDATE instances SET tier = 'PREMIUM'", {SCHOOL}),
]


def test_every_broken_row_is_found() -> None:
    books()
    assert findings(connection) == []
    missed = {}
    for statement, expected in BREAKS:
        with transaction.atomic():
            execute("SET LOCAL session_replication_role = replica")
            execute(statement)
            missed[statement] = expected - set(broken())
            transaction.set_rollback(True)
    assert not any(missed.values()), missed
    assert broken() == {}


def test_periods_that_nobody_wrote_down_yet_are_no_finding() -> None:
    other = InstanceFactory()
    execute(
        "INSERT INTO subscriptions (instance_id, tier, monthly_price, status,"
        " current_period_start, current_period_end) VALUES (%s, 'BASIC', 1, 'ACTIVE', %s, %s)",
        other.pk,
        NOW,
        NOW + timedelta(days=30),
    )
    assert broken() == {}
