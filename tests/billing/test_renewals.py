"""The order for the next period is there in time, once, and so are the reminders."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction

from billing import tasks
from billing.enums import OrderPurpose
from billing.models import PaymentOrder, Subscription
from billing.services import letters, renewals
from billing.services.credit import add
from billing.services.orders import cancel_order, open_order
from billing.services.reminders import remind_due
from billing.services.renewals import RENEWAL_ACTOR, Renewals, open_renewal, renew_due
from billing.services.subscriptions import extend, pause, request_downgrade
from billing.services.subscriptions.advance import advance_due
from kitehub.db import locks
from kitehub.enums import Tier
from kitehub.models import Email, Instance, User
from tests.billing.paying import buy, paid_school, subscription, trial_school
from tests.billing.timelines import DAY, day

pytestmark = pytest.mark.django_db


def mails() -> dict[str, Any]:
    """What was asked for, by reason."""
    return dict(Email.objects.values_list("reason", "context"))


def pending(school: Instance) -> list[PaymentOrder]:
    return list(PaymentOrder.objects.filter(instance=school, status="PENDING"))


class TestRenewals:
    def test_a_week_before_the_end_there_is_an_order_that_lasts_as_long_as_the_grace(self) -> None:
        school = paid_school(day(1, 1), day(2, 1), Tier.STANDARD)
        Subscription.objects.update(billing_months=3, monthly_price=500_000)
        assert renew_due(at=day(1, 24, 23)) == Renewals(0)
        assert renew_due(at=day(1, 25)) == Renewals(opened=1)
        (order,) = pending(school)
        assert (order.tier, order.months, order.amount) == ("STANDARD", 3, 1_500_000)
        assert (order.expires_at, order.created_by) == (day(2, 8), RENEWAL_ACTOR)
        (mail,) = mails().values()
        assert (mail["order_id"], mail["amount"]) == (order.order_id, 1_500_000)
        assert mail["ends_at"] == day(2, 1).isoformat()
        assert renew_due(at=day(1, 26)) == Renewals(0)

    def test_late_or_daily_it_is_the_same_order(self) -> None:
        schools = [paid_school(day(1, 1), day(2, 1) + n * DAY) for n in range(3)]
        assert renew_due(at=day(2, 3), batch=1) == Renewals(opened=3)
        assert [len(pending(it)) for it in schools] == [1, 1, 1]

    def test_trials_are_asked_too_and_what_is_over_is_not(self) -> None:
        tried, over = trial_school(day(1, 18)), paid_school(day(1, 1), day(1, 20))
        ended, cancelled = trial_school(day(1, 1)), paid_school(day(1, 1), day(2, 1))
        Subscription.objects.filter(instance=cancelled).update(status="CANCELED")
        paused = paid_school(day(1, 1), day(2, 1))
        pause(instance_id=paused.pk, at=day(1, 5), actor="lan", reason="holidays")
        assert renew_due(at=day(1, 27)).opened == 1
        assert len(pending(tried)) == 1
        for school in (over, ended, cancelled, paused):
            assert pending(school) == []

    def test_an_order_that_the_owner_opened_is_left_alone(self) -> None:
        school = paid_school(day(1, 1), day(2, 1))
        own = open_order(instance=school, tier=Tier.PREMIUM, actor="lan", at=day(1, 24))
        assert renew_due(at=day(1, 25)).opened == 0
        PaymentOrder.objects.update(status="EXPIRED")
        assert renew_due(at=day(1, 26)).opened == 1
        assert PaymentOrder.objects.get(pk=own.pk).status == "EXPIRED"

    def test_who_cancelled_it_is_not_asked_again_for_this_period(self) -> None:
        school = paid_school(day(1, 1), day(2, 1))
        renew_due(at=day(1, 25))
        (order,) = pending(school)
        cancel_order(order_id=order.pk, actor="lan", reason="no", at=day(1, 25, 12))
        assert renew_due(at=day(1, 26)).opened == 0
        buy(school, day(1, 27))
        assert renew_due(at=day(2, 25)).opened == 1

    def test_another_tier_for_the_next_period_is_another_order(self) -> None:
        school = paid_school(day(1, 1), day(2, 1), Tier.STANDARD)
        renew_due(at=day(1, 25))
        (first,) = pending(school)
        said = {"instance_id": school.pk, "actor": "lan", "at": day(1, 26)}
        request_downgrade(**said, tier=Tier.BASIC)
        assert renew_due(at=day(1, 26)).opened == 1
        (second,) = pending(school)
        assert (second.tier, second.amount) == ("BASIC", 299_000)
        assert PaymentOrder.objects.get(pk=first.pk).superseded_by_id == second.pk
        assert renew_due(at=day(1, 26)).opened == 0

    def test_credit_that_pays_all_of_it_renews_by_itself(self) -> None:
        school = paid_school(day(1, 1), day(2, 1))
        with transaction.atomic():
            add(
                instance_id=school.pk,
                amount=299_000,
                kind="GRANTED",  # type: ignore[arg-type]
                actor="lan",
                reason="a gift",
                at=day(1, 2),
            )
        assert renew_due(at=day(1, 25)).opened == 1
        assert subscription(school).current_period_end == day(3, 1)
        assert mails() == {}

    def test_a_school_without_an_owner_keeps_no_other_from_its_order(self) -> None:
        lost, school = paid_school(day(1, 1), day(1, 31)), paid_school(day(1, 1), day(2, 1))
        User.objects.filter(pk=lost.owner_id).delete()
        assert renew_due(at=day(1, 27)) == Renewals(opened=1, failed=(lost.pk,))
        assert len(pending(school)) == 1
        with pytest.raises(CommandError, match=f"1 can't be renewed.*{lost.pk}"):
            call_command("renew_subscriptions", "--at", "2026-01-27")

    def test_a_fault_with_one_school_keeps_no_other_from_its_order(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        odd, school = paid_school(day(1, 1), day(1, 31)), paid_school(day(1, 1), day(2, 1))

        def opened(*, instance: Instance, **said: Any) -> PaymentOrder:
            if instance == odd:
                raise RuntimeError("a fault of ours")
            return open_renewal(instance=instance, **said)

        monkeypatch.setattr(renewals, "open_renewal", opened)
        assert renew_due(at=day(1, 27)) == Renewals(opened=1, failed=(odd.pk,))
        assert len(pending(school)) == 1
        assert "a fault of ours" in caplog.text

    def test_of_two_runs_at_once_one_has_nothing_to_do(self) -> None:
        paid_school(day(1, 1), day(2, 1))
        other = connections.create_connection("default")
        try:
            with locks.held(other, RENEWAL_ACTOR):
                assert renew_due(at=day(1, 27)) == Renewals(0)
        finally:
            other.close()
        assert renew_due(at=day(1, 27)).opened == 1

    def test_without_an_account_nothing_is_renewed_and_the_command_says_so(
        self, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.KITEHUB_BANK_ACCOUNT = ""
        with pytest.raises(CommandError, match="KITEHUB_BANK_ACCOUNT"):
            call_command("renew_subscriptions")
        tasks.renew_subscriptions(timestamp=0)
        assert "Nothing is renewed" in caplog.text


@pytest.mark.parametrize("gone", [{"status": "CLOSED"}, {"deleted": True}])
def test_nobody_is_asked_to_pay_for_a_school_that_is_gone(gone: dict[str, Any]) -> None:
    school = paid_school(day(1, 1), day(2, 1))
    Instance.objects.filter(pk=school.pk).update(**gone)
    assert renew_due(at=day(1, 29)) == Renewals(0)
    assert remind_due(at=day(1, 29)).asked == 0
    assert (pending(school), mails()) == ([], {})


class TestReminders:
    def test_each_is_asked_for_once_and_has_the_open_order(self) -> None:
        school = paid_school(day(1, 1), day(2, 1, 15))
        renew_due(at=day(1, 25, 16))
        Email.objects.all().delete()
        seen = []
        for hours in range(8, 12 * 24, 12):
            at = day(1, 24) + timedelta(hours=hours)
            advance_due(at=at)
            seen.append((at, remind_due(at=at).asked))
        sent = [(at, count) for at, count in seen if count]
        assert sent == [
            (day(month, number, 8), 1)
            for month, number in ((1, 25), (1, 29), (1, 31), (2, 1), (2, 4))
        ]
        assert sorted(mail["days"] for mail in mails().values()) == [-7, -3, -1, 0, 3]
        (order,) = pending(school)
        assert [mail.get("order_id") for mail in mails().values()] == [order.order_id] * 5

    def test_a_late_run_asks_each_owner_once_and_daily_runs_go_on_from_there(self) -> None:
        for number in range(5):
            paid_school(day(1, 1), day(1, 29) + number * DAY)
        advance_due(at=day(1, 28, 8))
        assert remind_due(at=day(1, 28, 8), batch=2).asked == 5
        found = mails()
        assert sorted(mail["days"] for mail in found.values()) == [-7, -7, -3, -3, -1]
        assert remind_due(at=day(1, 28, 20)).asked == 0
        assert remind_due(at=day(1, 29, 8)).asked == 3
        found = {reason: mail for reason, mail in mails().items() if reason not in found}
        assert sorted(mail["days"] for mail in found.values()) == [-3, -1, 0]

    def test_nobody_is_reminded_of_what_is_paid_given_cancelled_or_paused(self) -> None:
        paid, had_days, cancelled, paused = (paid_school(day(1, 1), day(2, 1)) for _ in range(4))
        buy(paid, day(1, 20))
        staff = {"actor": "lan", "reason": "asked"}
        # Five days on the last one: what would have been due a week before that end has gone by.
        extend(instance_id=had_days.pk, days=5, at=day(1, 31, 12), **staff)
        Subscription.objects.filter(instance=cancelled).update(
            status="CANCELED", canceled_at=day(1, 5)
        )
        pause(instance_id=paused.pk, at=day(1, 24), **staff)
        assert remind_due(at=day(1, 31, 13)).asked == 0
        assert remind_due(at=day(2, 3, 8)).asked == 1
        assert mails().keys() == {f"{subscription(had_days).pk}:renewal-3:{day(2, 6).isoformat()}"}

    def test_an_upgrade_that_waits_is_not_what_a_reminder_asks_for(self) -> None:
        school = paid_school(day(1, 1), day(2, 1))
        upgrade = {"purpose": OrderPurpose.UPGRADE, "amount": 90_000}
        open_order(instance=school, tier=Tier.PREMIUM, actor="lan", at=day(1, 28, 20), **upgrade)
        assert remind_due(at=day(1, 29, 8)).asked == 1
        assert all("order_id" not in mail for mail in mails().values())

    def test_an_order_whose_time_is_up_is_not_either(self) -> None:
        school = paid_school(day(1, 1), day(2, 1))
        open_order(instance=school, tier=Tier.BASIC, actor="lan", at=day(1, 28, 7))
        assert remind_due(at=day(1, 29, 8)).asked == 1
        assert all("order_id" not in mail for mail in mails().values())

    def test_a_mail_that_cannot_be_asked_for_keeps_no_other_back(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bad, good = paid_school(day(1, 1), day(2, 1)), paid_school(day(1, 1), day(2, 2))
        ask = letters.emails.queue

        def queue(**said: Any) -> bool:
            if said["instance"] == bad:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1 / 0")
            return ask(**said)

        monkeypatch.setattr(letters.emails, "queue", queue)
        with pytest.raises(CommandError, match="1 can't be asked for"):
            call_command("send_reminders", "--at", "2026-01-26T08:00")
        assert [reason.partition(":")[0] for reason in mails()] == [str(subscription(good).pk)]

    def test_the_command_says_how_many(self, capsys: pytest.CaptureFixture[str]) -> None:
        paid_school(day(1, 1), day(2, 1))
        call_command("send_reminders", "--at", "2026-01-29T08:00")
        call_command("renew_subscriptions", "--at", "2026-01-29T08:00")
        assert capsys.readouterr().out == "Reminders: 1.\nOrders opened: 1.\n"
