"""Subscriptions: each school's from its first day to now, and the orders that paid for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from billing.enums import SubscriptionStatus
from billing.models import PaymentOrder, Subscription
from kitehub.demo import orders
from kitehub.demo.chance import random_id, stream
from kitehub.demo.moments import at_hour, by_day, months_after
from kitehub.demo.people import AUTOMATIC, owners, staff_email
from kitehub.demo.schools import SAMPLE, SCHOOLS, School, Story
from kitehub.enums import InstanceStatus, Tier
from kitehub.models import User
from kitehub.plans import PLANS

# Plan, V6: trial_end is 14 days from trial_started_at.
TRIAL = timedelta(days=14)
# How long an instance stays open without money (the settings' own), and closed before it is
# cleared away.
GRACE = timedelta(days=7)
KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Step:
    """One UPDATE of a subscription, for the trigger to log."""

    moment: datetime
    changes: dict[str, Any]


class Life:
    """What happened between a school and KiteHub.

    `subscription` is the row as it was first inserted, `steps` what changed it since, `state` what
    came of both. `closed_at` is when the instance stopped being open to guests, if it did.
    """

    def __init__(
        self,
        school: School,
        owner: User,
        *,
        born: datetime,
        at: datetime,
        variant: int,
        rng: Random,
    ) -> None:
        self.school, self.owner, self.born, self.at = school, owner, born, at
        self._variant, self._rng = variant, rng
        self.orders: list[PaymentOrder] = []
        self.steps: list[Step] = []
        self.status = InstanceStatus.TRIAL
        self.closed_at: datetime | None = None
        self.paid_months = 0
        self.trial_end = None if school.story is Story.BRANCH else born + TRIAL
        self._anchor = self.trial_end or born
        self.state: dict[str, Any] = {
            **_terms(school.tiers[0]),
            "status": SubscriptionStatus.TRIAL,
            "current_period_start": born,
            "current_period_end": self._anchor,
        }
        self._id = random_id(rng)
        self.subscription = self._inserted(born, owner.email)
        self._live()

    @property
    def end(self) -> datetime:
        """When the time that is paid for ends, or the trial where nothing is."""
        return months_after(self._anchor, self.paid_months)

    @property
    def last_change(self) -> datetime:
        """When the subscription last changed."""
        return self.steps[-1].moment if self.steps else self.subscription.created_at

    def _inserted(self, moment: datetime, by: str) -> Subscription:
        return Subscription(
            id=self._id,
            instance_id=self.school.id,
            trial_end=self.trial_end,
            created_at=moment,
            updated_at=moment,
            created_by=by,
            updated_by=by,
            **self.state,
        )

    def _live(self) -> None:
        match self.school.story:
            case Story.TRIAL:
                self._consider()
            case Story.TRIAL_ENDED:
                self._let_the_trial_end()
            case Story.PAYING | Story.BRANCH:
                self._start_paying()
                while self.end <= self.at:
                    self._renew()
                self._remind()
            case story:
                self._start_paying()
                while self.paid_months < len(self.school.tiers):
                    self._renew()
                if story is Story.CANCELED:
                    self._cancel()
                else:
                    self._fall_behind(lapses=story is Story.LAPSED)

    # --- The stories' parts -------------------------------------------------------------------

    def _consider(self) -> None:
        """Late in the trial an order is opened: it waits, or is overdue and not swept up yet."""
        if self.school.days > 7:
            self._open(self.at - timedelta(hours=(2, 30)[self._variant % 2]), self.owner.email)

    def _let_the_trial_end(self) -> None:
        assert self.trial_end is not None  # noqa: S101  (branches alone have none)
        if self._variant % 2:
            self._give_up(self._open(self.trial_end - timedelta(hours=28), self.owner.email))
        self._change(self.trial_end, AUTOMATIC, status=SubscriptionStatus.EXPIRED)
        gone = self.at - self.trial_end > KEPT
        self._close(self.trial_end, InstanceStatus.CLOSED if gone else InstanceStatus.SUSPENDED)
        if self.school.deleted:
            cleared = at_hour(self.trial_end + 2 * KEPT, 10, 20)
            self._change(cleared, staff_email(self._rng), deleted=True, deleted_at=cleared)

    def _start_paying(self) -> None:
        opened = self.born + timedelta(minutes=15)
        if self.trial_end is not None:
            days = timedelta(days=1)
            opened = by_day(self.born + 4 * days, self.trial_end - days, self._rng)
        if self._variant % 4 == 1:
            before = opened - timedelta(minutes=11)
            changed_mind = self._open(before, self.owner.email, tier=self._other_tier())
        by_phone = self._variant % 6 == 2
        order = self._open(opened, staff_email(self._rng) if by_phone else self.owner.email)
        if self._variant % 4 == 1:
            orders.supersede(changed_mind, order)
        self._pay(order, within=timedelta(hours=20))
        self.status = InstanceStatus.ACTIVE

    def _renew(self) -> None:
        """Pays the next month: at once, with the second order, after it expired, or too late."""
        end, manner = self.end, (self._variant + self.paid_months) % 7
        if manner == 0:
            self._give_up(self._open_renewal(days_before=3))
            again = at_hour(end, 19, self._rng.randrange(60), days_before=2)
            self._pay(self._open(again, self.owner.email), within=timedelta(hours=4))
        elif manner == 3 and end + timedelta(days=6) <= self.at:
            self._give_up(self._open_renewal(days_before=2))
            self._change(end, AUTOMATIC, status=SubscriptionStatus.PAST_DUE)
            again = by_day(end + timedelta(hours=10), end + timedelta(days=3), self._rng)
            self._pay(self._open(again, self.owner.email), within=timedelta(hours=20))
        else:
            order = self._open_renewal(days_before=3 if manner == 5 else self._rng.choice((2, 3)))
            self._pay(order, within=timedelta(hours=20), late=manner == 5)

    def _remind(self) -> None:
        """The order for the month to come, once its time has come."""
        if self.school == SAMPLE:
            # Whoever tries the portal out finds something to pay there, whatever the day.
            self._open(self.at - timedelta(minutes=40), self.owner.email)
        elif at_hour(self.end, 9, 0, days_before=3) <= self.at:
            self._give_up(self._open_renewal(days_before=3))

    def _fall_behind(self, *, lapses: bool) -> None:
        end = self.end
        self._give_up(self._open_renewal(days_before=2))
        self._change(end, AUTOMATIC, status=SubscriptionStatus.PAST_DUE)
        if lapses:
            self._change(end + GRACE, AUTOMATIC, status=SubscriptionStatus.EXPIRED)
            self._close(end + GRACE, InstanceStatus.SUSPENDED)
        else:
            opened = self.at - timedelta(hours=(3, 27)[self._variant % 2])
            before = opened - timedelta(minutes=11)
            first = self._open(before, self.owner.email, tier=self._other_tier())
            orders.supersede(first, self._open(opened, self.owner.email))

    def _cancel(self) -> None:
        start = max(months_after(self._anchor, self.paid_months - 1), self.last_change)
        moment = by_day(start + timedelta(days=1), start + timedelta(days=4), self._rng)
        self._change(
            moment, self.owner.email, status=SubscriptionStatus.CANCELED, canceled_at=moment
        )
        if self.end <= self.at:
            self._change(self.end, AUTOMATIC, status=SubscriptionStatus.EXPIRED)
            self._close(self.end, InstanceStatus.CLOSED)

    # --- What they are made of ----------------------------------------------------------------

    def _tier(self) -> Tier:
        """The tier of the next month."""
        return self.school.tiers[min(self.paid_months, len(self.school.tiers) - 1)]

    def _other_tier(self) -> Tier:
        return Tier.BASIC if self._tier() is not Tier.BASIC else Tier.STANDARD

    def _open(self, opened: datetime, by: str, *, tier: Tier | None = None) -> PaymentOrder:
        order = orders.subscription_order(
            self.school,
            self.owner,
            tier=tier or self._tier(),
            opened=opened,
            by=by,
            rng=self._rng,
        )
        self.orders.append(order)
        return order

    def _open_renewal(self, *, days_before: int) -> PaymentOrder:
        opened = at_hour(self.end, 8, self._rng.randrange(60), days_before=days_before)
        return self._open(opened, AUTOMATIC)

    def _give_up(self, order: PaymentOrder) -> None:
        orders.leave(order, at=self.at, rng=self._rng)

    def _pay(self, order: PaymentOrder, *, within: timedelta, late: bool = False) -> None:
        """The order's money buys the month after those that are paid."""
        by = staff_email(self._rng) if self._rng.random() < 0.15 else AUTOMATIC
        paid_at = orders.soon(order, within=within, rng=self._rng)
        if late:
            paid_at = orders.late(order, self._rng)
        orders.settle(order, paid_at=paid_at, rng=self._rng, by=by)
        tier = self._tier()
        first = self.trial_end is None and self.paid_months == 0
        if first:
            self._anchor = paid_at
        start = self.end
        self.paid_months += 1
        paid = {"status": SubscriptionStatus.ACTIVE, "current_period_end": self.end}
        begun = {**_terms(tier), "current_period_start": start}
        if first:
            self.state |= paid | begun
            self.subscription = self._inserted(order.updated_at, by)
        elif start <= order.updated_at:
            self._change(order.updated_at, by, **paid, **begun)
        else:
            self._change(order.updated_at, by, **paid)
            self._change(start, AUTOMATIC, **begun)

    def _change(self, moment: datetime, by: str, **changes: Any) -> None:
        self.steps.append(Step(moment, {**changes, "updated_by": by}))
        self.state |= changes

    def _close(self, moment: datetime, status: InstanceStatus) -> None:
        self.status, self.closed_at = status, moment


def lives(*, at: datetime, seed: int) -> list[Life]:
    """Every school's life up to now; each from a stream of its own."""
    clock = stream(seed, "births")
    born = [
        at_hour(at, clock.randint(9, 19), clock.randrange(60), days_before=school.days)
        for school in SCHOOLS
    ]
    found = owners(SCHOOLS, born, stream(seed, "owners"))
    return [
        Life(
            school,
            found[school.brand],
            born=moment,
            at=at,
            variant=index,
            rng=stream(seed, f"life/{school.subdomain}"),
        )
        for index, (school, moment) in enumerate(zip(SCHOOLS, born, strict=True))
    ]


def _terms(tier: Tier) -> dict[str, Any]:
    return {"tier": tier, "monthly_price": PLANS[tier].monthly_price}
