"""Schools' lives make sense whatever the moment and the seed."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from billing.enums import PaymentStatus, RefundStatus, SubscriptionStatus, TransferState
from kitehub.demo.chance import stream
from kitehub.demo.enrollments import enrollments
from kitehub.demo.jobs import jobs
from kitehub.demo.moments import VIETNAM, months_after
from kitehub.demo.money import money
from kitehub.demo.subscriptions import Life, lives
from kitehub.demo.texts import capitals, slug
from kitehub.enums import InstanceStatus

AT = datetime(2026, 3, 1, 14, 30, tzinfo=UTC)
# The database's table of transitions.
ALLOWED = {
    "TRIAL": {"ACTIVE", "CANCELED", "EXPIRED"},
    "ACTIVE": {"PAST_DUE", "CANCELED", "EXPIRED"},
    "PAST_DUE": {"ACTIVE", "CANCELED", "EXPIRED"},
    "CANCELED": {"ACTIVE", "EXPIRED"},
    "EXPIRED": {"ACTIVE"},
}
# Of which nothing is booked.
ASIDE = {TransferState.IGNORED, TransferState.DUPLICATE, TransferState.DISCARDED}
any_moment = st.integers(0, 5 * 366 * 24 * 3600).map(
    lambda seconds: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
any_demo = given(at=any_moment, seed=st.integers())
few = settings(max_examples=15, deadline=None)


def statuses(life: Life) -> list[str]:
    changed = [step.changes["status"] for step in life.steps if "status" in step.changes]
    return [str(life.subscription.status), *map(str, changed)]


@few
@any_demo
def test_nothing_happens_before_a_school_is_born_or_after_now(at: datetime, seed: int) -> None:
    everything = lives(at=at, seed=seed)
    born = {life.school.id: life.born for life in everything}
    rows = [order for life in everything for order in life.orders]
    rows += enrollments(everything, at=at, rng=stream(seed, "enrollments"))
    rows += jobs(everything, at=at, rng=stream(seed, "jobs"))
    for row in rows:
        assert born[row.instance_id] <= row.created_at <= row.updated_at <= at


@few
@any_demo
def test_a_subscription_changes_in_order_and_only_as_it_may(at: datetime, seed: int) -> None:
    for life in lives(at=at, seed=seed):
        moments = [life.subscription.created_at, *(step.moment for step in life.steps), at]
        assert moments == sorted(moments)
        path = statuses(life)
        for before, after in pairwise(path):
            assert after == before or after in ALLOWED[before], life.school.name
        assert str(life.state["status"]) == path[-1]


@few
@any_demo
def test_the_state_fits_the_period_and_the_money(at: datetime, seed: int) -> None:
    for life in lives(at=at, seed=seed):
        paid = [order for order in life.orders if order.status == PaymentStatus.PAID]
        assert len(paid) == life.paid_months
        match life.state["status"]:
            case SubscriptionStatus.ACTIVE:
                start, end = life.state["current_period_start"], life.state["current_period_end"]
                assert start <= at < end == life.end
            case SubscriptionStatus.TRIAL:
                assert life.trial_end is not None
                assert at < life.trial_end
            case SubscriptionStatus.PAST_DUE | SubscriptionStatus.EXPIRED:
                assert life.end <= at


@few
@any_demo
def test_every_state_is_there(at: datetime, seed: int) -> None:
    everything = lives(at=at, seed=seed)
    assert {life.state["status"] for life in everything} == set(SubscriptionStatus)
    assert {life.status for life in everything} == set(InstanceStatus)
    orders = [order for life in everything for order in life.orders]
    fees = enrollments(everything, at=at, rng=stream(seed, "enrollments"))
    for some in (orders, fees):
        assert {order.status for order in some} == set(PaymentStatus)
        waiting = [order for order in some if order.status == PaymentStatus.PENDING]
        assert {order.expires_at < at for order in waiting} == {True, False}


@few
@any_demo
def test_every_line_is_for_what_it_says_and_nothing_is_booked_after_now(
    at: datetime, seed: int
) -> None:
    everything = lives(at=at, seed=seed)
    fees = enrollments(everything, at=at, rng=stream(seed, "enrollments"))
    made = money(everything, fees, at=at, seed=seed)
    left = {row.pk: row.amount for row in made.transfers}
    for moment, entry in made.entries:
        assert entry.created_at <= moment <= at
        if entry.transfer_id:
            left[entry.transfer_id] -= entry.amount
    for each in made.refunds:
        approved = any(it["status"] == RefundStatus.APPROVED for it in each.changes)
        if each.refund.transfer_id and approved:
            left[each.refund.transfer_id] -= each.refund.amount
    for row in made.transfers:
        assert row.received_at <= at
        waits = row.state == TransferState.UNMATCHED
        assert (left[row.pk] > 0) == waits or row.state in ASIDE
        assert (left[row.pk] == 0) == (row.state == TransferState.MATCHED)
    waiting = [row for row in made.transfers if row.state == TransferState.UNMATCHED]
    assert len(waiting) >= 10
    assert {str(each.changes[-1]["status"]) for each in made.refunds if each.changes} == {
        *("APPROVED", "REJECTED", "SENT")
    }


def test_another_seed_makes_other_people_at_the_same_schools() -> None:
    first, second = lives(at=AT, seed=1), lives(at=AT, seed=2)
    assert [life.school for life in first] == [life.school for life in second]
    assert [life.owner.full_name for life in first] != [life.owner.full_name for life in second]


def test_schools_of_a_brand_have_one_owner_who_has_one_trial() -> None:
    shared = [life for life in lives(at=AT, seed=1) if life.school.brand == "Hoa Phượng"]
    assert len(shared) == 2
    assert len({life.owner.pk for life in shared}) == 1
    assert [life.trial_end is None for life in shared] == [False, True]


def test_months_are_counted_from_the_anchor_in_vietnamese_time() -> None:
    # 20:00 UTC is already the 31st in Vietnam.
    anchor = datetime(2026, 1, 30, 20, tzinfo=UTC)
    assert [months_after(anchor, months).date().isoformat() for months in range(4)] == [
        "2026-01-31",
        "2026-02-28",
        "2026-03-31",
        "2026-04-30",
    ]
    assert months_after(anchor, 12) == datetime(2027, 1, 31, 3, tzinfo=VIETNAM)
    assert months_after(anchor, 0) - anchor == timedelta(0)


def test_accents_go_and_letters_stay() -> None:
    assert slug("Đất Học – Nam Định") == "dat-hoc-nam-dinh"
    assert capitals("Nguyễn Thị Thúy Quỳnh") == "NGUYEN THI THUY QUYNH"
