"""A paid order extends its subscription, once, and with it goes all that follows."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from billing.models import BankFeed, Subscription, SubscriptionHistory, SubscriptionPeriod
from billing.periods import paid_through
from billing.services.subscriptions import (
    NoSubscription,
    apply_payment,
    periods_of,
    rebuild,
    takes_effect,
)
from kitehub.db.invariants import findings
from kitehub.enums import Tier
from kitehub.models import Instance
from kitehub.plans import PLANS
from tests.billing.paying import (
    OLD,
    allocate,
    buy,
    give_back,
    order_of,
    paid_school,
    subscription,
    trial_school,
    written,
)
from tests.billing.timelines import DAY, day
from tests.factories.billing import BankFeedFactory, FeedSilenceFactory
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.db.records import execute
from tests.kitehub.jobs.working import jobs

pytestmark = pytest.mark.django_db
UPGRADE = {"purpose": "UPGRADE", "amount": 145_000}
TASK = "kitehub.tasks.apply_tier"


def again(school: Instance, at: Any) -> Subscription:
    return rebuild(instance_id=school.pk, at=at, actor="lan", reason="looked again")


def silence(**times: Any) -> None:
    """Of a feed of KiteHub's own account; others are silent all the time."""
    own = BankFeed.objects.filter(account_number="0123499999").first()
    FeedSilenceFactory(feed=own or BankFeedFactory(account_number="0123499999"), **times)
    FeedSilenceFactory(starts_at=day(1, 1))


class TestTrial:
    def test_the_month_begins_where_the_trial_ends_and_the_tier_at_once(self) -> None:
        school = trial_school(day(1, 1))
        order = buy(school, day(1, 5), Tier.STANDARD)
        found = subscription(school)
        assert (found.status, found.tier, found.monthly_price) == ("ACTIVE", "STANDARD", 599_000)
        assert found.current_period_start == day(1, 5)
        assert (found.current_period_end, found.trial_end) == (day(2, 15), day(1, 15))
        assert written(school) == [
            ("01/01", "05/01", "BASIC"),
            ("05/01", "15/01", "STANDARD"),
            ("15/01", "15/02", "STANDARD"),
        ]
        assert order.periods.get(voided_at=None).starts_at == day(1, 15)

        school.refresh_from_db()
        assert (school.tier, school.status) == ("STANDARD", "ACTIVE")
        assert school.subscription_id == found.pk
        assert school.subscription_expires_at == day(2, 15)
        assert jobs() == [(TASK, "todo", 0)]

    def test_history_names_who_and_the_order(self) -> None:
        school = trial_school(day(1, 1))
        order = buy(school, day(1, 5))
        last = SubscriptionHistory.objects.order_by("changed_at").last()
        assert last is not None
        assert (last.status, last.changed_by) == ("ACTIVE", "bank")
        assert last.change_reason == f"Order {order.order_id} is paid"
        assert jobs() == [], "the tier is what it was"


class TestOnce:
    def test_told_twice_it_extends_once_and_writes_nothing_more(self) -> None:
        school = trial_school(day(1, 1))
        order = buy(school, day(1, 5), Tier.STANDARD)
        before = subscription(school), written(school), SubscriptionPeriod.objects.count()
        school.refresh_from_db()
        apply_payment(order=order, at=day(1, 6))
        again(school, day(1, 7))
        assert (subscription(school), written(school), SubscriptionPeriod.objects.count()) == before
        assert subscription(school).version == before[0].version
        assert Instance.objects.get(pk=school.pk).version == school.version
        assert len(jobs()) == 1

    def test_what_was_paid_before_periods_were_kept_is_in_the_opening(self) -> None:
        school = paid_school(day(1, 1), day(2, 1))
        old = order_of(school, **OLD)
        old.status, old.paid_at, old.transaction_reference = "PAID", day(1, 1), "FT1"
        old.save()
        buy(school, day(1, 20))
        assert written(school) == [("01/01", "01/02", "BASIC"), ("01/02", "01/03", "BASIC")]

    def test_an_older_order_that_is_paid_only_now_is_for_what_its_amount_buys(self) -> None:
        price = PLANS[Tier.BASIC].monthly_price
        for amount, end in (
            (price, day(3, 1)),
            (3 * price, day(5, 1)),
            (3 * price + 1, day(3, 1)),
            (37 * price, day(3, 1)),
        ):
            school = paid_school(day(1, 1), day(2, 1))
            buy(school, day(1, 20), terms={**OLD, "amount": amount})
            assert subscription(school).current_period_end == end, amount

    def test_the_number_of_queries_stays(self, django_assert_max_num_queries: Any) -> None:
        school = trial_school(day(1, 1))
        for number in range(12):
            buy(school, day(1, 5) + number * DAY)
        order = allocate(order_of(school), day(1, 20))
        with django_assert_max_num_queries(22):
            apply_payment(order=order, at=day(1, 20))
        assert subscription(school).current_period_end == day(2, 15, year=2027)


class TestOrderOfArrival:
    def test_changes_nothing(self) -> None:
        schools = [paid_school(day(1, 1), day(2, 1)) for _ in range(2)]
        times = [(day(1, 20), Tier.BASIC), (day(3, 8), Tier.STANDARD), (day(4, 20), Tier.BASIC)]
        for at, tier in times:
            buy(schools[0], at, tier)
        for at, tier in reversed(times):
            buy(schools[1], at, tier, told=day(4, 20))
        again(schools[0], day(4, 20))
        assert written(schools[0]) == written(schools[1])
        one, other = map(subscription, schools)
        for column in ("status", "tier", "monthly_price", "current_period_end"):
            assert getattr(one, column) == getattr(other, column)
        assert one.current_period_start == other.current_period_start


class TestRefund:
    def test_leaves_what_would_be_without_it_and_keeps_what_was_believed(self) -> None:
        school = trial_school(day(1, 1))
        first, second = buy(school, day(1, 5), Tier.PREMIUM), buy(school, day(1, 6))
        give_back(first)
        found = again(school, day(1, 7))
        assert written(school) == [("01/01", "15/01", "BASIC"), ("15/01", "15/02", "BASIC")]
        assert (found.tier, found.monthly_price, found.status) == ("BASIC", 299_000, "ACTIVE")
        voided = SubscriptionPeriod.objects.filter(order=first)
        assert [(row.voided_by, row.void_reason) for row in voided] == [("lan", "looked again")]
        assert jobs() == [(TASK, "todo", 0)] * 2

        give_back(second)
        found = again(school, day(1, 8))
        # The lifecycle has no way back to a trial, but its end is the trial's.
        assert (found.status, found.current_period_end) == ("ACTIVE", day(1, 15))
        assert (found.trial_end, school.subscription_expires_at) == (day(1, 15), None)
        assert again(school, day(1, 15)).status == "EXPIRED"

    def test_of_a_part_leaves_the_time(self) -> None:
        school = trial_school(day(1, 1))
        order = buy(school, day(1, 5))
        row = order.allocations.get()
        type(row).objects.create(
            transfer=row.transfer, order=order, amount=-1_000, reverses=row, created_by="lan"
        )
        assert again(school, day(1, 7)).current_period_end == day(2, 15)


class TestStates:
    def test_late_money_brings_an_ended_one_back_with_a_gap_that_has_its_reason(self) -> None:
        school = paid_school(day(1, 1), day(2, 1))
        assert again(school, day(2, 1)).status == "PAST_DUE"
        assert again(school, day(2, 8)).status == "EXPIRED"
        buy(school, day(2, 20))
        assert subscription(school).status == "ACTIVE"
        last = SubscriptionPeriod.objects.latest("starts_at")
        assert (last.starts_at, last.gap_reason) == (day(2, 20), "LAPSED")

    def test_silence_of_the_feed_lengthens_grace_but_not_for_ever(self) -> None:
        school = paid_school(day(1, 1), day(2, 1))
        silence(starts_at=day(2, 2), ends_at=day(2, 12))
        assert again(school, day(2, 17)).status == "PAST_DUE"
        buy(school, day(2, 17))
        assert written(school)[-1] == ("01/02", "01/03", "BASIC")
        silence(starts_at=day(3, 2))
        assert again(school, day(3, 21)).status == "PAST_DUE"
        assert again(school, day(3, 22)).status == "EXPIRED"

    def test_who_pays_on_the_day_of_cancelling_by_a_statement_that_says_no_hour_has_too(
        self,
    ) -> None:
        for told, status in ((day(1, 10, 9), "CANCELED"), (day(1, 11), "ACTIVE")):
            school = paid_school(day(1, 1), day(2, 1))
            canceled = {"status": "CANCELED", "canceled_at": day(1, 10, 10)}
            Subscription.objects.filter(instance=school).update(**canceled)
            buy(school, day(1, 10), told=told)
            assert subscription(school).status == status
        school = paid_school(day(1, 1), day(2, 1))
        Subscription.objects.filter(instance=school).update(**canceled)
        buy(school, day(1, 10, 9), told=day(1, 11))
        assert subscription(school).status == "CANCELED"

    @pytest.mark.parametrize("late", [False, True])
    def test_who_pays_after_cancelling_has_changed_their_mind(self, late: bool) -> None:
        school = paid_school(day(1, 1), day(2, 1))
        Subscription.objects.update(status="CANCELED", canceled_at=day(1, 10))
        buy(school, day(2, 3) if late else day(1, 20))
        found = subscription(school)
        assert (found.status, found.canceled_at) == ("ACTIVE", None)
        assert found.current_period_end == day(3, 1)

    def test_who_had_paid_before_cancelling_has_not(self) -> None:
        school = paid_school(day(1, 1), day(2, 1))
        Subscription.objects.update(status="CANCELED", canceled_at=day(1, 10))
        buy(school, day(1, 9), told=day(1, 11))
        found = subscription(school)
        assert (found.status, found.current_period_end) == ("CANCELED", day(3, 1))


class TestTiers:
    def test_the_next_periods_tier_waits_for_it(self) -> None:
        school = paid_school(day(1, 1), day(2, 1))
        Subscription.objects.update(pending_tier="PREMIUM")
        buy(school, day(1, 20), Tier.PREMIUM, {"monthly_price": 1_000_000})
        assert subscription(school).tier == "BASIC"
        found = again(school, day(2, 1))
        assert (found.tier, found.monthly_price) == ("PREMIUM", 1_000_000)
        assert found.pending_tier is None

    def test_an_upgrade_is_there_at_once_and_gives_back_what_it_took(self) -> None:
        school = paid_school(day(1, 1), day(2, 1))
        order = buy(school, day(1, 16), Tier.STANDARD, UPGRADE)
        assert takes_effect(order=order)
        found = subscription(school)
        assert (found.tier, found.current_period_end) == ("STANDARD", day(2, 1))
        assert written(school)[1] == ("16/01", "01/02", "STANDARD")
        give_back(order)
        assert again(school, day(1, 17)).tier == "BASIC"
        assert Instance.objects.get(pk=school.pk).tier == "BASIC"

    def test_an_upgrade_that_comes_when_nothing_is_left_says_so(self) -> None:
        school = paid_school(day(1, 1), day(2, 1))
        order = buy(school, day(2, 2), Tier.STANDARD, UPGRADE)
        assert not takes_effect(order=order)
        assert written(school) == [("01/01", "01/02", "BASIC")]
        wasted = [it for it in findings(connection) if it.what == "a paid upgrade raises nothing"]
        assert [it.rows for it in wasted] == [(order.order_id,)]
        give_back(order)
        assert "raises nothing" not in str(findings(connection))

    def test_what_staff_set_stays_until_a_paid_period_begins(self) -> None:
        school = paid_school(day(1, 1), day(2, 1))
        Subscription.objects.update(tier="PREMIUM", monthly_price=1_299_000)
        buy(school, day(1, 20))
        assert subscription(school).tier == "PREMIUM"
        assert again(school, day(1, 21)).tier == "PREMIUM"
        found = again(school, day(2, 1))
        assert (found.tier, found.monthly_price) == ("BASIC", 299_000)

    def test_an_agreed_price_stays(self) -> None:
        school = paid_school(day(1, 1), day(2, 1))
        Subscription.objects.update(monthly_price=250_000)
        buy(school, day(1, 20))
        assert again(school, day(2, 1)).monthly_price == 250_000


class TestWithoutSubscription:
    def test_an_instance_that_never_had_one_gets_one(self) -> None:
        school = InstanceFactory()
        order = buy(school, day(1, 5), Tier.STANDARD, {"months": 2})
        found = subscription(school)
        assert (found.status, found.tier) == ("ACTIVE", "STANDARD")
        assert (found.current_period_start, found.current_period_end) == (day(1, 5), day(3, 5))
        give_back(order)
        assert again(school, day(1, 6)).status == "EXPIRED"
        assert written(school) == []
        assert paid_through(periods_of(subscription(school))) is None

    def test_there_is_nothing_to_rebuild(self) -> None:
        with pytest.raises(NoSubscription):
            again(InstanceFactory(), day(1, 1))

    def test_an_enrollment_never_extends_anything(self) -> None:
        order = order_of(trial_school(day(1, 1)), type="ENROLLMENT", amount=5)
        with pytest.raises(ValueError, match="no order for a subscription"):
            apply_payment(order=order, at=day(1, 1))


def test_the_database_refuses_what_the_fold_would_never_say() -> None:
    school = trial_school(day(1, 1))
    buy(school, day(1, 5))
    row = SubscriptionPeriod.objects.get(kind="PAID")
    with pytest.raises(IntegrityError, match="overlap"), transaction.atomic():
        SubscriptionPeriod.objects.create(
            subscription=row.subscription,
            kind="CARRIED",
            tier="BASIC",
            starts_at=row.starts_at + DAY,
            ends_at=row.ends_at + DAY,
        )
    SubscriptionPeriod.objects.create(
        subscription=row.subscription,
        kind="CARRIED",
        tier="BASIC",
        starts_at=row.ends_at + DAY,
        ends_at=row.ends_at + 2 * DAY,
    )
    with pytest.raises(IntegrityError, match="without a reason"):
        execute("SET CONSTRAINTS ALL IMMEDIATE")
