"""Periods follow from the facts alone, whatever order they came in."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import settings as few
from hypothesis import strategies as st

from billing.dunning import Silence
from billing.months import add_months
from billing.periods import (
    Extension,
    Fact,
    Kind,
    Opening,
    Pause,
    Payment,
    Upgrade,
    paid_through,
    period_at,
    tier_at,
    timeline,
)
from tests.billing.timelines import (
    DAY,
    FACTS,
    GRACE,
    IDS,
    MOMENTS,
    PAYMENTS,
    carried,
    day,
    fold,
    name,
    pay,
    spans,
    trial,
)


class TestTrial:
    def test_who_pays_during_the_trial_keeps_its_days(self) -> None:
        found = fold(trial(day(1, 1)), pay(day(1, 5)))
        assert spans(found) == [("01/01", "15/01", "BASIC"), ("15/01", "15/02", "BASIC")]
        assert [each.kind for each in found] == [Kind.TRIAL, Kind.PAID]

    def test_the_paid_tier_is_there_at_once(self) -> None:
        found = fold(trial(day(1, 1)), pay(day(1, 5, 9), "PREMIUM"))
        assert tier_at(found, day(1, 5, 8)) == "BASIC"
        assert tier_at(found, day(1, 5, 9)) == tier_at(found, day(1, 20)) == "PREMIUM"
        assert [each.kind for each in found] == [Kind.TRIAL, Kind.TRIAL, Kind.PAID]

    def test_a_second_payment_is_for_the_second_period_and_its_tier_too(self) -> None:
        found = fold(trial(day(1, 1)), pay(day(1, 5), "STANDARD"), pay(day(1, 6), "PREMIUM"))
        assert tier_at(found, day(1, 10)) == "STANDARD"
        assert tier_at(found, day(2, 15)) == "PREMIUM"

    def test_a_trial_has_no_grace(self) -> None:
        found = fold(trial(day(1, 1)), pay(day(1, 16)))
        assert spans(found)[1] == ("16/01", "16/02", "BASIC")
        assert found[1].gap_reason == "LAPSED"
        assert tier_at(found, day(1, 15, 12)) is None

    def test_staff_may_lengthen_it(self) -> None:
        found = fold(trial(day(1, 1)), Extension(name("x"), day(1, 3), 6), pay(day(1, 20)))
        assert spans(found)[1:] == [("15/01", "21/01", "BASIC"), ("21/01", "21/02", "BASIC")]


class TestPayments:
    def test_in_time_they_follow_each_other_by_the_anchor(self) -> None:
        found = fold(carried(day(1, 1), day(1, 31)), *(pay(day(1, 20 + n)) for n in range(4)))
        assert [end for _, end, _ in spans(found)] == ["31/01", "28/02", "31/03", "30/04", "31/05"]

    def test_a_carried_whole_month_keeps_its_anchor(self) -> None:
        found = fold(carried(day(1, 31), day(2, 28)), pay(day(2, 20)))
        assert spans(found)[1] == ("28/02", "31/03", "BASIC")

    @pytest.mark.parametrize(
        ("late", "start", "gap"),
        [(timedelta(0), "01/02", ""), (GRACE, "01/02", ""), (GRACE + 1 * DAY, "09/02", "LAPSED")],
    )
    def test_within_grace_they_continue_and_later_they_begin_anew(
        self, late: timedelta, start: str, gap: str
    ) -> None:
        found = fold(carried(day(1, 1), day(2, 1)), pay(day(2, 1) + late))
        assert (spans(found)[1][0], found[1].gap_reason) == (start, gap)
        # From then on months are counted from there.
        again = fold(carried(day(1, 1), day(2, 1)), pay(day(2, 1) + late), pay(day(2, 20)))
        assert spans(again)[2][1] == ("01/04" if not gap else "09/04")

    def test_grace_is_longer_by_the_silence_of_the_feed(self) -> None:
        facts = [carried(day(1, 1), day(2, 1)), pay(day(2, 9))]
        silence = Silence(day(1, 31), day(2, 2))
        found = timeline(facts, grace=GRACE, silences=[silence])
        assert spans(found)[1][0] == "01/02"
        still_silent = timeline(
            [facts[0], pay(day(3, 9))], grace=GRACE, silences=[Silence(day(2, 2))]
        )
        assert spans(still_silent)[1][0] == "01/02"

    def test_a_payment_may_say_until_when_it_is_in_time(self) -> None:
        late = Payment(name("a"), day(2, 20), "BASIC", grace_until=day(2, 21))
        assert spans(fold(carried(day(1, 1), day(2, 1)), late))[1][0] == "01/02"

    def test_without_an_opening_the_first_begins_when_it_came(self) -> None:
        (found,) = fold(pay(day(1, 31), months=2))
        assert spans([found]) == [("31/01", "31/03", "BASIC")]
        assert (found.gap_reason, found.source) == ("", pay(day(1, 31)).order_id)


class TestUpgrades:
    def test_it_is_for_all_that_is_paid(self) -> None:
        paid = pay(day(1, 1)), pay(day(1, 2))
        found = fold(*paid, Upgrade(name("up"), day(1, 16), "PREMIUM"), pay(day(1, 17)))
        assert spans(found) == [
            ("01/01", "16/01", "BASIC"),
            ("16/01", "01/02", "PREMIUM"),
            ("01/02", "01/03", "PREMIUM"),
            ("01/03", "01/04", "BASIC"),
        ]
        # The rest of the month is the upgrade's; the whole month behind it stays its own order's.
        sources = [paid[0].order_id, name("up"), paid[1].order_id]
        assert [each.source for each in found[:3]] == sources
        assert [each.kind for each in found[:3]] == ["PAID", "UPGRADE", "PAID"]

    def test_it_moves_no_date(self) -> None:
        plain = pay(day(1, 31)), pay(day(2, 5))
        raised = fold(*plain, Upgrade(name("up"), day(2, 1), "PREMIUM"), pay(day(2, 6)))
        assert paid_through(raised) == day(4, 30)

    def test_never_to_less_and_never_of_nothing(self) -> None:
        paid = pay(day(1, 1), "PREMIUM")
        assert fold(paid, Upgrade(name("up"), day(1, 5), "BASIC")) == fold(paid)
        assert fold(paid, Upgrade(name("up"), day(2, 1), "PREMIUM")) == fold(paid)
        assert fold(Upgrade(name("up"), day(2, 1), "PREMIUM")) == []
        only_tried = trial(day(1, 1))
        assert fold(only_tried, Upgrade(name("up"), day(1, 2), "PREMIUM")) == fold(only_tried)

    def test_in_a_paid_trial_it_is_there_at_once(self) -> None:
        facts = trial(day(1, 1)), pay(day(1, 3)), Upgrade(name("up"), day(1, 5), "STANDARD")
        found = fold(*facts)
        assert tier_at(found, day(1, 4)) == "BASIC"
        assert tier_at(found, day(1, 6)) == tier_at(found, day(1, 20)) == "STANDARD"
        assert [each.kind for each in found] == [Kind.TRIAL, Kind.TRIAL, Kind.PAID]

    def test_time_that_was_sold_after_its_price_was_reckoned_keeps_its_tier(self) -> None:
        first, up = pay(day(1, 1)), name("up")
        upgrade = Upgrade(up, day(1, 31), "PREMIUM", quoted_at=day(1, 30))
        long = Payment(name("long"), day(1, 30, 12), "BASIC", 36)
        unheard = Payment(name("long"), day(1, 29), "BASIC", 36, told_at=day(1, 30, 12))
        for sold in (long, unheard):
            found = fold(first, sold, upgrade)
            assert [each.tier for each in found] == ["BASIC", "PREMIUM", "BASIC"]
            assert [each.source for each in found][1:] == [up, name("long")]
        known = fold(first, Payment(name("long"), day(1, 29), "BASIC", 36), upgrade)
        assert [each.tier for each in known] == ["BASIC", "PREMIUM", "PREMIUM"]


class TestExtensions:
    def test_days_come_behind_what_is_paid_and_move_the_anchor(self) -> None:
        found = fold(pay(day(1, 31)), Extension(name("x"), day(2, 3), 10), pay(day(2, 4)))
        assert spans(found)[1:] == [("28/02", "10/03", "BASIC"), ("10/03", "10/04", "BASIC")]
        assert found[1].kind == Kind.EXTENSION

    def test_after_the_grace_they_begin_when_they_are_given(self) -> None:
        found = fold(pay(day(1, 1), "STANDARD"), Extension(name("x"), day(3, 3), 2))
        assert spans(found)[1] == ("03/03", "05/03", "STANDARD")
        assert found[1].gap_reason == "LAPSED"

    def test_of_nothing_they_are_nothing(self) -> None:
        assert fold(Extension(name("x"), day(3, 3), 2)) == []


class TestPauses:
    def test_what_was_left_comes_behind_it(self) -> None:
        found = fold(pay(day(1, 1)), pay(day(1, 2)), Pause(name("p"), day(1, 11), day(1, 21)))
        assert spans(found) == [
            ("01/01", "11/01", "BASIC"),
            ("21/01", "11/02", "BASIC"),
            ("11/02", "11/03", "BASIC"),
        ]
        assert [each.gap_reason for each in found] == ["", "PAUSED", ""]
        assert [each.kind for each in found] == ["PAID", "RESUMED", "PAID"]
        assert found[1].source == name("p")
        assert period_at(found, day(1, 11)) is None

    def test_until_it_is_resumed_nothing_follows(self) -> None:
        facts: list[Fact] = [pay(day(1, 1)), pay(day(1, 15)), Extension(name("x"), day(1, 16), 1)]
        found = fold(*facts, Pause(name("p"), day(1, 11)))
        assert spans(found) == [("01/01", "11/01", "BASIC")]
        resumed = fold(*facts, Pause(name("p"), day(1, 11), day(3, 11)))
        assert paid_through(resumed) == day(5, 2)

    def test_money_that_comes_in_a_pause_begins_behind_it(self) -> None:
        (found,) = fold(pay(day(1, 5)), Pause(name("p"), day(1, 1), day(1, 11)))
        assert spans([found]) == [("11/01", "11/02", "BASIC")]

    def test_pauses_that_overlap_are_one(self) -> None:
        one = fold(pay(day(1, 1)), Pause(name("p"), day(1, 5), day(1, 25)))
        two = [Pause(name("q"), day(1, 10), day(1, 25)), Pause(name("p"), day(1, 5), day(1, 12))]
        assert fold(pay(day(1, 1)), *two) == one

    def test_a_trial_can_be_paused_too(self) -> None:
        found = fold(trial(day(1, 1)), pay(day(1, 2)), Pause(name("p"), day(1, 5), day(1, 6)))
        assert spans(found)[-1] == ("16/01", "16/02", "BASIC")


class TestRefunds:
    def test_what_was_paid_later_moves_up(self) -> None:
        first, second = pay(day(1, 1)), pay(day(1, 20))
        assert spans(fold(second)) == [("20/01", "20/02", "BASIC")]
        assert spans(fold(first, second))[-1] == ("01/02", "01/03", "BASIC")

    def test_of_an_upgrade_gives_the_tiers_back(self) -> None:
        paid = [pay(day(1, 1)), pay(day(1, 2), "STANDARD")]
        raised = fold(*paid, Upgrade(name("up"), day(1, 16), "PREMIUM"))
        assert {each.tier for each in raised} == {"BASIC", "PREMIUM"}
        assert {each.tier for each in fold(*paid)} == {"BASIC", "STANDARD"}

    def test_of_what_an_upgrade_was_for_leaves_it_nothing(self) -> None:
        assert fold(Upgrade(name("up"), day(1, 16), "PREMIUM")) == []


class TestNonsense:
    def test_is_refused_where_it_is_made(self) -> None:
        naive = datetime(2026, 1, 1)  # noqa: DTZ001
        with pytest.raises(ValueError, match="month or more"):
            pay(day(1, 1), months=0)
        with pytest.raises(ValueError, match="day or more"):
            Extension(name("x"), day(1, 1), 0)
        with pytest.raises(ValueError, match="before it starts"):
            Pause(name("p"), day(1, 2), day(1, 1))
        with pytest.raises(ValueError, match="before it starts"):
            carried(day(1, 2), day(1, 1))
        with pytest.raises(ValueError, match="time zone"):
            pay(naive)
        with pytest.raises(ValueError, match="opens once"):
            fold(trial(day(1, 1)), trial(day(1, 2)))


# --- Whatever the facts -------------------------------------------------------------------------


@given(FACTS, st.randoms(use_true_random=False))
@few(max_examples=100)
def test_the_order_in_which_facts_come_changes_nothing(facts: list[Fact], chance: Random) -> None:
    shuffled = facts.copy()
    chance.shuffle(shuffled)
    assert fold(*shuffled) == fold(*facts)


@given(FACTS)
@few(max_examples=100)
def test_periods_are_sorted_never_overlap_and_every_gap_has_its_reason(facts: list[Fact]) -> None:
    found = fold(*facts)
    for each in found:
        assert each.starts_at < each.ends_at
    orders = [each.source for each in found if each.kind in (Kind.PAID, Kind.UPGRADE)]
    assert len(orders) == len(set(orders)), "an order has one period at most"
    assert not (found and found[0].gap_reason), "there is nothing before the first"
    for one, next_one in pairwise(found):
        assert one.ends_at <= next_one.starts_at
        assert (one.ends_at < next_one.starts_at) is bool(next_one.gap_reason)


@given(FACTS, PAYMENTS)
@few(max_examples=60)
def test_a_refund_restores_what_was_in_any_order(facts: list[Fact], paid: Payment) -> None:
    before = fold(*facts)
    after = [fact for fact in [paid, *facts] if fact != paid]
    assert fold(*after) == before
    # A payment that happened last only adds behind what was there, and gives the trial its tier.
    last = Payment(paid.order_id, day(12, 31, year=2028), paid.tier, paid.months)
    assert fold(*facts, last)[: len(before)] == before


@given(MOMENTS, st.lists(st.tuples(IDS, st.integers(1, 13)), min_size=1, max_size=12), st.data())
@few(max_examples=60)
def test_n_payments_in_time_extend_by_n_periods(
    start: datetime, bought: list[tuple[object, int]], data: st.DataObject
) -> None:
    opening = trial(start)
    end = add_months(opening.ends_at, 0)
    facts: list[Fact] = [opening]
    total = 0
    for number, (order, months) in enumerate(bought):
        # Any time from the last payment on that is in time: the trial's end has no grace.
        since = facts[-1].at if number else start  # type: ignore[union-attr]
        latest = end + (GRACE if number else timedelta(0))
        seconds = int((latest - since).total_seconds())
        at = since + timedelta(seconds=data.draw(st.integers(0, seconds)))
        facts.append(Payment(order, at, "BASIC", months))  # type: ignore[arg-type]
        total += months
        end = add_months(opening.ends_at, total)
    found = fold(*facts)
    assert paid_through(found) == end
    assert [each.gap_reason for each in found] == [""] * len(found)
    assert len([each for each in found if each.kind == Kind.PAID]) == len(bought)


@given(FACTS, MOMENTS)
@few(max_examples=60)
def test_nobody_has_a_tier_that_nobody_bought_or_gave(facts: list[Fact], at: datetime) -> None:
    sold = {getattr(fact, "tier", None) for fact in facts}
    has = tier_at(fold(*facts), at)
    assert has is None or has in sold
    if any(
        isinstance(fact, Pause)
        and fact.starts_at <= at
        and (fact.ends_at is None or at < fact.ends_at)
        for fact in facts
    ):
        assert has is None


@given(FACTS)
@few(max_examples=60)
def test_time_that_is_paid_is_neither_lost_nor_won_by_pauses(facts: list[Fact]) -> None:
    # One opening alone, so that no month is longer for beginning elsewhere.
    openings = [fact for fact in facts if isinstance(fact, Opening)]
    pauses = [fact for fact in facts if isinstance(fact, Pause) and fact.ends_at is not None]
    whole = [each.ends_at - each.starts_at for each in fold(*openings)]
    pieces = [each.ends_at - each.starts_at for each in fold(*openings, *pauses)]
    assert sum(whole, timedelta(0)) == sum(pieces, timedelta(0))


def test_moments_are_utc() -> None:
    (found,) = fold(pay(day(1, 31)))
    assert found.ends_at.tzinfo is UTC
