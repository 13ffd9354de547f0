"""What a bank line does: exact, less, more, late, twice, to nobody."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils.translation import override

from billing.enums import (
    FeedProvider,
    PaymentStatus,
    PaymentType,
    TransferDirection,
    TransferState,
    UnmatchedReason,
)
from billing.feeds import Line
from billing.models import (
    BankTransfer,
    PaymentAllocation,
    PaymentOrder,
    Receipt,
    Subscription,
    SubscriptionPeriod,
)
from billing.services import credit
from billing.services.expiry import expire_overdue
from billing.services.inbox import CannotMatch, match_transfer
from billing.services.orders import cancel_order, open_order
from billing.services.settlement import settle_transfer, settle_waiting
from billing.services.transfers import record
from kitehub.enums import Tier
from kitehub.models import Instance
from tests.billing.broken import broken
from tests.factories.billing import (
    BankTransferFactory,
    PaymentOrderFactory,
    SubscriptionFactory,
)
from tests.factories.kitehub import InstanceFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
OWN = "0123499999"


@pytest.fixture
def school() -> Instance:
    return InstanceFactory(bank_code="970422", account_number="0001234567")


def subscribe(school: Instance, **said: object) -> PaymentOrder:
    return open_order(instance=school, actor="lan", at=NOW, **{"tier": Tier.STANDARD, **said})


def enroll(school: Instance, student: str = "An", amount: int = 500_000) -> PaymentOrder:
    return open_order(
        type=PaymentType.ENROLLMENT,
        instance=school,
        actor="api",
        at=NOW,
        course_id="TOAN9",
        student_name=student,
        amount=amount,
    )


def told(memo: str, amount: int, at: datetime = NOW, **said: object) -> BankTransfer:
    line = BankTransferFactory(
        **{"account_number": OWN, "memo": memo, "amount": amount, "transferred_at": at, **said}
    )
    settle_transfer(transfer_id=line.pk, at=at)
    return BankTransfer.objects.get(pk=line.pk)


def test_exact_money_buys_a_month(school: Instance) -> None:
    order = subscribe(school)
    line = told(
        f"MBVCB.3278907687.{order.order_id}.CT tu 0123 toi", 599_000, reference="FT26327000001"
    )
    order.refresh_from_db()
    assert (line.state, line.reason, line.unmatched) == (TransferState.MATCHED, None, 0)
    assert (order.status, order.paid_at) == (PaymentStatus.PAID, NOW)
    assert order.transaction_reference == "FT26327000001"
    period = SubscriptionPeriod.objects.get(order=order)
    assert (period.starts_at, period.ends_at) == (NOW, datetime(2026, 12, 23, 3, 0, tzinfo=UTC))
    subscription = Subscription.objects.get(instance=school)
    assert (subscription.status, subscription.tier) == ("ACTIVE", Tier.STANDARD)
    assert subscription.current_period_end == period.ends_at
    school.refresh_from_db()
    assert (school.tier, school.subscription_expires_at) == (Tier.STANDARD, period.ends_at)
    assert Receipt.objects.get(order=order).amount == 599_000


def test_settled_line_is_left_alone(school: Instance) -> None:
    order = subscribe(school)
    line = told(order.memo, 599_000)
    assert settle_transfer(transfer_id=line.pk) == TransferState.MATCHED
    assert PaymentAllocation.objects.count() == SubscriptionPeriod.objects.count() == 1


def test_less_leaves_the_order_open_for_the_rest(school: Instance) -> None:
    order = subscribe(school)
    told(order.memo, 200_000)
    order.refresh_from_db()
    assert (order.status, order.paid_amount, order.rest) == ("PENDING", 200_000, 399_000)
    told(order.memo, 399_000)
    order.refresh_from_db()
    assert (order.status, order.paid_amount) == ("PAID", 599_000)


@pytest.mark.parametrize("closed", ["deleted", "CLOSED", "subscription"])
def test_money_for_who_is_no_longer_there_waits(school: Instance, closed: str) -> None:
    order = subscribe(school)
    if closed == "subscription":
        SubscriptionFactory(instance=school).delete()
    else:
        said = {"deleted": {"deleted": True, "deleted_at": NOW}, "CLOSED": {"status": "CLOSED"}}
        Instance.objects.filter(pk=school.pk).update(**said[closed])
    line = told(order.memo, 599_000)
    assert (line.state, line.reason, line.unmatched) == ("UNMATCHED", "CLOSED", 599_000)
    with override("en"), pytest.raises(CannotMatch, match="closed"):
        match_transfer(transfer_id=line.pk, parts=[(order.pk, 599_000)], actor="lan", reason="x")
    assert not SubscriptionPeriod.objects.exists()


def test_more_is_credit(school: Instance) -> None:
    order = subscribe(school)
    line = told(order.memo, 1_000_000)
    assert credit.balance(instance_id=school.pk) == 401_000
    assert (line.allocated_amount, line.credited_amount) == (599_000, 401_000)
    twice = told(order.memo, 599_000)
    assert (twice.state, twice.reason) == ("MATCHED", UnmatchedReason.ALREADY_PAID)
    assert credit.balance(instance_id=school.pk) == 1_000_000


@pytest.mark.django_db(transaction=True)
def test_late_money_pays_an_expired_order(school: Instance) -> None:
    order = subscribe(school)
    late = NOW + timedelta(days=3)
    expire_overdue(at=late)
    told(order.memo, 599_000, at=late)
    order.refresh_from_db()
    assert order.status == PaymentStatus.PAID
    assert SubscriptionPeriod.objects.get(order=order).starts_at == late


def test_money_was_there_when_it_was_told_whatever_the_services_clock_says(
    school: Instance,
) -> None:
    order = subscribe(school)
    told(order.memo, 599_000, at=NOW + timedelta(days=400), received_at=NOW)
    order.refresh_from_db()
    assert (order.status, order.paid_at) == (PaymentStatus.PAID, NOW)
    assert SubscriptionPeriod.objects.get(order=order).starts_at == NOW


@pytest.mark.parametrize("first", [0, 1])
def test_money_was_not_there_before_its_order_whatever_the_bank_says(
    school: Instance, first: int
) -> None:
    order = subscribe(school)
    years = [datetime(year, 1, 1, tzinfo=UTC) for year in (2020, 2021)]
    lines = [
        BankTransferFactory(
            account_number=OWN,
            memo=order.memo,
            amount=599_000,
            transferred_at=at,
            reference=f"{at}",
        )
        for at in years
    ]
    for line in (lines[first], lines[1 - first]):
        settle_transfer(transfer_id=line.pk, at=NOW + timedelta(hours=1))
    order.refresh_from_db()
    assert (order.status, order.paid_at) == (PaymentStatus.PAID, NOW)
    period = SubscriptionPeriod.objects.get(order=order, voided_at=None)
    assert (period.starts_at, period.ends_at.year, period.ends_at.month) == (NOW, 2026, 12)
    school.refresh_from_db()
    assert school.subscription_expires_at == period.ends_at
    assert broken() == {}


def test_money_for_a_cancelled_order_waits(school: Instance) -> None:
    order = subscribe(school)
    cancel_order(order_id=order.pk, actor="lan", reason="asked to")
    line = told(order.memo, 599_000)
    assert (line.state, line.reason) == ("UNMATCHED", UnmatchedReason.CANCELLED_ORDER)
    assert line.settled_at is None


@pytest.mark.parametrize(
    ("memo", "said", "reason"),
    [
        ("NGUYEN VAN A chuyen tien", {}, UnmatchedReason.NO_CODE),
        ("", {}, UnmatchedReason.NO_CODE),
        ("{other}", {}, UnmatchedReason.UNKNOWN_ORDER),
        ("{code}", {"account_number": "0001234567"}, UnmatchedReason.WRONG_ACCOUNT),
    ],
)
def test_what_belongs_to_nobody_waits_with_its_reason(
    school: Instance, memo: str, said: dict[str, str], reason: UnmatchedReason
) -> None:
    from billing.order_codes import new_code

    order = subscribe(school)
    line = told(memo.format(code=order.order_id, other=new_code()), 599_000, **said)
    assert (line.state, line.reason) == (TransferState.UNMATCHED, reason)
    order.refresh_from_db()
    assert order.paid_amount == 0


def test_account_is_known_without_its_zeros_and_by_its_virtual_number(school: Instance) -> None:
    order = enroll(school)
    told(order.memo, 200_000, account_number="1234567")
    told(order.memo, 300_000, account_number="99", virtual_account="0001234567")
    order.refresh_from_db()
    assert order.status == PaymentStatus.PAID


def test_money_that_left_is_no_payment(school: Instance) -> None:
    order = subscribe(school)
    line = told(order.memo, 599_000, direction="OUT")
    assert (line.state, line.reason) == (TransferState.IGNORED, UnmatchedReason.OUTGOING)


def test_one_line_pays_several_orders_only_where_the_sums_fit(school: Instance) -> None:
    one, two = enroll(school, "An", 500_000), enroll(school, "Binh", 300_000)
    memo = f"{one.order_id} {two.order_id}"
    wrong = told(memo, 700_000, account_number="0001234567")
    assert (wrong.state, wrong.reason) == ("UNMATCHED", UnmatchedReason.AMBIGUOUS)
    right = told(memo, 800_000, account_number="0001234567")
    assert (right.state, right.allocated_amount) == (TransferState.MATCHED, 800_000)
    assert set(PaymentOrder.objects.values_list("status", flat=True)) == {"PAID"}


def test_one_of_several_orders_whose_amount_fits_alone_is_meant(school: Instance) -> None:
    one, two = enroll(school, "An", 500_000), enroll(school, "Binh", 300_000)
    told(f"{one.order_id} {two.order_id}", 300_000, account_number="0001234567")
    two.refresh_from_db()
    assert two.status == PaymentStatus.PAID


def test_money_for_a_course_never_extends_the_schools_subscription(school: Instance) -> None:
    order = enroll(school)
    line = told(order.memo, 600_000, account_number="0001234567")
    assert (line.state, line.reason, line.unmatched) == ("UNMATCHED", "OVERPAID", 100_000)
    assert not Subscription.objects.exists()
    assert not Receipt.objects.exists()
    assert credit.balance(instance_id=school.pk) == 0


def test_order_of_another_program_is_found_by_its_own_code() -> None:
    order = PaymentOrderFactory(order_id="ORD-2026-0007", amount=299_000)
    line = told("thanh toan ORD-2026-0007 FT123", 299_000)
    order.refresh_from_db()
    assert (line.state, order.status) == (TransferState.MATCHED, PaymentStatus.PAID)


def test_line_of_an_order_that_another_program_was_paid_for_is_no_credit() -> None:
    order = PaymentOrderFactory(order_id="ORD-2026-0007", amount=299_000, paid=True)
    line = told("thanh toan ORD-2026-0007 FT123", 299_000)
    assert (line.state, line.reason) == ("UNMATCHED", UnmatchedReason.ALREADY_PAID)
    assert credit.balance(instance_id=order.instance_id) == 0


@pytest.mark.parametrize("first", [0, 1])
def test_order_of_arrival_changes_nothing(school: Instance, first: int) -> None:
    order = subscribe(school)
    lines = [
        BankTransferFactory(
            account_number=OWN,
            memo=order.memo,
            amount=amount,
            transferred_at=NOW + timedelta(hours=hours),
        )
        for amount, hours in ((599_000, 1), (700_000, 2))
    ]
    for line in (lines[first], lines[1 - first]):
        settle_transfer(transfer_id=line.pk, at=NOW + timedelta(hours=3))
    order.refresh_from_db()
    assert order.paid_at == NOW + timedelta(hours=1)
    assert SubscriptionPeriod.objects.get(voided_at=None).starts_at == order.paid_at
    assert credit.balance(instance_id=school.pk) == 700_000


def test_lines_whose_job_was_lost_are_settled_later(school: Instance) -> None:
    order = subscribe(school)
    BankTransferFactory(
        account_number=OWN, memo=order.memo, amount=599_000, received_at=NOW, transferred_at=NOW
    )
    assert settle_waiting(at=NOW + timedelta(minutes=1)).lines == 0
    assert settle_waiting(at=NOW + timedelta(minutes=6)).lines == 1
    order.refresh_from_db()
    assert order.status == PaymentStatus.PAID


def test_number_of_our_account_at_another_bank_is_not_our_account() -> None:
    school = InstanceFactory(bank_code="970422", account_number=OWN)
    order = subscribe(school)
    said = Line(
        provider=FeedProvider.SEPAY,
        provider_id="1",
        account_number=OWN,
        bank="MBBank",
        direction=TransferDirection.IN,
        amount=order.amount,
        memo=order.memo,
        transferred_at=NOW,
    )
    recorded = record(said, at=NOW)
    assert settle_transfer(transfer_id=recorded.transfer_id, at=NOW) == TransferState.UNMATCHED
    line = BankTransfer.objects.get(pk=recorded.transfer_id)
    assert (line.instance_id, line.reason) == (school.pk, UnmatchedReason.WRONG_ACCOUNT)
    order.refresh_from_db()
    assert order.status == PaymentStatus.PENDING


def test_two_qr_codes_in_one_line_leave_out_the_credit_that_they_left_out(
    school: Instance,
) -> None:
    credit.grant(instance_id=school.pk, amount=99_000, reason="sorry", actor="lan", at=NOW)
    orders = [subscribe(school), subscribe(InstanceFactory())]
    line = told(" ".join(each.memo or "" for each in orders), 500_000 + 599_000)
    assert line.state == TransferState.MATCHED
    for order in orders:
        order.refresh_from_db()
        assert order.status == PaymentStatus.PAID
    assert credit.balance(instance_id=school.pk) == 0
