"""Payment orders and subscriptions change state as their lifecycles say, and in no other way."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from billing.lifecycles import PAYMENT_ORDER, SUBSCRIPTION
from billing.models import PaymentOrder, Subscription
from tests.factories.billing import PaymentOrderFactory, SubscriptionFactory
from tests.kitehub.db.records import PLAIN, WRITERS, Writer, execute, reread
from tests.kitehub.db.transitions import taken_by_database

pytestmark = pytest.mark.django_db

THEN = timezone.now()


def order_in(state: str) -> PaymentOrder:
    # With all that any state asks for, so that nothing but the state decides.
    return reread(PaymentOrderFactory(status=state, paid_at=THEN, transaction_reference="FT1"))


def subscription_in(state: str) -> Subscription:
    return reread(SubscriptionFactory(status=state))


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
class TestEveryPairOfStates:
    def test_order_takes_the_allowed_ones_alone(self, write: Writer) -> None:
        assert taken_by_database(PAYMENT_ORDER, order_in, write) == set(PAYMENT_ORDER.pairs())

    def test_subscription_takes_the_allowed_ones_alone(self, write: Writer) -> None:
        taken = taken_by_database(SUBSCRIPTION, subscription_in, write)
        assert taken == set(SUBSCRIPTION.pairs())


class TestPaid:
    def test_paid_order_cannot_be_unpaid(self) -> None:
        order = PaymentOrderFactory(paid=True)
        with pytest.raises(IntegrityError, match="PAID cannot become PENDING"):
            execute("UPDATE payment_orders SET status = 'PENDING' WHERE id = %s", order.pk)

    def test_trigger_of_somebody_else_cannot_unpay_it_either(self) -> None:
        order = PaymentOrderFactory(paid=True)
        execute(
            "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN NEW.status = 'PENDING'; RETURN NEW; END $$"
        )
        execute(
            "CREATE TRIGGER zz_meddle BEFORE UPDATE ON payment_orders FOR EACH ROW"
            " EXECUTE FUNCTION meddle()"
        )
        with pytest.raises(IntegrityError, match="PAID cannot become PENDING"):
            execute("UPDATE payment_orders SET amount = 1 WHERE id = %s", order.pk)

    @pytest.mark.parametrize("write", PLAIN.values(), ids=PLAIN)
    @pytest.mark.parametrize(
        "lacking",
        [{"paid_at": None}, {"transaction_reference": None}, {"transaction_reference": ""}],
        ids=str,
    )
    def test_paid_needs_its_time_and_reference(
        self, write: Writer, lacking: dict[str, Any]
    ) -> None:
        given = {"paid_at": THEN, "transaction_reference": "FT1", **lacking}
        order = reread(PaymentOrderFactory(**given))
        with pytest.raises(IntegrityError, match="payment_orders_paid_check"), transaction.atomic():
            write(order, "status", "PAID")
        assert reread(order).status == "PENDING"

    @pytest.mark.parametrize(
        "loss", ["paid_at = NULL", "transaction_reference = NULL", "transaction_reference = ''"]
    )
    def test_paid_order_keeps_its_time_and_reference(self, loss: str) -> None:
        order = PaymentOrderFactory(paid=True)
        with pytest.raises(IntegrityError, match="payment_orders_paid_check"):
            execute(f"UPDATE payment_orders SET {loss} WHERE id = %s", order.pk)

    def test_order_cannot_be_born_paid_without_them(self) -> None:
        with pytest.raises(IntegrityError, match="payment_orders_paid_check"):
            PaymentOrderFactory(status="PAID")


class TestRevival:
    @pytest.mark.parametrize("write", PLAIN.values(), ids=PLAIN)
    def test_canceled_subscription_stays_so_after_its_period(self, write: Writer) -> None:
        ended = timezone.now() - timedelta(seconds=1)
        row = reread(
            SubscriptionFactory(
                status="CANCELED",
                current_period_start=ended - timedelta(days=30),
                current_period_end=ended,
            )
        )
        with pytest.raises(IntegrityError, match="CANCELED cannot become ACTIVE"):
            write(row, "status", "ACTIVE")

    def test_new_period_in_the_same_statement_does_not_help(self) -> None:
        ended = timezone.now() - timedelta(seconds=1)
        SubscriptionFactory(status="CANCELED", current_period_end=ended)
        with pytest.raises(IntegrityError, match="CANCELED cannot become ACTIVE"):
            Subscription.objects.update(
                status="ACTIVE", current_period_end=timezone.now() + timedelta(days=30)
            )

    def test_period_that_ends_in_a_long_transaction_is_over(self) -> None:
        row = SubscriptionFactory(status="CANCELED")
        execute(
            "UPDATE subscriptions SET current_period_end = clock_timestamp() + interval '0.1 s'"
        )
        execute("SELECT pg_sleep(0.15)")  # NOW() is still before the end
        with pytest.raises(IntegrityError, match="CANCELED cannot become ACTIVE"):
            execute("UPDATE subscriptions SET status = 'ACTIVE' WHERE id = %s", row.pk)

    def test_expired_subscription_may_come_back_any_time(self) -> None:
        ended = timezone.now() - timedelta(days=400)
        row = SubscriptionFactory(status="EXPIRED", current_period_end=ended)
        row.status = "ACTIVE"
        row.save()
        assert reread(row).status == "ACTIVE"
