"""Orders: what they agree on, that one supersedes another, and what becomes of money on them."""

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from billing.accounts import NoReceivingAccount
from billing.enums import OrderPurpose, PaymentStatus, PaymentType
from billing.models import BankTransfer, CreditEntry, PaymentOrder
from billing.order_codes import is_code
from billing.qr_links import code_of
from billing.services import credit, settlement
from billing.services.order_terms import BadOrder
from billing.services.orders import OrderClosed, cancel_order, open_order, qr_payload, to_transfer
from billing.vietqr import decode
from kitehub.enums import Tier
from kitehub.models import Instance
from tests.factories.billing import (
    BankTransferFactory,
    PaymentOrderFactory,
    SubscriptionFactory,
)
from tests.factories.kitehub import InstanceFactory

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


@pytest.fixture
def school() -> Instance:
    return InstanceFactory(
        bank_code="970422", account_number="0001234567", account_name="TRUONG SAO MAI"
    )


def subscribe(school: Instance, **said: object) -> PaymentOrder:
    return open_order(instance=school, actor="lan", at=NOW, **{"tier": Tier.STANDARD, **said})


def enroll(school: Instance, **said: object) -> PaymentOrder:
    course = {"course_id": "TOAN9", "student_name": "Nguyễn Văn Đức", "amount": 500_000}
    kind = PaymentType.ENROLLMENT
    return open_order(type=kind, instance=school, actor="api", at=NOW, **{**course, **said})


def pay(order: PaymentOrder, amount: int, **said: object) -> BankTransfer:
    line = BankTransferFactory(
        account_number=order.account_number,
        amount=amount,
        memo=order.memo,
        transferred_at=NOW,
        **said,
    )
    settlement.settle_transfer(transfer_id=line.pk, at=NOW)
    return BankTransfer.objects.get(pk=line.pk)


def test_subscription_is_paid_to_kitehub_with_the_code_alone(school: Instance) -> None:
    order = subscribe(school, months=3)
    assert is_code(order.order_id)
    assert (order.amount, order.monthly_price, order.months) == (3 * 599_000, 599_000, 3)
    assert order.expires_at == NOW + timedelta(hours=24)
    assert order.payment_content == f"KITEHUB {order.order_id} {school.owner.email}"
    code = decode(qr_payload(order))
    assert (code.bank_bin, code.account_number) == ("970436", "0123499999")
    assert (code.amount, code.memo, code.one_time) == (3 * 599_000, order.order_id, True)
    _site, _path, signed = order.qr_image_url.rpartition("/qr/")
    assert code_of(signed.removesuffix(".svg")) == order.order_id
    assert order.created_by == "lan"


def test_course_is_paid_to_the_school_with_the_code_and_its_own_words(school: Instance) -> None:
    code = decode(qr_payload(enroll(school)))
    assert (code.bank_bin, code.account_number) == ("970422", "0001234567")
    assert code.memo is not None
    assert len(code.memo) <= 25
    assert is_code(code.memo.split()[0])
    assert "HOCPHI" in code.memo


def test_agreed_price_of_the_same_tier_is_kept(school: Instance) -> None:
    SubscriptionFactory(instance=school, tier=Tier.STANDARD, monthly_price=450_000)
    assert subscribe(school).amount == 450_000
    assert subscribe(school, tier=Tier.PREMIUM).amount == 1_299_000


def test_terms_stay_when_prices_and_accounts_change(
    school: Instance, settings: pytest.FixtureRequest
) -> None:
    order = subscribe(school)
    settings.KITEHUB_PLANS = {"STANDARD": {"monthly_price": 999_000}}
    settings.KITEHUB_BANK_ACCOUNT = "555"
    assert decode(qr_payload(PaymentOrder.objects.get(pk=order.pk))).account_number == "0123499999"
    with pytest.raises(IntegrityError, match="terms"), transaction.atomic():
        PaymentOrder.objects.filter(pk=order.pk).update(amount=1)
    with pytest.raises(IntegrityError, match="allocations"), transaction.atomic():
        PaymentOrder.objects.filter(pk=order.pk).update(paid_amount=1)


def test_second_open_order_supersedes_the_first(school: Instance) -> None:
    first, other = subscribe(school), enroll(school)
    second = subscribe(school, tier=Tier.PREMIUM)
    first.refresh_from_db()
    assert (first.status, first.superseded_by) == (PaymentStatus.CANCELLED, second)
    assert PaymentOrder.objects.get(pk=other.pk).status == PaymentStatus.PENDING
    again = enroll(school, student_name=unicodedata.normalize("NFD", " NGUYỄN  văn Đức "))
    other.refresh_from_db()
    assert other.superseded_by == again
    assert enroll(school, student_name="Trần Thị Bé").superseded_by is None
    assert PaymentOrder.objects.get(pk=again.pk).status == PaymentStatus.PENDING


def test_an_older_programs_order_for_the_subscription_is_superseded_too(school: Instance) -> None:
    old = PaymentOrderFactory(instance=school, tier=Tier.BASIC)
    course = PaymentOrderFactory(instance=school, type=PaymentType.ENROLLMENT)
    order = subscribe(school)
    old.refresh_from_db()
    assert (old.status, old.superseded_by) == ("CANCELLED", order)
    assert PaymentOrder.objects.get(pk=course.pk).status == "PENDING"


def test_money_on_a_superseded_subscription_is_credit_for_the_next(school: Instance) -> None:
    pay(subscribe(school), 200_000)
    second = subscribe(school)
    assert credit.balance(instance_id=school.pk) == 200_000
    assert (second.credit_offered, to_transfer(second)) == (200_000, 399_000)
    assert decode(qr_payload(second)).amount == 399_000
    line = pay(second, 399_000)
    second.refresh_from_db()
    assert second.status == PaymentStatus.PAID
    assert credit.balance(instance_id=school.pk) == 0
    assert (line.state, line.unmatched) == ("MATCHED", 0)


def test_money_on_a_superseded_course_waits_for_a_person(school: Instance) -> None:
    line = pay(enroll(school), 200_000)
    enroll(school)
    line.refresh_from_db()
    assert (line.state, line.reason, line.unmatched) == ("UNMATCHED", "CANCELLED_ORDER", 200_000)
    assert not CreditEntry.objects.exists()


def test_credit_that_pays_all_pays_at_once(school: Instance) -> None:
    credit.grant(instance_id=school.pk, amount=700_000, reason="thanks", actor="lan", at=NOW)
    order = subscribe(school)
    assert (order.status, order.transaction_reference) == (PaymentStatus.PAID, "CREDIT")
    assert order.paid_at == NOW
    assert credit.balance(instance_id=school.pk) == 101_000


def test_credit_that_is_gone_is_asked_for_again(school: Instance) -> None:
    credit.grant(instance_id=school.pk, amount=100_000, reason="thanks", actor="lan", at=NOW)
    order = subscribe(school)
    credit.spend(instance_id=school.pk, amount=100_000, actor="lan", at=NOW)
    pay(order, 499_000)
    order.refresh_from_db()
    assert (order.status, to_transfer(order)) == (PaymentStatus.PENDING, 100_000)


def test_reference_of_the_program_opens_one_order(school: Instance) -> None:
    first = enroll(school, client_reference="HD-1")
    assert enroll(school, client_reference="HD-1", amount=9) == first
    assert (
        enroll(
            InstanceFactory(bank_code="970422", account_number="1234567"), client_reference="HD-1"
        )
        != first
    )


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"tier": None}, "tier"),
        ({"tier": "GOLD"}, "tier"),
        ({"months": 0}, "months"),
        ({"months": 37}, "months"),
        ({"months": True}, "months"),
        ({"purpose": OrderPurpose.UPGRADE}, "amount"),
        ({"purpose": OrderPurpose.UPGRADE, "amount": 0}, "amount"),
        ({"open_for": timedelta(0)}, "open_for"),
    ],
)
def test_impossible_subscription_names_the_field(
    school: Instance, said: dict[str, object], field: str
) -> None:
    with pytest.raises(BadOrder) as caught:
        subscribe(school, **said)
    assert caught.value.field == field
    assert not PaymentOrder.objects.exists()


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"amount": None}, "amount"),
        ({"amount": 10**13}, "amount"),
        ({"amount": 1.5}, "amount"),
        ({"course_id": " "}, "course_id"),
        ({"student_name": "x" * 201}, "student_name"),
        ({"client_reference": "a\x00b"}, "client_reference"),
    ],
)
def test_impossible_enrollment_names_the_field(
    school: Instance, said: dict[str, object], field: str
) -> None:
    with pytest.raises(BadOrder) as caught:
        enroll(school, **said)
    assert caught.value.field == field


def test_without_an_account_nothing_is_opened(settings: pytest.FixtureRequest) -> None:
    with pytest.raises(NoReceivingAccount, match="bank account of"):
        enroll(InstanceFactory())
    settings.KITEHUB_BANK_ACCOUNT = ""
    with pytest.raises(NoReceivingAccount, match="KITEHUB_BANK_ACCOUNT"):
        subscribe(InstanceFactory())


def test_paid_order_is_not_cancelled_and_a_cancelled_one_stays(school: Instance) -> None:
    order = subscribe(school)
    done = cancel_order(order_id=order.pk, actor="lan", reason="asked to", at=NOW)
    assert (done.status, done.cancel_reason) == (PaymentStatus.CANCELLED, "asked to")
    assert cancel_order(order_id=order.pk, actor="lan", reason="again").cancel_reason == "asked to"
    paid = subscribe(school)
    pay(paid, paid.amount)
    with pytest.raises(OrderClosed):
        cancel_order(order_id=paid.pk, actor="lan", reason="asked to")


def test_part_of_an_expired_orders_money_is_credit_for_the_next_one(school: Instance) -> None:
    first = subscribe(school)
    line = pay(first, 200_000)
    PaymentOrder.objects.update(status="EXPIRED")
    second = subscribe(school)
    first.refresh_from_db()
    assert (first.status, first.paid_amount, first.superseded_by) == ("EXPIRED", 0, second)
    assert credit.balance(instance_id=school.pk) == 200_000
    assert to_transfer(second) == 399_000
    pay(second, 399_000)
    second.refresh_from_db()
    line.refresh_from_db()
    assert (second.status, line.allocated_amount, line.credited_amount) == ("PAID", 0, 200_000)


def test_part_of_an_expired_course_fee_waits_for_a_person(school: Instance) -> None:
    first = enroll(school)
    line = pay(first, 200_000)
    PaymentOrder.objects.update(status="EXPIRED")
    enroll(school)
    line.refresh_from_db()
    assert (line.state, line.unmatched) == ("UNMATCHED", 200_000)


def test_students_with_other_accents_or_no_latin_letters_are_not_one(school: Instance) -> None:
    names = ("Nguyễn Văn An", "Nguyễn Văn Ân", "NGUYEN VAN AN", "李娜", "王伟")
    orders = [enroll(school, student_name=name, client_reference=name) for name in names]
    again = enroll(school, student_name=" 王伟 ")
    states = [PaymentOrder.objects.get(pk=order.pk).status for order in orders]
    assert states == ["PENDING"] * 4 + ["CANCELLED"]
    assert PaymentOrder.objects.get(pk=orders[-1].pk).superseded_by == again
