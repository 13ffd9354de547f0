"""An upgrade costs the difference for what is left; a downgrade says what it would take."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import settings as few
from hypothesis import strategies as st

from billing.periods import Extension, Upgrade
from billing.proration import STEP, Excess, NothingToUpgrade, exceeded, features_lost, upgrade_quote
from kitehub.enums import Tier
from kitehub.plans import PLANS, UnknownFeature
from tests.billing.timelines import DAY, FACTS, MOMENTS, day, fold, name, pay, trial

PRICES = {"BASIC": 300_000, "STANDARD": 600_000, "PREMIUM": 1_300_000}


def amount(at: datetime, *facts: object, tier: str = "STANDARD") -> int:
    return upgrade_quote(fold(*facts), at=at, tier=tier, prices=PRICES).amount  # type: ignore[arg-type]


def test_a_whole_month_costs_the_whole_difference_however_long_it_is() -> None:
    for start, middle in ((day(2, 1), day(2, 15)), (day(4, 1), day(4, 16))):
        assert amount(start, pay(start)) == 300_000
        assert amount(middle, pay(start)) == 150_000
    assert amount(day(1, 31), pay(day(1, 31), months=3)) == 900_000


def test_all_that_is_paid_ahead_is_raised_from_what_each_month_was_paid_for() -> None:
    ahead = pay(day(1, 1)), pay(day(1, 2), "STANDARD")
    assert amount(day(1, 1), *ahead, tier="PREMIUM") == 1_000_000 + 700_000
    quote = upgrade_quote(fold(*ahead), at=day(1, 1), tier="STANDARD", prices=PRICES)
    assert (quote.amount, quote.unused, quote.until) == (300_000, 31 * DAY, day(2, 1))


def test_it_is_rounded_down_to_a_thousand_and_never_to_nothing() -> None:
    assert amount(day(1, 31), pay(day(1, 1))) == 9_000  # 9,677
    assert amount(day(2, 1) - timedelta(seconds=1), pay(day(1, 1))) == STEP


def test_days_of_a_trial_are_free_and_given_days_are_not() -> None:
    assert amount(day(1, 2), trial(day(1, 1)), pay(day(1, 2))) == 300_000
    given_days = Extension(name("x"), day(1, 2), 7)
    assert amount(day(2, 1), pay(day(1, 1)), given_days) == 67_000  # 7 of 31 days


def test_nothing_left_or_nothing_more_is_no_upgrade() -> None:
    for at, tier in ((day(2, 1), "PREMIUM"), (day(1, 5), "BASIC"), (day(1, 5), "STANDARD")):
        with pytest.raises(NothingToUpgrade):
            amount(at, pay(day(1, 1), "STANDARD"), tier=tier)
    with pytest.raises(NothingToUpgrade):
        amount(day(1, 2), trial(day(1, 1)))


@given(FACTS, MOMENTS, st.sampled_from(["STANDARD", "PREMIUM"]))
@few(max_examples=60)
def test_a_quote_is_positive_falls_with_time_and_is_for_what_the_upgrade_raises(
    facts: list, at: datetime, tier: str
) -> None:
    periods = fold(*facts)
    try:
        now = upgrade_quote(periods, at=at, tier=tier, prices=PRICES)
    except NothingToUpgrade:
        return
    assert now.amount >= STEP
    assert now.amount % STEP == 0
    assert type(now.amount) is int
    try:
        later = upgrade_quote(periods, at=at + DAY, tier=tier, prices=PRICES).amount
    except NothingToUpgrade:
        later = 0
    assert later <= now.amount
    # Nothing is left to raise once it is raised.
    known = [fact for fact in facts if getattr(fact, "at", at) <= at]
    if known == facts:
        with pytest.raises(NothingToUpgrade):
            upgrade_quote(
                fold(*facts, Upgrade(name("up"), at, tier)), at=at, tier=tier, prices=PRICES
            )


def test_limits_that_a_smaller_tier_would_break_are_named() -> None:
    basic = PLANS[Tier.BASIC]
    usage = {"maxStorageBytes": 1, "maxCourses": 11, "maxStudents": 50}
    assert exceeded(usage, basic) == [Excess("maxCourses", 11, 10), Excess("maxStorageBytes", 1, 0)]
    assert exceeded({"maxStudents": None}, basic) == []
    assert exceeded({"maxStudents": 10**9}, PLANS[Tier.PREMIUM]) == []
    with pytest.raises(UnknownFeature):
        exceeded({"maxTeachers": 1}, basic)


def test_features_that_a_smaller_tier_lacks_are_named() -> None:
    assert features_lost(PLANS[Tier.PREMIUM], PLANS[Tier.STANDARD]) == ["premium"]
    assert features_lost(PLANS[Tier.BASIC], PLANS[Tier.PREMIUM]) == []
