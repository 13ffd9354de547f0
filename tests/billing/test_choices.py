"""What owners decide and staff give: cancelling, more, less, days, pauses."""

from datetime import timedelta
from typing import Any

import pytest

from billing.enums import OrderPurpose
from billing.models import (
    PaymentAllocation,
    PaymentOrder,
    Receipt,
    Subscription,
    SubscriptionAdjustment,
    SubscriptionPeriod,
)
from billing.proration import Excess, NothingToUpgrade
from billing.services import credit
from billing.services import subscriptions as services
from billing.services.expiry import expire_overdue
from billing.services.orders import open_order
from billing.services.renewals import open_renewal, open_upgrade
from billing.services.settlement import settle_transfer
from billing.services.subscriptions import CannotPause, NoSubscription, NotLower, SubscriptionEnded
from kitehub.enums import Tier
from kitehub.models import Instance
from tests.billing.paying import buy, paid_school, subscription, trial_school, written
from tests.billing.timelines import day
from tests.factories.billing import BankTransferFactory, SubscriptionFactory
from tests.factories.kitehub import InstanceFactory

pytestmark = pytest.mark.django_db
LAN: dict[str, Any] = {"actor": "lan", "reason": "she asked"}


@pytest.fixture
def school() -> Instance:
    """Paid for January."""
    return paid_school(day(1, 1), day(2, 1), Tier.STANDARD)


def who(school: Instance) -> dict[str, Any]:
    return {"instance_id": school.pk, **LAN}


class TestCancelling:
    def test_is_for_the_end_and_can_be_undone_before_it(self, school: Instance) -> None:
        found = services.cancel_at_period_end(**who(school), at=day(1, 10))
        again = services.cancel_at_period_end(**who(school), at=day(1, 11))
        assert (found.status, again.canceled_at) == ("CANCELED", day(1, 10))
        assert again.current_period_end == day(2, 1)
        back = services.undo_cancel(**who(school), at=day(1, 31))
        assert (back.status, back.canceled_at) == ("ACTIVE", None)
        assert services.undo_cancel(**who(school), at=day(1, 31)).version == back.version

    def test_cannot_be_undone_once_it_is_over(self, school: Instance) -> None:
        services.cancel_at_period_end(**who(school), at=day(1, 10))
        with pytest.raises(SubscriptionEnded):
            services.undo_cancel(**who(school), at=day(2, 1))
        Subscription.objects.update(status="EXPIRED")
        for decide in (services.undo_cancel, services.cancel_at_period_end):
            with pytest.raises(SubscriptionEnded):
                decide(**who(school), at=day(2, 2))

    def test_there_must_be_something(self) -> None:
        with pytest.raises(NoSubscription):
            services.cancel_at_period_end(**who(InstanceFactory()), at=day(1, 1))


class TestLess:
    def test_a_downgrade_is_for_the_next_period_and_says_what_it_takes(
        self, school: Instance
    ) -> None:
        usage = {"maxStudents": 120, "maxCourses": 10, "maxStorageBytes": 7}
        preview = services.downgrade_preview(instance_id=school.pk, tier=Tier.BASIC, usage=usage)
        assert (preview.starts_at, preview.monthly_price) == (day(2, 1), 299_000)
        assert preview.features_lost == ["engagement", "media"]
        assert preview.exceeded == [Excess("maxStudents", 120, 50), Excess("maxStorageBytes", 7, 0)]

        asked = services.request_downgrade(**who(school), tier=Tier.BASIC, at=day(1, 10))
        assert (asked.tier, asked.pending_tier) == ("STANDARD", "BASIC")
        order = open_renewal(instance=school, at=day(1, 25), actor="lan")
        assert (order.tier, order.amount) == ("BASIC", 299_000)
        buy(school, day(1, 26))
        assert subscription(school).tier == "STANDARD"
        assert written(school)[-1] == ("01/02", "01/03", "BASIC")

        kept = services.undo_downgrade(**who(school), at=day(1, 27))
        assert kept.pending_tier is None
        assert services.undo_downgrade(**who(school), at=day(1, 28)).version == kept.version

    def test_ones_own_tier_is_less_than_a_higher_one_that_is_paid_for(
        self, school: Instance
    ) -> None:
        buy(school, day(1, 5), Tier.PREMIUM)
        found = services.request_downgrade(**who(school), tier=Tier.STANDARD, at=day(1, 10))
        assert (found.tier, found.pending_tier) == ("STANDARD", "STANDARD")
        preview = services.downgrade_preview(instance_id=school.pk, tier=Tier.STANDARD, usage={})
        assert preview.features_lost
        began = services.rebuild(**who(school), at=day(2, 1))
        assert (began.tier, began.pending_tier) == ("PREMIUM", "STANDARD")
        with pytest.raises(NotLower):
            services.request_downgrade(**who(school), tier=Tier.PREMIUM, at=day(2, 2))

    def test_what_is_not_less_or_is_over_is_refused(self, school: Instance) -> None:
        for tier in (Tier.STANDARD, Tier.PREMIUM):
            with pytest.raises(NotLower):
                services.request_downgrade(**who(school), tier=tier, at=day(1, 10))
            with pytest.raises(NotLower):
                services.downgrade_preview(instance_id=school.pk, tier=tier, usage={})
        Subscription.objects.update(status="CANCELED")
        with pytest.raises(SubscriptionEnded):
            services.request_downgrade(**who(school), tier=Tier.BASIC, at=day(1, 10))


class TestMore:
    def test_an_upgrade_is_an_order_for_what_is_left_at_the_agreed_price(
        self, school: Instance
    ) -> None:
        Subscription.objects.update(monthly_price=499_000)
        quote = services.upgrade_quote(instance_id=school.pk, tier=Tier.PREMIUM, at=day(1, 1))
        assert (quote.amount, quote.until) == (800_000, day(2, 1))
        order = open_upgrade(instance=school, tier=Tier.PREMIUM, at=day(1, 1), actor="lan")
        assert (order.amount, order.purpose, order.tier) == (800_000, "UPGRADE", "PREMIUM")
        assert (order.monthly_price, order.months) == (1_299_000, None)
        # It can't be paid by its code once there is nothing left that it would raise.
        late = open_upgrade(instance=school, tier=Tier.PREMIUM, at=day(1, 31, 12), actor="lan")
        assert late.expires_at == day(2, 1)

    def test_one_that_is_paid_when_nothing_is_left_is_credit(self, school: Instance) -> None:
        said: dict[str, Any] = {"instance": school, "tier": Tier.PREMIUM, "actor": "lan"}
        for late in (
            lambda: open_upgrade(**said, at=day(1, 31)),
            lambda: open_order(**said, purpose=OrderPurpose.UPGRADE, amount=700_000, at=day(2, 3)),
        ):
            order = late()
            expire_overdue(at=day(2, 2))
            line = BankTransferFactory(
                account_number=order.account_number,
                amount=order.amount + 1,
                memo=order.memo,
                transferred_at=day(2, 3),
            )
            before = credit.balance(instance_id=school.pk)
            assert settle_transfer(transfer_id=line.pk, at=day(2, 3)) == "MATCHED"
            assert credit.balance(instance_id=school.pk) == before + order.amount + 1
            order.refresh_from_db()
            assert (order.paid_amount, order.paid_at) == (0, None)
        assert {it.status for it in PaymentOrder.objects.all()} == {"EXPIRED", "CANCELLED"}
        assert not Receipt.objects.exists()
        assert subscription(school).tier == "STANDARD"
        renewal = open_renewal(instance=school, at=day(2, 3), actor="lan")
        assert renewal.status == "PAID"

    def test_one_that_credit_would_pay_takes_none_when_nothing_is_left(
        self, school: Instance
    ) -> None:
        credit.grant(instance_id=school.pk, amount=9_000, reason="sorry", actor="l", at=day(1, 1))
        order = open_upgrade(instance=school, tier=Tier.PREMIUM, at=day(1, 31), actor="lan")
        line = BankTransferFactory(
            account_number=order.account_number,
            amount=order.amount - 9_000,
            memo=order.memo,
            transferred_at=day(2, 1),
        )
        settle_transfer(transfer_id=line.pk, at=day(2, 1))
        assert credit.balance(instance_id=school.pk) == order.amount
        assert not PaymentAllocation.objects.filter(credit_entry__isnull=False).exists()

    def test_of_nothing_there_is_none(self, school: Instance) -> None:
        with pytest.raises(NothingToUpgrade):
            services.upgrade_quote(instance_id=school.pk, tier=Tier.PREMIUM, at=day(2, 1))
        with pytest.raises(NoSubscription):
            open_upgrade(instance=InstanceFactory(), tier=Tier.PREMIUM, at=day(1, 1), actor="l")
        with pytest.raises(NoSubscription):
            open_renewal(instance=InstanceFactory(), at=day(1, 1), actor="l")
        Subscription.objects.update(status="EXPIRED")
        with pytest.raises(SubscriptionEnded):
            open_upgrade(instance=school, tier=Tier.PREMIUM, at=day(1, 5), actor="lan")

    def test_an_upgrade_is_not_for_years_that_are_bought_after_its_price_is_set(
        self, school: Instance
    ) -> None:
        years = open_order(
            instance=school, tier=Tier.STANDARD, months=36, at=day(1, 20), actor="lan"
        )
        PaymentOrder.objects.update(status="EXPIRED")
        upgrade = open_upgrade(instance=school, tier=Tier.PREMIUM, at=day(1, 31, 23), actor="lan")
        assert upgrade.amount == 1_000
        for order, minutes in ((years, 1), (upgrade, 2)):
            when = day(1, 31, 23) + timedelta(minutes=minutes)
            line = BankTransferFactory(
                account_number=order.account_number,
                amount=order.amount,
                memo=order.memo,
                transferred_at=when,
            )
            settle_transfer(transfer_id=line.pk, at=when)
        tiers = [tier for _starts, _ends, tier in written(school)]
        assert tiers == ["STANDARD", "PREMIUM", "STANDARD"]


class TestDaysByStaff:
    def test_come_behind_what_is_paid_and_later_payments_behind_them(
        self, school: Instance
    ) -> None:
        found = services.extend(**who(school), days=10, at=day(1, 5))
        assert found.current_period_end == day(2, 11)
        buy(school, day(1, 20), Tier.STANDARD)
        assert written(school)[1:] == [
            ("01/02", "11/02", "STANDARD"),
            ("11/02", "11/03", "STANDARD"),
        ]
        row = SubscriptionAdjustment.objects.get()
        assert (row.days, row.reason, row.created_by) == (10, "she asked", "lan")
        school.refresh_from_db()
        assert school.subscription_expires_at == day(3, 11)

    def test_lengthen_a_trial_and_wake_one_that_is_over(self) -> None:
        school = trial_school(day(1, 1))
        found = services.extend(**who(school), days=6, at=day(1, 5))
        assert (found.status, found.trial_end) == ("TRIAL", day(1, 21))
        Subscription.objects.update(status="EXPIRED")
        found = services.extend(**who(school), days=2, at=day(1, 25))
        assert (found.status, found.current_period_end) == ("ACTIVE", day(1, 27))
        assert SubscriptionPeriod.objects.latest("starts_at").gap_reason == "LAPSED"

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [({"days": 0}, "days:"), ({"days": 3661}, "days:"), ({"reason": " "}, "reason:")],
    )
    def test_nonsense_names_its_field(
        self, wrong: dict[str, Any], said: str, school: Instance
    ) -> None:
        with pytest.raises(ValueError, match=said):
            services.extend(**{**who(school), "days": 1, "at": day(1, 5), **wrong})
        assert not SubscriptionAdjustment.objects.exists()


class TestPauses:
    def test_what_is_left_waits_until_it_is_resumed(self, school: Instance) -> None:
        paused = services.pause(**who(school), at=day(1, 11))
        assert (paused.status, paused.current_period_end) == ("ACTIVE", day(1, 11))
        with pytest.raises(CannotPause):
            services.pause(**who(school), at=day(1, 12))
        buy(school, day(1, 20), Tier.STANDARD)
        assert written(school) == [("01/01", "11/01", "STANDARD")]

        resumed = services.unpause(**who(school), at=day(3, 1))
        assert (resumed.status, resumed.current_period_start) == ("ACTIVE", day(3, 1))
        assert written(school)[1:] == [
            ("01/03", "22/03", "STANDARD"),
            ("22/03", "22/04", "STANDARD"),
        ]
        with pytest.raises(CannotPause):
            services.unpause(**who(school), at=day(3, 2))

    def test_a_pause_may_have_its_end_from_the_start(self, school: Instance) -> None:
        found = services.pause(**who(school), at=day(1, 11), until=day(1, 21))
        assert found.current_period_end == day(2, 11)
        with pytest.raises(CannotPause):
            services.pause(**who(school), at=day(1, 15))
        with pytest.raises(CannotPause):
            services.unpause(**who(school), at=day(1, 15))

    def test_of_no_length_never_was(self, school: Instance) -> None:
        services.pause(**who(school), at=day(1, 11))
        found = services.unpause(**who(school), at=day(1, 11))
        assert (found.current_period_end, written(school)) == (
            day(2, 1),
            [("01/01", "01/02", "STANDARD")],
        )

    def test_what_is_over_cannot_be_paused(self, school: Instance) -> None:
        with pytest.raises(SubscriptionEnded):
            services.pause(**who(school), at=day(2, 1))
        with pytest.raises(ValueError, match="until:"):
            services.pause(**who(school), at=day(1, 5), until=day(1, 5))
        with pytest.raises(ValueError, match="reason:"):
            services.pause(instance_id=school.pk, at=day(1, 5), actor="lan", reason="")
        assert not SubscriptionAdjustment.objects.exists()

    def test_a_cancelled_one_stays_cancelled(self) -> None:
        school = InstanceFactory()
        SubscriptionFactory(
            instance=school,
            status="CANCELED",
            canceled_at=day(1, 5),
            current_period_start=day(1, 1),
            current_period_end=day(2, 1),
        )
        services.pause(**who(school), at=day(1, 11))
        assert services.unpause(**who(school), at=day(1, 21)).status == "CANCELED"
