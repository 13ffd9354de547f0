"""Facts of subscriptions, made up by Hypothesis or written down by day."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from hypothesis import strategies as st

from billing.months import HANOI
from billing.periods import (
    Extension,
    Fact,
    Kind,
    Opening,
    Pause,
    Payment,
    Period,
    Upgrade,
    timeline,
)

GRACE = timedelta(days=7)
DAY = timedelta(days=1)
BEGIN = datetime(2026, 1, 1, tzinfo=HANOI)
SPACE = UUID(int=0)


def day(month: int, number: int, hour: int = 0, *, year: int = 2026) -> datetime:
    """A moment in Vietnam, as the database gives it back."""
    return datetime(year, month, number, hour, tzinfo=HANOI).astimezone(UTC)


def name(text: str) -> UUID:
    return uuid5(SPACE, text)


def fold(*facts: Fact) -> list[Period]:
    return timeline(facts, grace=GRACE)


def pay(at: datetime, tier: str = "BASIC", months: int = 1, called: str = "") -> Payment:
    return Payment(order_id=name(called or f"{at} {tier}"), at=at, tier=tier, months=months)


def trial(starts: datetime, tier: str = "BASIC") -> Opening:
    return Opening(starts, starts + 14 * DAY, tier)


def carried(starts: datetime, ends: datetime, tier: str = "BASIC") -> Opening:
    return Opening(starts, ends, tier, Kind.CARRIED)


def spans(periods: list[Period]) -> list[tuple[str, str, str]]:
    """Each period as its days and its tier."""

    def short(moment: datetime) -> str:
        local = moment.astimezone(HANOI)
        return f"{local:%d/%m}" if (local.hour, local.minute) == (0, 0) else f"{local:%d/%m %H:%M}"

    return [(short(each.starts_at), short(each.ends_at), each.tier) for each in periods]


TIERS = st.sampled_from(["BASIC", "STANDARD", "PREMIUM"])
MOMENTS = st.integers(0, 400 * 24).map(lambda hours: BEGIN + timedelta(hours=hours))
IDS = st.uuids()
OPENINGS = st.builds(
    lambda at, days, tier, kind: Opening(at, at + days * DAY, tier, kind),
    MOMENTS,
    st.integers(0, 60),
    TIERS,
    st.sampled_from([Kind.TRIAL, Kind.CARRIED]),
)
PAYMENTS = st.builds(Payment, IDS, MOMENTS, TIERS, st.integers(1, 13))
PAUSES = st.builds(
    lambda key, at, days: Pause(key, at, None if days is None else at + days * DAY),
    IDS,
    MOMENTS,
    st.none() | st.integers(0, 90),
)
FACTS = st.builds(
    lambda opening, rest: [*opening, *rest],
    st.lists(OPENINGS, max_size=1),
    st.lists(
        PAYMENTS
        | PAYMENTS
        | st.builds(Upgrade, IDS, MOMENTS, TIERS)
        | st.builds(Extension, IDS, MOMENTS, st.integers(1, 60))
        | PAUSES,
        max_size=10,
    ),
)
