"""The plan's questions about payment orders: right answers, from the indexes made for them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db.models import QuerySet

from billing.enums import PaymentStatus
from billing.models import PaymentOrder
from tests.explain import filled, indexes_used, is_sorted_by_index
from tests.factories.billing import PaymentOrderFactory
from tests.factories.kitehub import InstanceFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
both_managers = pytest.mark.parametrize(
    "orders", [PaymentOrder.objects, PaymentOrder.all_objects], ids=["objects", "all_objects"]
)


@pytest.fixture(scope="class")
def many(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """An order every 20 seconds up to NOW; of the last 36 hours' a fifth still waits for money."""
    columns = {
        "order_id": "'KH' || n",
        "type": "(CASE WHEN n % 10 = 0 THEN 'ENROLLMENT' ELSE 'SUBSCRIPTION' END)::payment_type",
        "user_id": "lpad(to_hex(n % 5000), 32, '0')::uuid",
        "instance_id": "lpad(to_hex(n % 2000), 32, '0')::uuid",
        "amount": "299000",
        "status": """(CASE WHEN n > 93520 AND n % 5 = 0 THEN 'PENDING' WHEN n % 10 < 7 THEN 'PAID'
            WHEN n % 10 < 9 THEN 'EXPIRED' ELSE 'CANCELLED' END)::payment_status""",
        "payment_content": "'KITEHUB KH' || n",
        "created_at": f"'{NOW}'::timestamptz - (100000 - n) * interval '20 seconds'",
        "expires_at": f"'{NOW}'::timestamptz - (100000 - n - 4320) * interval '20 seconds'",
        "deleted": "n % 100 = 0",
    }
    with django_db_blocker.unblock(), filled("payment_orders", columns, scatter=40_000):
        yield


@pytest.mark.usefixtures("many")
class TestOnAHundredThousandOrders:
    @both_managers
    def test_overdue_orders_come_from_their_index(self, orders: "QuerySet[PaymentOrder]") -> None:
        overdue = orders.pending().overdue(at=NOW)

        assert indexes_used(overdue) == {"idx_payment_orders_expires"}
        assert indexes_used(overdue.order_by("expires_at")[:100]) == {"idx_payment_orders_expires"}
        assert set(overdue.values_list("order_id", flat=True)) == {
            f"KH{n}" for n in range(93_525, 95_680, 5) if self.shown(n, orders)
        }

    @both_managers
    def test_the_first_page_of_pending_orders_comes_sorted_from_its_index(
        self, orders: "QuerySet[PaymentOrder]"
    ) -> None:
        page = orders.pending().newest_first()[:50]

        # The plan's, or the lists' own, which begins with the same columns.
        (index,) = indexes_used(page)
        assert index in {"idx_payment_orders_status_created", "idx_payment_orders_list_status"}
        assert is_sorted_by_index(page)
        newest = [f"KH{n}" for n in range(100_000, 93_520, -5) if self.shown(n, orders)]
        assert [order.order_id for order in page] == newest[:50]

    @both_managers
    @pytest.mark.parametrize(
        ("method", "indexes", "step"),
        [
            ("of_user", {"idx_payment_orders_user"}, 5000),
            (
                "of_instance",
                {"idx_payment_orders_instance", "idx_payment_orders_list_instance"},
                2000,
            ),
        ],
    )
    def test_ones_own_orders_come_from_their_index(
        self, orders: Any, method: str, indexes: set[str], step: int
    ) -> None:
        own = getattr(orders, method)(UUID(int=7))

        assert indexes_used(own) <= indexes
        assert indexes_used(own.newest_first()[:20]) <= indexes
        assert {order.order_id for order in own} == {f"KH{n}" for n in range(7, 100_000, step)}

    def test_what_a_new_order_supersedes_comes_from_its_indexes(self) -> None:
        superseded = PaymentOrder.objects.open_or_part_paid().filter(
            instance_id=UUID(int=7), subject="subscription"
        )
        first, second = sorted(indexes_used(superseded))
        assert first in {"idx_payment_orders_part_paid", "idx_payment_orders_list_part_paid"}
        assert second == "payment_orders_open_subject_key"

    def test_a_code_comes_from_an_index(self) -> None:
        (index,) = indexes_used(PaymentOrder.objects.filter(order_id="KH4321"))
        assert index in {"idx_payment_orders_order_id", "payment_orders_order_id_key"}

    @staticmethod
    def shown(n: int, orders: Any) -> bool:
        """Every hundredth is softly deleted."""
        return n % 100 != 0 or orders is PaymentOrder.all_objects


@pytest.fixture
def order() -> PaymentOrder:
    return PaymentOrderFactory(expires_at=NOW)


def test_an_order_is_overdue_only_past_its_expiry(order: PaymentOrder) -> None:
    assert not PaymentOrder.objects.overdue(at=NOW - TICK)
    assert not PaymentOrder.objects.overdue(at=NOW)
    assert PaymentOrder.objects.overdue(at=NOW + TICK).get() == order


@pytest.mark.usefixtures("rules_off")
@pytest.mark.parametrize("status", [s for s in PaymentStatus if s != PaymentStatus.PENDING])
def test_only_pending_orders_are_pending(order: PaymentOrder, status: str) -> None:
    PaymentOrderFactory(status=status, expires_at=NOW)
    assert PaymentOrder.objects.pending().get() == order
    assert PaymentOrder.objects.pending().overdue(at=NOW + TICK).get() == order
    assert PaymentOrder.objects.paid().count() == (status == PaymentStatus.PAID)


def test_orders_are_ones_own_whether_or_not_the_other_row_is_there() -> None:
    user, school, nobody = UserFactory(), InstanceFactory(), uuid4()
    order = PaymentOrderFactory(user=user, instance=school)
    PaymentOrderFactory()
    assert PaymentOrder.objects.of_user(user.id).get() == order
    assert PaymentOrder.objects.of_instance(school.id).get() == order
    PaymentOrder.objects.filter(pk=order.pk).update(user=nobody, instance=nobody)
    assert PaymentOrder.objects.of_user(nobody).get() == order
    assert PaymentOrder.objects.of_instance(nobody).get() == order


def test_softly_deleted_orders_hide_from_objects_alone(order: PaymentOrder) -> None:
    PaymentOrder.objects.update(deleted=True)
    late = NOW + TICK
    assert not PaymentOrder.objects.pending().overdue(at=late).newest_first()
    assert PaymentOrder.all_objects.pending().overdue(at=late).newest_first().get() == order
    assert not PaymentOrder.all_objects.alive()
    order.refresh_from_db()
    assert order.deleted
