"""A year of a school that pays late, more, less, not at all, and comes back: day by day."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from billing.models import PaymentOrder, Subscription, SubscriptionHistory
from billing.periods import tier_at
from billing.services import subscriptions as services
from billing.services.orders import to_transfer
from billing.services.renewals import open_upgrade, renew_due
from billing.services.settlement import settle_transfer
from billing.services.subscriptions.advance import advance_due
from kitehub.entitlements import entitlements_of
from kitehub.enums import Tier
from kitehub.models import Instance
from tests.billing.paying import subscription, trial_school, written
from tests.billing.timelines import day
from tests.factories.billing import BankTransferFactory
from tests.kitehub.jobs.working import states

pytestmark = pytest.mark.django_db


class Year:
    """A school and a calendar: what happens on which day, and the duties of every morning."""

    def __init__(self, school: Instance) -> None:
        self.school = school
        self.now = day(1, 1)
        # By day: what the school's own program was told.
        self.told: dict[str, tuple[str, bool, bool]] = {}

    def until(self, month: int, number: int) -> None:
        """Lets days pass, up to and with the morning of one."""
        for at in self._mornings(day(month, number)):
            advance_due(at=at)
            renew_due(at=at)
            rights = entitlements_of(self.school, at=at)
            label = f"{at + timedelta(hours=7):%d/%m}"
            said = rights.status.value, rights.features["maxStudents"].access
            self.told[label] = (*said, rights.changes_allowed)

    def _mornings(self, last: datetime) -> Iterator[datetime]:
        # Workers may be away for a week; what people look at is of the last days.
        while self.now < last:
            self.now += timedelta(days=6 if last - self.now > timedelta(days=14) else 1)
            yield self.now

    def pays(self, order: PaymentOrder | None = None) -> None:
        """A bank line that has the order's code; without one, the order that is open."""
        order = order or PaymentOrder.objects.filter(status__in=["PENDING", "EXPIRED"]).latest(
            "created_at"
        )
        line = BankTransferFactory(
            amount=to_transfer(order), memo=order.memo, transferred_at=self.now
        )
        assert settle_transfer(transfer_id=line.pk, at=self.now) == "MATCHED"


@pytest.fixture
def year() -> Year:
    return Year(trial_school(day(1, 1)))


def test_a_year(year: Year) -> None:
    who: dict[str, Any] = {"instance_id": year.school.pk, "actor": "lan"}

    # A trial of two weeks; the order for what comes after it is there a week before.
    year.until(1, 9)
    assert PaymentOrder.objects.get().amount == 299_000
    year.pays()
    assert written(year.school) == [("01/01", "15/01", "BASIC"), ("15/01", "15/02", "BASIC")]
    assert year.told["09/01"] == ("TRIAL", True, True)

    # The next one is paid five days late, within the grace: it goes on from the old end.
    year.until(2, 20)
    told = [year.told[label] for label in ("14/02", "15/02", "18/02", "20/02")]
    assert told == [
        ("ACTIVE", True, True),
        ("PAST_DUE", True, True),
        ("PAST_DUE", True, False),
        ("PAST_DUE", True, False),
    ]
    year.pays()
    assert subscription(year.school).current_period_end == day(3, 15)
    assert subscription(year.school).status == "ACTIVE"

    # An upgrade in the middle, and a lower tier from the next period on.
    year.until(2, 22)
    year.pays(open_upgrade(instance=year.school, tier=Tier.PREMIUM, at=year.now, actor="lan"))
    assert subscription(year.school).tier == "PREMIUM"
    services.request_downgrade(**who, tier=Tier.STANDARD, at=year.now)
    year.until(3, 10)
    year.pays()
    assert subscription(year.school).tier == "PREMIUM"
    year.until(3, 15)
    assert (subscription(year.school).tier, subscription(year.school).pending_tier) == (
        "STANDARD",
        None,
    )

    # Nothing comes: a week later it is over. It comes back in June, from then on.
    year.until(4, 22)
    assert year.told["21/04"][0] == "PAST_DUE"
    assert year.told["22/04"] == ("ENDED", False, False)
    assert subscription(year.school).status == "EXPIRED"
    year.until(6, 3)
    year.pays()
    assert written(year.school)[-1] == ("03/06", "03/07", "STANDARD")
    year.until(6, 4)
    assert year.told["04/06"] == ("ACTIVE", True, True)

    # The summer is a pause; then it is cancelled, and that is undone, and meant after all.
    services.pause(**who, at=day(6, 10), reason="summer")
    year.until(8, 31)
    assert year.told["31/08"] == ("PAUSED", False, False)
    services.unpause(**who, at=day(9, 1), reason="term begins")
    assert subscription(year.school).current_period_end == day(9, 24)
    year.until(9, 5)
    services.cancel_at_period_end(**who, at=year.now)
    services.undo_cancel(**who, at=year.now)
    year.until(9, 20)
    services.cancel_at_period_end(**who, at=year.now)
    year.until(9, 23)
    assert year.told["23/09"] == ("CANCELED", True, True)
    year.until(10, 1)
    assert year.told["24/09"] == ("ENDED", False, False)

    found = subscription(year.school)
    assert (found.status, found.current_period_end) == ("EXPIRED", day(9, 24))
    assert written(year.school) == [
        ("01/01", "15/01", "BASIC"),
        ("15/01", "15/02", "BASIC"),
        ("15/02", "22/02", "BASIC"),
        ("22/02", "15/03", "PREMIUM"),
        ("15/03", "15/04", "STANDARD"),
        ("03/06", "10/06", "STANDARD"),
        ("01/09", "24/09", "STANDARD"),
    ]
    # The school's own database was told of each tier, and the trail has every step.
    assert len(states("kitehub.tasks.apply_tier")) == 2
    trail = SubscriptionHistory.objects.order_by("changed_at").values_list("status", flat=True)
    assert {*trail} == {"TRIAL", "ACTIVE", "PAST_DUE", "CANCELED", "EXPIRED"}

    # One late run from any state says the same as all the daily ones did.
    rebuilt = services.rebuild(**who, at=year.now, reason="looked again")
    assert rebuilt.version == found.version
    assert tier_at(services.periods_of(found), day(3, 1)) == "PREMIUM"
    assert Subscription.objects.count() == 1
