"""Whatever is bought, given, paused and paid back, in whatever order it is told of."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as few
from hypothesis import strategies as st

from billing.models import Subscription, SubscriptionAdjustment, SubscriptionPeriod
from billing.periods import paid_through
from billing.services.subscriptions import apply_payment, periods_of, rebuild
from billing.services.subscriptions.advance import advance_due
from kitehub.enums import Tier
from kitehub.models import Instance
from tests.billing.paying import allocate, give_back, order_of, subscription, trial_school
from tests.billing.timelines import DAY, day

pytestmark = pytest.mark.django_db

HOURS = st.integers(0, 200 * 24).map(lambda count: day(1, 1) + timedelta(hours=count))
BOUGHT = st.tuples(
    HOURS,
    st.sampled_from(list(Tier)),
    st.integers(1, 3),
    st.booleans(),  # an upgrade
    st.booleans(),  # paid back in the end
)
LATER = day(12, 1)


def tell(school: Instance, deeds: list[tuple[str, Any]], chance: Random) -> None:
    """Does everything in an order of chance; what is paid back is paid before."""
    deeds = deeds.copy()
    chance.shuffle(deeds)
    orders = []
    for what, said in deeds:
        if what == "pay":
            at, tier, months, upgrade, back = said
            terms = {"purpose": "UPGRADE", "months": None} if upgrade else {"months": months}
            order = allocate(order_of(school, tier, **terms), at)
            apply_payment(order=order, at=LATER)
            orders.append((order, back))
        else:
            SubscriptionAdjustment.objects.create(
                subscription=subscription(school), reason="x", created_by="lan", **said
            )
        if chance.random() < 0.3:
            rebuild(instance_id=school.pk, at=LATER, actor="lan", reason="looked")
    chance.shuffle(orders)
    for order, back in orders:
        if back:
            give_back(order)
            rebuild(instance_id=school.pk, at=LATER, actor="lan", reason="paid back")


def result(school: Instance) -> dict[str, Any]:
    found = subscription(school)
    rows = SubscriptionPeriod.objects.filter(subscription=found, voided_at=None)
    school.refresh_from_db()
    return {
        "periods": list(
            rows.order_by("starts_at").values_list(
                "kind", "tier", "starts_at", "ends_at", "gap_reason"
            )
        ),
        "ends": (found.current_period_start, found.current_period_end, found.trial_end),
        "is": (found.status, found.tier, found.monthly_price),
        "instance": (school.tier, school.subscription_expires_at),
    }


@given(
    bought=st.lists(BOUGHT, max_size=4, unique_by=lambda it: it[0]),
    days=st.lists(st.tuples(HOURS, st.integers(1, 40)), max_size=2, unique_by=lambda it: it[0]),
    pause=st.none() | st.tuples(HOURS, st.integers(1, 60)),
    chance=st.randoms(use_true_random=False),
)
@few(
    max_examples=8,
    deadline=None,
    # Each try writes dozens of rows: what fails is told as it was found.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_order_of_telling_changes_nothing(
    bought: list[Any], days: list[Any], pause: Any, chance: Random
) -> None:
    deeds: list[tuple[str, Any]] = [("pay", said) for said in bought]
    deeds += [("give", {"kind": "EXTENSION", "starts_at": at, "days": n}) for at, n in days]
    if pause:
        at, n = pause
        deeds.append(("give", {"kind": "PAUSE", "starts_at": at, "ends_at": at + n * DAY}))
    schools = [trial_school(day(1, 1)) for _ in range(2)]
    results = []
    for school in schools:
        tell(school, deeds, chance)
        rebuild(instance_id=school.pk, at=LATER, actor="lan", reason="in the end")
        results.append(result(school))
    # With what is told in the end, and never of what is paid back at all.
    kept = trial_school(day(1, 1))
    tell(kept, [it for it in deeds if not (it[0] == "pay" and it[1][4])], chance)
    rebuild(instance_id=kept.pk, at=LATER, actor="lan", reason="in the end")
    assert results[0] == results[1]
    assert results[0]["periods"] == result(kept)["periods"]
    assert results[0]["ends"][1:] == result(kept)["ends"][1:]

    found = subscription(schools[0])
    folded = periods_of(found)
    assert results[0]["ends"][1] == paid_through(folded)
    assert len(folded) == len(results[0]["periods"])
    # Twice is once, and the duty has nothing to add.
    again = rebuild(instance_id=schools[0].pk, at=LATER, actor="lan", reason="again")
    assert again.version == found.version
    moments: list[datetime] = [row[2] for row in results[0]["periods"]]
    assert moments == sorted(moments)
    advance_due(at=LATER)
    assert Subscription.objects.get(pk=found.pk).version == found.version
