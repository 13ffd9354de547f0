"""Money is right to the đồng.

Totals are kept by triggers, and checks keep them within their bounds. These look at what no trigger
sees: rows that replication, a restore or a superuser wrote past them.
"""

from collections.abc import Iterator

from django.db import router
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q

from billing.models import CreditEntry
from billing.services.credit import sum_of_money
from kitehub.db.invariants import SHOWN, Finding, invariant, rows

_MONEY_IN = "direction = 'IN' AND state NOT IN ('IGNORED', 'DUPLICATE')"
_UNMATCHED = "amount - allocated_amount - credited_amount - refunded_amount"


def _found(
    connection: BaseDatabaseWrapper, table: str, what: str, query: str, line: str
) -> Iterator[Finding]:
    """The rows that a query finds, each as a line by its columns' places."""
    count, found = rows(connection, query)
    if count:
        yield Finding(table, what, count, tuple(line.format(*row) for row in found))


# --- Bank lines ---------------------------------------------------------------------------------


@invariant("billing.BankTransfer")
def line_totals(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """What a bank line is for is what its allocations, its credit and its refunds add up to."""
    yield from _found(
        connection,
        "bank_transfers",
        "totals are not those of allocations, credit and refunds",
        """
        SELECT line.id, allocated_amount, credited_amount, refunded_amount,
            allocated, credited, refunded
        FROM bank_transfers line
        CROSS JOIN LATERAL (
            SELECT COALESCE(sum(amount), 0) AS allocated,
                COALESCE(-sum(amount) FILTER (WHERE refund_id IS NOT NULL), 0) AS from_orders
            FROM payment_allocations WHERE transfer_id = line.id
        ) paying
        CROSS JOIN LATERAL (
            SELECT COALESCE(sum(amount), 0) AS credited,
                COALESCE(-sum(amount) FILTER (WHERE refund_id IS NOT NULL), 0) AS from_credit
            FROM credit_entries WHERE transfer_id = line.id
        ) kept
        CROSS JOIN LATERAL (
            SELECT from_orders + from_credit + COALESCE(sum(amount), 0) AS refunded
            FROM refunds WHERE transfer_id = line.id AND status IN ('APPROVED', 'SENT')
        ) gone
        WHERE (allocated_amount, credited_amount, refunded_amount)
            IS DISTINCT FROM (allocated, credited, refunded)
        """,
        "{0}: allocated {1} (rows: {4}), credit {2} ({5}), paid back {3} ({6})",
    )


@invariant("billing.BankTransfer")
def line_states(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """A line waits for somebody exactly while something of it is for nothing."""
    yield from _found(
        connection,
        "bank_transfers",
        "the state is not what is left of the line",
        f"""
        SELECT id, state, {_UNMATCHED} FROM bank_transfers
        WHERE (state = 'UNMATCHED' AND {_UNMATCHED} = 0)
            OR (state = 'MATCHED' AND {_UNMATCHED} > 0)
            OR (state = 'RECEIVED' AND {_UNMATCHED} < amount)
        """,  # noqa: S608 - our own SQL
        "{0}: {1}, {2} đồng are for nothing",
    )


# --- Orders -------------------------------------------------------------------------------------


@invariant("billing.PaymentOrder")
def order_totals(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """What was paid and paid back of an order is what its allocations add up to."""
    yield from _found(
        connection,
        "payment_orders",
        "what is paid is not the sum of its allocations",
        """
        SELECT own.id, paid_amount, refunded_amount, paid, refunded
        FROM payment_orders own
        CROSS JOIN LATERAL (
            SELECT COALESCE(sum(amount), 0) AS paid,
                COALESCE(-sum(amount) FILTER (WHERE refund_id IS NOT NULL), 0) AS refunded
            FROM payment_allocations WHERE order_id = own.id
        ) booked
        WHERE (paid_amount, refunded_amount) IS DISTINCT FROM (paid, refunded)
        """,
        "{0}: paid {1} (rows: {3}), paid back {2} ({4})",
    )


@invariant("billing.PaymentOrder")
def order_states(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """An order is PAID exactly when all of it has come, and a cancelled one keeps nothing.

    Orders without a memo were opened by another program, which may have taken the money itself.
    """
    yield from _found(
        connection,
        "payment_orders",
        "the state is not what is paid",
        """
        SELECT id, status, amount, paid_amount, refunded_amount FROM payment_orders
        WHERE (status = 'PAID' AND memo IS NOT NULL AND paid_amount + refunded_amount <> amount)
            OR (status IN ('PENDING', 'EXPIRED') AND paid_amount + refunded_amount = amount)
            OR (status = 'CANCELLED' AND paid_amount > 0)
        """,
        "{0}: {1}, {3} paid and {4} paid back of {2}",
    )


@invariant("billing.PaymentOrder", "billing.PaymentAllocation")
def order_times(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """Nothing was paid before it was ordered, nor after its money was booked.

    Of orders that KiteHub opened; the clock of the database is not asked.
    """
    yield from _found(
        connection,
        "payment_orders",
        "paid before it was opened, or after its money was booked",
        """
        SELECT own.id, own.created_at, own.paid_at, max(booked.created_at)
        FROM payment_orders own LEFT JOIN payment_allocations booked
            ON booked.order_id = own.id AND booked.amount > 0
        WHERE own.status = 'PAID' AND own.memo IS NOT NULL
        GROUP BY own.id
        HAVING own.paid_at < own.created_at OR own.paid_at > max(booked.created_at)
        """,
        "{0}: opened {1}, paid {2}, booked {3}",
    )


# --- Credit -------------------------------------------------------------------------------------


@invariant("billing.CreditBalance", "billing.CreditEntry")
def balances(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """An instance's credit is the sum of its entries."""
    yield from _found(
        connection,
        "credit_balances",
        "the balance is not the sum of its entries",
        """
        SELECT instance_id, COALESCE(balance, 0), COALESCE(booked, 0)
        FROM credit_balances FULL JOIN (
            SELECT instance_id, sum(amount) AS booked FROM credit_entries GROUP BY instance_id
        ) entries USING (instance_id)
        WHERE COALESCE(balance, 0) <> COALESCE(booked, 0)
        """,
        "{0}: {1} (entries: {2})",
    )


@invariant("billing.CreditEntry")
def goodwill_paid_out(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """What of credit went back to bank lines was money, never goodwill.

    Of instances of which something went back; nothing else makes more money go than there was.
    """
    if router.db_for_read(CreditEntry) != connection.alias:
        return
    went_back = Q(transfer__isnull=False, amount__lt=0)
    entries = CreditEntry.objects.order_by()
    schools = entries.filter(went_back).values_list("instance_id", flat=True).distinct()
    sums = ((pk, sum_of_money(entries.filter(instance_id=pk))) for pk in schools)
    found = [f"{pk}: {-money} đồng" for pk, money in sums if money < 0]
    if found:
        what = "more went back to bank lines than was money"
        yield Finding("credit_entries", what, len(found), tuple(sorted(found)[:SHOWN]))


@invariant("billing.CreditEntry", "billing.PaymentAllocation")
def spent_credit(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """Credit that was used for an order is allocated to it."""
    yield from _found(
        connection,
        "credit_entries",
        "used for an order, and not allocated to it",
        """
        SELECT entry.id, -entry.amount, COALESCE(sum(paying.amount), 0)
        FROM credit_entries entry LEFT JOIN payment_allocations paying
            ON paying.credit_entry_id = entry.id AND paying.amount > 0
                AND paying.order_id = entry.order_id
        WHERE entry.kind = 'SPENT' GROUP BY entry.id
        HAVING -entry.amount <> COALESCE(sum(paying.amount), 0)
        """,
        "{0}: {1} used, {2} allocated",
    )


@invariant("billing.Goodwill", "billing.CreditEntry", "billing.SubscriptionAdjustment")
def goodwill(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """Goodwill that was approved, or given alone, is there as it was proposed; no other is."""
    yield from _found(
        connection,
        "goodwill_grants",
        "not given as it was proposed, or given without approval",
        """
        SELECT own.id, own.status, own.amount, own.days, entry.amount, adjustment.days
        FROM goodwill_grants own
        LEFT JOIN credit_entries entry ON entry.id = own.id
        LEFT JOIN subscription_adjustments adjustment ON adjustment.id = own.id
        LEFT JOIN subscriptions ON subscriptions.id = adjustment.subscription_id
        CROSS JOIN LATERAL (
            SELECT CASE own.kind WHEN 'CREDIT' THEN 'GRANTED' ELSE own.kind END AS kind,
                own.kind = 'CREDIT' AND own.status IN ('APPROVED', 'GIVEN') AS in_credit,
                own.kind = 'EXTENSION' AND own.status IN ('APPROVED', 'GIVEN') AS in_days
        ) due
        WHERE (entry.kind, entry.instance_id, entry.amount) IS DISTINCT FROM (
                CASE WHEN in_credit THEN due.kind END,
                CASE WHEN in_credit THEN own.instance_id END,
                CASE WHEN in_credit THEN own.amount END)
            OR (adjustment.kind, subscriptions.instance_id, adjustment.days) IS DISTINCT FROM (
                CASE WHEN in_days THEN due.kind END,
                CASE WHEN in_days THEN own.instance_id END,
                CASE WHEN in_days THEN own.days END)
        """,
        "{0}: {1}, {2} đồng, {3} days; given {4} đồng, {5} days",
    )


# --- All of it ----------------------------------------------------------------------------------


@invariant("billing.BankTransfer", "billing.CreditEntry", "billing.Refund")
def books(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """Received + granted = allocated + credit + refunded + unmatched, to the đồng.

    *Received* is every incoming bank line that was told once, *granted* the goodwill that staff
    gave; nothing else makes money. *Allocated* is the sum of all allocations, of bank lines and of
    credit: credit that pays an order leaves the balances by as much as its allocation adds, and
    what a cancelled order held is allocated no more and is credit, or unmatched, again. *Credit*
    are the balances. *Refunded* is what banks send: approved refunds without the part that became
    credit again. *Unmatched* is what bank lines have left.
    """
    yield from _found(
        connection,
        "bank_transfers",
        "received + granted is not allocated + credit + refunded + unmatched",
        f"""
        SELECT * FROM (
            SELECT
                (SELECT COALESCE(sum(amount), 0) FROM bank_transfers WHERE {_MONEY_IN})
                    AS received,
                (SELECT COALESCE(sum(amount), 0) FROM credit_entries WHERE kind = 'GRANTED')
                    AS granted,
                (SELECT COALESCE(sum(amount), 0) FROM payment_allocations) AS allocated,
                (SELECT COALESCE(sum(balance), 0) FROM credit_balances) AS credit,
                (SELECT COALESCE(sum(amount), 0) FROM refunds
                    WHERE status IN ('APPROVED', 'SENT'))
                - (SELECT COALESCE(sum(amount), 0) FROM credit_entries
                    WHERE refund_id IS NOT NULL AND amount > 0) AS refunded,
                (SELECT COALESCE(sum({_UNMATCHED}), 0) FROM bank_transfers WHERE {_MONEY_IN})
                    AS unmatched
        ) sums
        WHERE received + granted <> allocated + credit + refunded + unmatched
        """,  # noqa: S608 - our own SQL
        "{0} + {1} is not {2} + {3} + {4} + {5}",
    )


@invariant("billing.Receipt", "billing.ReceiptCounter")
def receipt_numbers(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """Receipts of a year are numbered from 1 to its counter, without gaps."""
    yield from _found(
        connection,
        "receipts",
        "numbers have gaps, or are not the counter's",
        """
        SELECT year, count(receipts.id), COALESCE(max(number), 0), COALESCE(last, 0)
        FROM receipts FULL JOIN receipt_counters USING (year) GROUP BY year, last
        HAVING (count(receipts.id), COALESCE(min(number), 1), COALESCE(max(number), 0))
            IS DISTINCT FROM (COALESCE(last, 0)::bigint, 1, COALESCE(last, 0))
        """,
        "{0}: {1} receipts, the last is {2}, the counter {3}",
    )


@invariant("billing.Receipt", "billing.PaymentOrder")
def receipts(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """What a school paid KiteHub has a receipt, which is void once all of it is paid back."""
    yield from _found(
        connection,
        "receipts",
        "missing, or not made void with its order",
        """
        SELECT own.id, own.order_id, kept.id, void.id
        FROM payment_orders own
        LEFT JOIN receipts kept ON kept.order_id = own.id AND kept.kind = 'RECEIPT'
        LEFT JOIN receipts void ON void.voids_id = kept.id
        WHERE own.type = 'SUBSCRIPTION' AND own.status = 'PAID' AND own.instance_id IS NOT NULL
            AND own.memo IS NOT NULL
            AND (kept.id IS NULL OR (own.paid_amount = 0) <> (void.id IS NOT NULL))
        """,
        "{0}: {1}, receipt {2}, void {3}",
    )
