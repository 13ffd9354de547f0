"""What the database itself refuses of money, whoever writes: plain SQL here, no service."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import Error, connection, transaction

from billing.models import (
    BankTransfer,
    CreditBalance,
    PaymentAllocation,
    PaymentOrder,
    Receipt,
    Refund,
    SubscriptionPeriod,
)
from tests.factories.billing import (
    BankTransferFactory,
    CreditEntryFactory,
    PaymentAllocationFactory,
    PaymentOrderFactory,
    ReceiptFactory,
    RefundFactory,
    SubscriptionAdjustmentFactory,
    SubscriptionFactory,
    SubscriptionPeriodFactory,
)
from tests.factories.kitehub import InstanceFactory

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 23, tzinfo=UTC)
MONTH = timedelta(days=30)


def refused(sql: str, *params: object) -> str:
    """Why PostgreSQL refuses a statement, at once or at the end of its transaction."""
    with pytest.raises(Error) as caught:
        taken(sql, *params)
    return str(caught.value)


def taken(sql: str, *params: object) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows = int(cursor.rowcount)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        return rows


class TestBankLines:
    @pytest.mark.parametrize(
        "change", ["amount = 1", "memo = 'x'", "direction = 'OUT'", "raw = '{\"a\": 1}'"]
    )
    def test_what_the_bank_said_stays(self, change: str) -> None:
        BankTransferFactory()
        assert "never changed" in refused(f"UPDATE bank_transfers SET {change}")

    def test_totals_are_not_written_by_hand_and_rows_stay(self) -> None:
        BankTransferFactory()
        assert "kept by" in refused("UPDATE bank_transfers SET allocated_amount = 1")
        assert "append-only" in refused("DELETE FROM bank_transfers")

    def test_one_id_of_a_provider_is_one_line(self) -> None:
        line = BankTransferFactory()
        with pytest.raises(Error, match="bank_transfers_provider_key"), transaction.atomic():
            BankTransferFactory(provider_id=line.provider_id)
        BankTransferFactory(provider_id=line.provider_id, account_number="1")
        BankTransferFactory(provider_id=line.provider_id, provider="CASSO")

    def test_only_money_that_came_once_pays(self) -> None:
        order = PaymentOrderFactory()
        first = BankTransferFactory()
        for line in (
            BankTransferFactory(direction="OUT"),
            BankTransferFactory(state="IGNORED"),
            BankTransferFactory(state="DUPLICATE", duplicate_of=first),
        ):
            with pytest.raises(Error, match="spendable"), transaction.atomic():
                PaymentAllocationFactory(transfer=line, order=order)


class TestAllocations:
    def test_never_more_than_the_line_or_the_order(self) -> None:
        order = PaymentOrderFactory(amount=500_000)
        line = BankTransferFactory(amount=400_000)
        PaymentAllocationFactory(transfer=line, order=order, amount=300_000)
        with pytest.raises(Error, match="bank_transfers_totals_check"), transaction.atomic():
            PaymentAllocationFactory(transfer=line, order=order, amount=100_001)
        with pytest.raises(Error, match="paid_amount_check"), transaction.atomic():
            PaymentAllocationFactory(order=order, amount=200_001, transfer__amount=999_999)
        order.refresh_from_db()
        line.refresh_from_db()
        assert (order.paid_amount, line.allocated_amount) == (300_000, 300_000)

    def test_is_taken_back_once_and_by_its_like(self) -> None:
        first = PaymentAllocationFactory()
        back = {"transfer": first.transfer, "order": first.order, "reverses": first}
        PaymentAllocation.objects.create(amount=-199_000, **back)
        for amount, other in ((-100_001, {}), (-1, {"transfer": BankTransferFactory()})):
            with pytest.raises(Error, match="takes back"), transaction.atomic():
                PaymentAllocation.objects.create(amount=amount, **{**back, **other})
        PaymentAllocation.objects.create(amount=-100_000, **back)
        assert BankTransfer.objects.get(pk=first.transfer_id).unmatched == 299_000
        assert PaymentOrder.objects.get(pk=first.order_id).paid_amount == 0

    def test_is_append_only(self) -> None:
        PaymentAllocationFactory()
        assert "append-only" in refused("UPDATE payment_allocations SET reason = 'x'")
        assert "append-only" in refused("DELETE FROM payment_allocations")


class TestCredit:
    def test_never_falls_below_nothing(self) -> None:
        school = InstanceFactory()
        CreditEntryFactory(instance=school, amount=100)
        CreditEntryFactory(instance=school, amount=-60, kind="SPENT")
        with pytest.raises(Error, match="credit_balances_balance_check"), transaction.atomic():
            CreditEntryFactory(instance=school, amount=-41, kind="SPENT")
        assert CreditBalance.objects.get().balance == 40

    def test_balance_is_kept_by_entries_alone(self) -> None:
        CreditEntryFactory()
        assert "kept by credit_entries" in refused("UPDATE credit_balances SET balance = 9")
        assert "kept by credit_entries" in refused(
            "INSERT INTO credit_balances (instance_id, balance) VALUES (%s, 9)", uuid4()
        )
        assert "append-only" in refused("UPDATE credit_entries SET amount = 9")


class TestRefunds:
    def test_nobody_approves_what_they_asked_for(self) -> None:
        refund = RefundFactory(requested_by="lan")
        approve = "UPDATE refunds SET status = 'APPROVED', decided_by = %s, decided_at = now()"
        assert "two_people" in refused(approve, "lan")
        assert taken(approve, "mai") == 1
        assert "stays what" in refused("UPDATE refunds SET amount = 1")
        assert "cannot become" in refused("UPDATE refunds SET status = 'REJECTED'")
        assert Refund.objects.get(pk=refund.pk).status == "APPROVED"

    def test_is_born_as_a_request(self) -> None:
        with pytest.raises(Error, match="REQUESTED"), transaction.atomic():
            RefundFactory(status="APPROVED", decided_by="mai", decided_at=START)


class TestPeriods:
    def test_never_overlap(self) -> None:
        paid = SubscriptionFactory(current_period_start=START, current_period_end=START + MONTH)
        SubscriptionPeriodFactory(subscription=paid)
        inside = {"starts_at": START + MONTH / 2, "ends_at": START + 2 * MONTH}
        with pytest.raises(Error, match="overlap_excl"), transaction.atomic():
            SubscriptionPeriodFactory(subscription=paid, **inside)
        SubscriptionPeriodFactory(subscription=SubscriptionFactory(), **inside)
        SubscriptionPeriod.objects.filter(subscription=paid).update(
            voided_at=START, voided_by="lan"
        )
        SubscriptionPeriodFactory(subscription=paid, **inside)

    def test_gap_has_its_reason_also_one_that_a_void_makes(self) -> None:
        paid = SubscriptionFactory(current_period_start=START, current_period_end=START + MONTH)
        month = [(START + n * MONTH, START + (n + 1) * MONTH) for n in range(4)]
        rows = [
            SubscriptionPeriodFactory(subscription=paid, starts_at=start, ends_at=end)
            for start, end in month[:3]
        ]
        assert "without a reason" in refused(
            "UPDATE subscription_periods SET voided_at = now(), voided_by = 'lan' WHERE id = %s",
            rows[1].pk,
        )
        insert = (
            "INSERT INTO subscription_periods"
            " (subscription_id, kind, tier, starts_at, ends_at, created_by, gap_reason)"
            " VALUES (%s, 'CARRIED', 'BASIC', %s, %s, 'lan', %s)"
        )
        later = month[3][0] + timedelta(days=1)
        assert "without a reason" in refused(insert, paid.pk, later, later + MONTH, None)
        assert "reason LAPSED" in refused(insert, paid.pk, *month[3], "LAPSED")
        assert taken(insert, paid.pk, later, later + MONTH, "LAPSED") == 1

    def test_order_has_one_period(self) -> None:
        order, paid = PaymentOrderFactory(), SubscriptionFactory()
        said = {"subscription": paid, "kind": "PAID", "order": order}
        SubscriptionPeriodFactory(**said)
        after = paid.current_period_end
        with pytest.raises(Error, match="subscription_periods_order_key"), transaction.atomic():
            SubscriptionPeriodFactory(**said, starts_at=after, ends_at=after + MONTH)

    def test_is_voided_once_and_never_changed(self) -> None:
        SubscriptionPeriodFactory()
        assert "stays what it was" in refused(
            "UPDATE subscription_periods SET ends_at = ends_at + interval '1 day'"
        )
        assert taken("UPDATE subscription_periods SET voided_at = now(), voided_by = 'lan'") == 1
        assert "stays what it was" in refused(
            "UPDATE subscription_periods SET voided_at = NULL, voided_by = NULL"
        )

    def test_pause_ends_once(self) -> None:
        SubscriptionAdjustmentFactory(kind="PAUSE", days=None, starts_at=START)
        ends = "UPDATE subscription_adjustments SET ends_at = %s"
        assert taken(ends, START + MONTH) == 1
        assert "ends once" in refused(ends, START + 2 * MONTH)


class TestReceipts:
    def test_numbers_are_the_years_own_and_without_gaps(self) -> None:
        last = datetime(2026, 12, 31, 16, 59, tzinfo=UTC)
        for moment in (last, last, last + timedelta(minutes=1)):
            ReceiptFactory(issued_at=moment, number=77)
        with transaction.atomic():
            ReceiptFactory(issued_at=last)
            transaction.set_rollback(True)
        ReceiptFactory(issued_at=last)
        found = Receipt.objects.order_by("year", "number").values_list("year", "number")
        assert list(found) == [(2026, 1), (2026, 2), (2026, 3), (2027, 1)]

    def test_stay_as_printed(self) -> None:
        ReceiptFactory()
        assert "append-only" in refused("UPDATE receipts SET amount = 1")
        assert "append-only" in refused("DELETE FROM receipts")
        assert "append-only" in refused("UPDATE receipt_counters SET last = 9")


def test_cancelled_subscription_comes_back_by_the_writers_clock() -> None:
    paid = SubscriptionFactory(
        status="CANCELED", current_period_start=START - MONTH, current_period_end=START
    )
    revive = "UPDATE subscriptions SET status = 'ACTIVE' WHERE id = %s"
    clock = "SELECT set_config('kitehub.at', %s, true)"
    with transaction.atomic():
        taken(clock, str(START + timedelta(seconds=1)))
        assert "cannot become" in refused(revive, paid.pk)
        taken(clock, str(START - timedelta(seconds=1)))
        assert taken(revive, paid.pk) == 1
