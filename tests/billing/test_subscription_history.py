"""The history of a subscription has its first row and every change, who and why, and stays so."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from billing.models import Subscription, SubscriptionHistory
from kitehub.db.acting import acting
from tests.factories.billing import SubscriptionFactory
from tests.kitehub.db.records import PLAIN, Writer, execute, reread

pytestmark = pytest.mark.django_db

TRACKED = (
    "tier",
    "status",
    "monthly_price",
    "current_period_start",
    "current_period_end",
    "trial_end",
    "canceled_at",
    "deleted",
)
CHANGES = {
    "tier": "PREMIUM",
    "status": "PAST_DUE",
    "monthly_price": 1,
    "current_period_start": timezone.now() - timedelta(days=1),
    "current_period_end": timezone.now() + timedelta(days=400),
    "trial_end": timezone.now(),
    "canceled_at": timezone.now(),
    "deleted": True,
}


def history(row: Any) -> list[SubscriptionHistory]:
    return list(SubscriptionHistory.objects.of_subscription(row.pk).order_by("changed_at"))


@pytest.fixture
def subscription() -> Subscription:
    return reread(SubscriptionFactory())


def tracked(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in TRACKED}


def test_first_row_comes_with_the_subscription(subscription: Subscription) -> None:
    (first,) = history(subscription)
    assert tracked(first) == tracked(subscription)
    ((role,),) = execute("SELECT current_user")
    assert (first.changed_by, first.change_reason) == (f"db:{role}", None)


@pytest.mark.parametrize("column", TRACKED)
@pytest.mark.parametrize("write", PLAIN.values(), ids=PLAIN)
def test_each_real_change_is_one_row(
    subscription: Subscription, column: str, write: Writer
) -> None:
    write(subscription, column, CHANGES[column])
    _first, second = history(subscription)
    assert getattr(second, column) == CHANGES[column]
    assert tracked(second) == tracked(reread(subscription))


@pytest.mark.parametrize("write", PLAIN.values(), ids=PLAIN)
def test_no_change_is_no_row(subscription: Subscription, write: Writer) -> None:
    write(subscription, "monthly_price", subscription.monthly_price)
    assert len(history(subscription)) == 1


def test_columns_outside_the_bargain_make_no_row(subscription: Subscription) -> None:
    execute("UPDATE subscriptions SET updated_by = 'An', version = version + 1")
    assert reread(subscription).version == 1
    assert len(history(subscription)) == 1


def test_changes_of_one_transaction_keep_their_order(subscription: Subscription) -> None:
    prices = list(range(1, 30))
    for price in prices:
        Subscription.objects.update(monthly_price=price)
    rows = history(subscription)
    assert [row.monthly_price for row in rows[1:]] == prices
    assert len({row.changed_at for row in rows}) == len(rows)


def test_one_statement_over_many_makes_a_row_each() -> None:
    rows = SubscriptionFactory.create_batch(3)
    Subscription.objects.update(monthly_price=1)
    assert [len(history(row)) for row in rows] == [2, 2, 2]


class TestWhoAndWhy:
    def test_actor_and_reason_are_those_that_act(self, subscription: Subscription) -> None:
        with acting("An", "Bình asked for it"):
            subscription.monthly_price = 1
            subscription.save()
        last = history(subscription)[-1]
        assert (last.changed_by, last.change_reason) == ("An", "Bình asked for it")

    def test_reason_does_not_outlive_its_block(self, subscription: Subscription) -> None:
        with acting("An", "Bình asked for it"):
            pass
        Subscription.objects.update(monthly_price=1)
        last = history(subscription)[-1]
        assert (last.changed_by, last.change_reason) == (
            history(subscription)[0].changed_by,
            None,
        )

    def test_nested_acting_names_the_inner_one_then_the_outer(
        self, subscription: Subscription
    ) -> None:
        with acting("An", "outer"):
            with transaction.atomic(), acting("Bình", "inner"):
                Subscription.objects.update(monthly_price=1)
            Subscription.objects.update(monthly_price=2)
        assert [(row.changed_by, row.change_reason) for row in history(subscription)[1:]] == [
            ("Bình", "inner"),
            ("An", "outer"),
        ]

    def test_without_actor_the_row_says_who(self, subscription: Subscription) -> None:
        execute("UPDATE subscriptions SET monthly_price = 1, updated_by = 'Hibernate'")
        assert history(subscription)[-1].changed_by == "Hibernate"

    def test_who_made_it_is_not_taken_for_who_changed_it(self) -> None:
        made = SubscriptionFactory(created_by="alice", updated_by=None)
        assert [each.changed_by for each in history(made)] == ["alice"]
        execute("UPDATE subscriptions SET tier = 'PREMIUM', updated_by = NULL")
        ((role,),) = execute("SELECT current_user")
        assert history(made)[-1].changed_by == f"db:{role}"

    def test_history_goes_into_its_own_table_wherever_the_search_path_leads(
        self, subscription: Subscription
    ) -> None:
        execute("CREATE TEMPORARY TABLE subscription_history (LIKE public.subscription_history)")
        execute("UPDATE public.subscriptions SET tier = 'PREMIUM'")
        execute("SET LOCAL search_path = ''")
        execute("UPDATE public.subscriptions SET tier = 'BASIC'")
        execute("DROP TABLE pg_temp.subscription_history")
        execute("SET LOCAL search_path = public")
        assert [each.tier for each in history(subscription)][-2:] == ["PREMIUM", "BASIC"]

    def test_without_anybody_the_role_is_named(self, subscription: Subscription) -> None:
        execute("CREATE ROLE kitehub_night_job")
        execute("GRANT SELECT, UPDATE ON subscriptions TO kitehub_night_job")
        execute("GRANT INSERT ON subscription_history TO kitehub_night_job")
        execute("GRANT USAGE ON SCHEMA public TO kitehub_night_job")
        execute("SET LOCAL ROLE kitehub_night_job")
        execute("UPDATE subscriptions SET monthly_price = 1, updated_by = ''")
        execute("RESET ROLE")
        assert history(subscription)[-1].changed_by == "db:kitehub_night_job"


class TestAppendOnly:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE subscription_history SET change_reason = 'never said'",
            "UPDATE subscription_history SET id = id",
            "DELETE FROM subscription_history",
            "TRUNCATE subscription_history",
            "TRUNCATE subscriptions CASCADE",
        ],
    )
    def test_sql_cannot_change_it(self, subscription: Subscription, statement: str) -> None:
        before = SubscriptionHistory.objects.values_list()
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            execute(statement)
        assert list(before) == list(SubscriptionHistory.objects.values_list())
        assert len(before) == 1

    def test_orm_cannot_change_it(self, subscription: Subscription) -> None:
        (row,) = history(subscription)
        row.change_reason = "never said"
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            row.save()
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            row.delete()

    def test_subscription_with_a_history_cannot_be_removed(
        self, subscription: Subscription
    ) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            execute("DELETE FROM subscriptions")
        assert len(history(subscription)) == 1
