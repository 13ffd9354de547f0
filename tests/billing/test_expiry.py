"""Overdue orders expire in batches, each of its own, and none that isn't overdue."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from billing.models import PaymentOrder
from billing.services import expire_overdue
from billing.services import expiry as services
from tests.factories.billing import PaymentOrderFactory
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.db.records import execute, reread

NOW = datetime(2026, 1, 30, 9, 0, tzinfo=UTC)


def overdue(count: int, **fields: object) -> list[PaymentOrder]:
    """Orders that ended a second, two seconds … before NOW."""
    instance = fields.pop("instance", None) or InstanceFactory()
    return [
        PaymentOrderFactory(
            instance=instance, expires_at=NOW - timedelta(seconds=number + 1), **fields
        )
        for number in range(count)
    ]


def statuses() -> set[str]:
    return set(PaymentOrder.all_objects.values_list("status", flat=True))


@pytest.mark.django_db
class TestWhichOnes:
    def test_overdue_ones_expire_and_count_one_change(self) -> None:
        (order,) = overdue(1)
        done = expire_overdue(at=NOW)
        now = reread(order)
        assert (done.orders, done.batches) == (1, 1)
        assert (now.status, now.version, now.updated_by) == ("EXPIRED", 1, "expire_orders")

    def test_nothing_to_do_is_no_batch(self) -> None:
        done = expire_overdue(at=NOW)
        assert (done.orders, done.batches) == (0, 0)

    def test_order_is_open_to_its_last_moment(self) -> None:
        order = PaymentOrderFactory(expires_at=NOW)
        expire_overdue(at=NOW)
        assert reread(order).status == "PENDING"
        expire_overdue(at=NOW + timedelta(microseconds=1))
        assert reread(order).status == "EXPIRED"

    @pytest.mark.parametrize("status", ["PAID", "CANCELLED", "EXPIRED"])
    def test_orders_that_do_not_wait_are_left_alone(self, status: str) -> None:
        (order,) = overdue(1, status=status, paid_at=NOW, transaction_reference="FT1")
        assert expire_overdue(at=NOW).orders == 0
        assert (reread(order).status, reread(order).version) == (status, 0)

    def test_deleted_orders_are_left_alone(self) -> None:
        (order,) = overdue(1, deleted=True)
        assert expire_overdue(at=NOW).orders == 0
        assert reread(order).status == "PENDING"


@pytest.mark.django_db
class TestBatches:
    @pytest.mark.parametrize(("count", "batches"), [(9, 3), (10, 4), (8, 3), (2, 1)])
    def test_all_expire_in_as_many_batches_as_it_takes(
        self, count: int, batches: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(services, "EXPIRY_AIM_MILLISECONDS", 60_000)
        overdue(count)
        done = expire_overdue(at=NOW, batch=3)
        assert (done.orders, done.batches) == (count, batches)
        assert statuses() == {"EXPIRED"}
        assert not PaymentOrder.objects.exclude(version=1).exists()

    def test_batches_grow_and_shrink_with_how_long_they_take(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sizes: list[int] = []
        expire = services._expire_batch
        moments = iter([0, 0.1, 1, 1.5, 2, 9.5, 10, 10])

        def batch(**options: Any) -> Any:
            sizes.append(options["size"])
            return expire(**options)

        monkeypatch.setattr(services, "_expire_batch", batch)
        monkeypatch.setattr(services, "EXPIRY_FIRST_BATCH", 4)
        monkeypatch.setattr(services, "monotonic", lambda: next(moments))
        overdue(14)
        done = expire_overdue(at=NOW, batch=7)
        # 0.1 s: as many again, but no more than asked for. 0.5 s: half. 7.5 s: one at the least.
        assert (sizes, done.orders, done.longest) == ([4, 7, 3, 1], 14, 7.5)

    def test_more_orders_of_one_moment_than_a_batch_has(self) -> None:
        instance = InstanceFactory()
        PaymentOrderFactory.create_batch(7, instance=instance, expires_at=NOW - timedelta(days=1))
        assert expire_overdue(at=NOW, batch=2).orders == 7

    def test_who_was_named_before_is_named_after(self) -> None:
        overdue(1)
        expire_overdue(at=NOW)
        assert execute("SELECT current_setting('kitehub.actor', true)") == [("",)]

    @pytest.mark.parametrize("batch", [0, -1])
    def test_batch_of_nothing_is_refused(self, batch: int) -> None:
        with pytest.raises(ValueError, match="at least one"):
            expire_overdue(at=NOW, batch=batch)


def sleepily(seconds: float) -> None:
    """Makes every change of an order take so long."""
    execute(
        "CREATE OR REPLACE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN PERFORM pg_sleep({seconds}); RETURN NEW; END $$"
    )
    execute(
        "CREATE OR REPLACE TRIGGER dawdle BEFORE UPDATE ON payment_orders FOR EACH ROW"
        " EXECUTE FUNCTION dawdle()"
    )


@pytest.mark.django_db
class TestLimit:
    def test_batch_that_takes_too_long_is_undone_and_halved(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        overdue(20)
        sleepily(0.02)
        monkeypatch.setattr(services, "EXPIRY_MILLISECONDS", 150)
        done = expire_overdue(at=NOW, batch=20)
        assert done.orders == 20
        assert done.batches >= 4
        assert not PaymentOrder.objects.exclude(status="EXPIRED", version=1).exists()

    def test_one_order_that_takes_too_long_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        overdue(1)
        sleepily(1)
        monkeypatch.setattr(services, "EXPIRY_MILLISECONDS", 20)
        with pytest.raises(Exception, match="statement timeout"):
            expire_overdue(at=NOW, batch=2)
        assert statuses() == {"PENDING"}


@pytest.mark.django_db(transaction=True)
def test_refused_inside_a_transaction() -> None:
    overdue(1)
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        expire_overdue(at=NOW)
    assert statuses() == {"PENDING"}


@pytest.mark.django_db
class TestCommand:
    def run(self, *arguments: str) -> str:
        out = StringIO()
        call_command("expire_orders", *arguments, stdout=out)
        return out.getvalue()

    def test_expires_at_a_moment_and_says_how_many(self) -> None:
        overdue(3)
        said = self.run("--at", "2026-01-30T15:59:58.5", "--batch", "2")
        assert said.startswith("Orders expired: 2. Batches: 1. Slowest batch: ")
        assert self.run().startswith("Orders expired: 1. Batches: 1.")
        assert statuses() == {"EXPIRED"}

    @pytest.mark.parametrize(
        "arguments", [("--at", "soon"), ("--batch", "0"), ("--batch", "-1"), ("--batch", "many")]
    )
    def test_nonsense_is_refused(self, arguments: tuple[str, str]) -> None:
        with pytest.raises(CommandError, match="is no"):
            self.run(*arguments)
