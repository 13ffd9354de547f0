"""Time goes by: what begins has its tier, what is over is past due or has ended."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from billing.models import Subscription, SubscriptionHistory
from billing.services.subscriptions import advance, pause, rebuild
from billing.services.subscriptions.advance import Advance, advance_due
from kitehub.enums import Tier
from kitehub.models import Instance
from tests.billing.paying import buy, paid_school, subscription, trial_school
from tests.billing.timelines import DAY, day
from tests.factories.billing import BankFeedFactory, FeedSilenceFactory, SubscriptionFactory
from tests.kitehub.jobs.working import jobs

pytestmark = pytest.mark.django_db
NOTHING = Advance(0, 0, 0)
TICK = timedelta(microseconds=1)


def status(school: Instance) -> str:
    return subscription(school).status


class TestEnds:
    def test_each_state_ends_at_its_moment(self) -> None:
        tried = trial_school(day(1, 18))
        paid = paid_school(day(1, 1), day(2, 1))
        cancelled = paid_school(day(1, 1), day(2, 1))
        Subscription.objects.filter(instance=cancelled).update(
            status="CANCELED", canceled_at=day(1, 5)
        )
        assert advance_due(at=day(2, 1) - TICK) == NOTHING
        assert advance_due(at=day(2, 1)).moved == 3
        assert [status(it) for it in (tried, paid, cancelled)] == ["EXPIRED", "PAST_DUE", "EXPIRED"]
        last = SubscriptionHistory.objects.order_by("changed_at").last()
        assert last is not None
        assert last.changed_by == "advance_subscriptions"
        assert advance_due(at=day(2, 8) - TICK) == NOTHING
        assert advance_due(at=day(2, 8)).moved == 1
        assert status(paid) == "EXPIRED"

    def test_a_late_run_ends_where_the_daily_ones_would_have(self) -> None:
        schools = [paid_school(day(1, 1), day(1, 20) + n * DAY) for n in range(12)]
        for late in range(21):
            advance_due(at=day(1, 20) + late * DAY)
        daily = {pk: row.status for pk, row in Subscription.objects.in_bulk().items()}
        Subscription.objects.filter(status="EXPIRED").update(status="ACTIVE")
        Subscription.objects.filter(status="PAST_DUE").update(status="ACTIVE")
        advance_due(at=day(1, 20) + 20 * DAY, batch=5)
        assert daily == {pk: row.status for pk, row in Subscription.objects.in_bulk().items()}
        assert len(schools) == len(daily)

    def test_grace_waits_while_the_feed_is_silent_and_the_ladder_is_the_settings(
        self, settings: Any
    ) -> None:
        school = paid_school(day(1, 1), day(2, 1))
        feed = BankFeedFactory(account_number=settings.KITEHUB_BANK_ACCOUNT)
        FeedSilenceFactory(feed=feed, starts_at=day(1, 30), ends_at=day(2, 3))
        for at, expected in ((day(2, 9), "PAST_DUE"), (day(2, 10), "EXPIRED")):
            advance_due(at=at)
            assert status(school) == expected
        settings.KITEHUB_GRACE = (0, 0, 0)
        strict = paid_school(day(2, 1), day(3, 1))
        advance_due(at=day(3, 1))
        assert status(strict) == "EXPIRED"

    def test_what_is_paused_stays(self) -> None:
        school = paid_school(day(1, 1), day(2, 1))
        pause(instance_id=school.pk, at=day(1, 5), actor="lan", reason="holidays")
        assert advance_due(at=day(6, 1)).moved == 0
        assert status(school) == "ACTIVE"

    def test_deleted_ones_are_left_alone(self) -> None:
        SubscriptionFactory(deleted=True, current_period_end=day(1, 1))
        assert advance_due(at=day(6, 1)) == NOTHING


class TestBeginnings:
    def test_the_next_period_is_the_current_one_and_has_its_tier(self) -> None:
        same, other = (paid_school(day(1, 1), day(2, 1)) for _ in range(2))
        buy(same, day(1, 20))
        buy(other, day(1, 20), Tier.PREMIUM)
        assert advance_due(at=day(2, 1) - TICK) == NOTHING
        assert advance_due(at=day(2, 1)) == Advance(begun=2, retiered=1, moved=0)
        assert [subscription(it).current_period_start for it in (same, other)] == [day(2, 1)] * 2
        assert (subscription(other).tier, Instance.objects.get(pk=other.pk).tier) == (
            "PREMIUM",
            "PREMIUM",
        )
        assert jobs() == [("kitehub.tasks.apply_tier", "todo", 0)]
        assert advance_due(at=day(2, 1)) == NOTHING

    @pytest.mark.parametrize("off", ["hashjoin", "nestloop", "mergejoin"])
    def test_of_two_that_began_since_the_last_run_the_later_is_the_current_one(
        self, off: str
    ) -> None:
        with connection.cursor() as cursor:
            # Of several rows that say it of one, an UPDATE takes any.
            cursor.execute(f"SET LOCAL enable_{off} = off")
        schools = [paid_school(day(1, 1), day(2, 1)) for _ in range(3)]
        for school in schools:
            buy(school, day(1, 20))
            buy(school, day(1, 21))
        assert advance_due(at=day(3, 2)) == Advance(begun=3, retiered=0, moved=0)
        assert {subscription(it).current_period_start for it in schools} == {day(3, 1)}
        assert advance_due(at=day(3, 2)) == NOTHING

    def test_in_batches_however_many_begin_at_once(self) -> None:
        for number in range(5):
            school = paid_school(day(1, 1), day(2, 1))
            buy(school, day(1, 20), Tier.BASIC if number % 2 else Tier.STANDARD)
        assert advance_due(at=day(2, 3), batch=2) == Advance(begun=5, retiered=3, moved=0)

    def test_one_that_fails_keeps_no_other_from_its_tier(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        schools = [paid_school(day(1, 1), day(2, 1)) for _ in range(3)]
        for school in schools:
            buy(school, day(1, 20), Tier.STANDARD)
        lost = schools[0].pk

        def fail(*, instance_id: UUID, **said: Any) -> Subscription:
            if instance_id == lost:
                raise ZeroDivisionError
            return rebuild(instance_id=instance_id, **said)

        monkeypatch.setattr(advance, "rebuild", fail)
        with pytest.raises(CommandError, match=f"1 can't begin .*{lost}"):
            call_command("advance_subscriptions", "--at", "2026-02-01T00:00", "--batch", "1")
        assert sorted(subscription(it).tier for it in schools) == ["BASIC", "STANDARD", "STANDARD"]
        assert str(lost) in caplog.text

    def test_a_late_run_sees_the_period_that_runs_now(self) -> None:
        school = paid_school(day(1, 1), day(2, 1))
        buy(school, day(1, 20), Tier.STANDARD)
        buy(school, day(1, 21), Tier.PREMIUM)
        assert advance_due(at=day(3, 4)).retiered == 1
        found = subscription(school)
        assert (found.tier, found.current_period_start) == ("PREMIUM", day(3, 1))


class TestCommand:
    def test_it_goes_by_the_moment_it_is_given_and_says_what_it_did(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        school = paid_school(day(1, 1), day(2, 1))
        buy(school, day(1, 20), Tier.PREMIUM)
        paid_school(day(1, 1), day(2, 1))
        call_command("advance_subscriptions", "--at", "2026-02-01T00:00", "--batch", "1")
        assert capsys.readouterr().out == (
            "Periods begun: 1, of them with another tier: 1. States changed: 1.\n"
        )

    def test_nonsense_is_a_line(self) -> None:
        for arguments in (("--at", "soon"), ("--batch", "0")):
            with pytest.raises(CommandError, match="is no"):
                call_command("advance_subscriptions", *arguments)
        with pytest.raises(ValueError, match="at least one"):
            advance_due(at=datetime.now(tz=day(1, 1).tzinfo), batch=0)
