"""`manage.py check_invariants` finds what triggers and constraints could not prevent."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from billing.models import PaymentOrder, Subscription, SubscriptionHistory
from kitehub.db.invariants import SHOWN
from tests.factories.billing import PaymentOrderFactory, SubscriptionFactory
from tests.factories.branding import BrandingJobFactory
from tests.factories.storage import StorageEventFactory
from tests.kitehub.db.records import execute, without_trigger

pytestmark = pytest.mark.django_db


def check(*arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code and what was printed as JSON."""
    out = StringIO()
    try:
        call_command("check_invariants", "--json", *arguments, stdout=out)
    except CommandError as error:
        return error.returncode, json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def printed(*arguments: str) -> list[str]:
    out = StringIO()
    try:
        call_command("check_invariants", *arguments, stdout=out)
    except CommandError as error:
        return [*out.getvalue().splitlines(), f"! {error}"]
    return out.getvalue().splitlines()


@contextmanager
def as_replica() -> Iterator[None]:
    """Writes as replication does, past every trigger."""
    execute("SET LOCAL session_replication_role = replica")
    yield
    execute("SET LOCAL session_replication_role = origin")


@contextmanager
def before_the_constraint(table: str, name: str) -> Iterator[None]:
    """Writes rows from before a constraint, which then is there for new ones only."""
    ((definition,),) = execute(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", name
    )
    execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    yield
    execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition} NOT VALID")


def test_clean_database_is_clean() -> None:
    SubscriptionFactory()
    PaymentOrderFactory(paid=True)
    BrandingJobFactory()
    StorageEventFactory()
    assert check() == (0, {"clean": True, "validated": [], "findings": []})
    assert printed() == ["Nothing is broken."]


class TestHistory:
    def test_change_past_the_trigger_is_found(self) -> None:
        row, _other = SubscriptionFactory(tier="BASIC"), SubscriptionFactory()
        with as_replica():
            Subscription.objects.filter(pk=row.pk).update(tier="PREMIUM", status="PAST_DUE")
        code, report = check()
        assert code == 1
        assert report["findings"] == [
            {
                "table": "subscriptions",
                "what": "the latest history says something else",
                "count": 1,
                "rows": [
                    f"{row.pk}: tier PREMIUM (history: BASIC), status PAST_DUE (history: ACTIVE)"
                ],
                "broken": True,
            }
        ]

    def test_lost_history_is_found(self) -> None:
        row = SubscriptionFactory()
        with as_replica():
            SubscriptionHistory.objects.all().delete()
        assert f"  {row.pk}: no history" in printed()

    @pytest.mark.parametrize("change", ["trial_end = now()", "deleted = true, deleted_at = now()"])
    def test_every_column_counts(self, change: str) -> None:
        SubscriptionFactory()
        with as_replica():
            execute(f"UPDATE subscriptions SET {change}")
        assert check()[0] == 1

    def test_columns_that_history_does_not_keep_do_not(self) -> None:
        SubscriptionFactory()
        with as_replica():
            execute("UPDATE subscriptions SET updated_by = 'replica', version = 12")
        assert check()[0] == 0


class TestConstraints:
    CHECK = ("payment_orders", "payment_orders_paid_check")

    def test_rows_that_break_one_are_named(self) -> None:
        with before_the_constraint(*self.CHECK):
            order = PaymentOrderFactory(status="PAID")
            PaymentOrderFactory(paid=True)
        code, report = check("--validate")
        assert (code, report["validated"]) == (1, [])
        assert report["findings"] == [
            {
                "table": "payment_orders",
                "what": "payment_orders_paid_check is broken by rows from before it",
                "count": 1,
                "rows": [str(order.pk)],
                "broken": True,
            }
        ]

    def test_one_that_no_row_breaks_any_more_is_validated_when_asked(self) -> None:
        with before_the_constraint(*self.CHECK):
            PaymentOrderFactory(paid=True)
        assert printed() == [
            "payment_orders: payment_orders_paid_check is not validated, though no row breaks it:"
            " use --validate",
            "! Broken: 1.",
        ]
        assert printed("--validate") == [
            "Validated payment_orders_paid_check.",
            "Nothing is broken.",
        ]
        assert execute(
            "SELECT convalidated FROM pg_constraint WHERE conname = 'payment_orders_paid_check'"
        ) == [(True,)]

    def test_condition_that_is_unknown_is_kept(self) -> None:
        with before_the_constraint("payment_orders", "payment_orders_tier_check"):
            PaymentOrderFactory(tier=None, amount=1)
        (finding,) = check()[1]["findings"]
        assert (finding["count"], finding["rows"]) == (0, [])
        assert check("--validate")[0] == 0

    def test_reference_that_is_not_validated_is_told_and_validated(self) -> None:
        name = "subscription_history_subscription_id_fkey"
        with before_the_constraint("subscription_history", name):
            SubscriptionFactory()
        assert (
            check()[1]["findings"][0]["what"] == f"{name} does not hold for old rows: not validated"
        )
        assert check("--validate")[1]["validated"] == [name]

    def test_first_rows_of_many_are_named_and_the_rest_counted(self) -> None:
        with before_the_constraint(*self.CHECK):
            first = PaymentOrderFactory(status="PAID")
            PaymentOrderFactory.create_batch(
                SHOWN + 1, status="PAID", instance=first.instance, user=first.user
            )
        lines = printed()
        assert lines[0].endswith(f"({SHOWN + 2})")
        assert len(lines) == SHOWN + 3
        assert lines[-2] == "  and 2 more"


class TestTriggers:
    def test_guard_that_is_switched_off_is_found(self) -> None:
        with without_trigger("payment_orders", "guard_payment_orders_status"):
            assert printed() == [
                "payment_orders: guard_payment_orders_status is switched off",
                "! Broken: 1.",
            ]
        assert check()[0] == 0

    def test_reference_whose_triggers_are_off_is_found(self) -> None:
        with without_trigger("subscriptions", "ALL"):
            found = {finding["what"] for finding in check()[1]["findings"]}
        assert "subscription_history_subscription_id_fkey is switched off" in found


class TestReferences:
    def test_reference_to_a_row_that_is_gone_is_told_and_is_no_error(self) -> None:
        order = PaymentOrderFactory()
        gone = order.instance_id
        order.instance.hard_delete()
        code, report = check()
        assert (code, report["clean"]) == (0, True)
        assert report["findings"] == [
            {
                "table": "payment_orders",
                "what": "instance_id refers to instances that are gone",
                "count": 1,
                "rows": [f"{order.pk} -> {gone}"],
                "broken": False,
            }
        ]
        assert printed()[0].startswith("note: payment_orders: ")

    def test_order_without_instance_refers_to_nothing(self) -> None:
        PaymentOrderFactory(instance=None, user=PaymentOrderFactory().user)
        assert check()[1]["findings"] == []


class TestStorage:
    def test_sum_that_is_not_its_events_is_found(self) -> None:
        event = StorageEventFactory()
        with as_replica():
            execute("UPDATE storage_usage SET used_bytes = 7")
        code, report = check()
        (finding,) = report["findings"]
        assert (code, finding["table"]) == (1, "storage_usage")
        assert finding["rows"][0].startswith(f"{event.instance_id}: used 7 -> ")


def test_nothing_is_changed() -> None:
    SubscriptionFactory()
    with as_replica():
        execute("UPDATE subscriptions SET tier = 'PREMIUM'")
    before = Subscription.objects.values_list().get()
    check("--validate")
    assert Subscription.objects.values_list().get() == before
    assert SubscriptionHistory.objects.count() == 1
    assert PaymentOrder.objects.count() == 0
