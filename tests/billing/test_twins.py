"""Lines that two sources tell are one; genuine lines that say the same stay as many as they are."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from billing.twins import Told, twins

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def line(**said: Any) -> Told:
    return Told(**{"direction": "IN", "amount": 5000, "at": AT, **said})


def paired(one: Told, other: Told) -> bool:
    assert twins([one], [other]) in ({}, {0: 0})
    return bool(twins([one], [other]))


def test_a_reference_is_a_name_within_a_few_days() -> None:
    one = line(reference="FT24364030863634", memo="x")
    later = timedelta(days=4)
    assert paired(one, line(reference="ft 24364030863634", memo="y", at=AT + later))
    too_late = AT + later + timedelta(seconds=1)
    assert not paired(one, line(reference="FT24364030863634", at=too_late))
    for other in ({"amount": 5001}, {"direction": "OUT"}):
        assert not paired(one, line(reference="FT24364030863634", **other))


def test_without_a_common_reference_the_day_says_the_rest() -> None:
    one = line(reference="MBVCB.1", memo="Nguyễn Văn A, chuyển tiền", balance_after=9000)
    evening = AT + timedelta(hours=13)
    assert paired(one, line(reference="5243.1", memo="NGUYEN VAN A chuyen tien", at=evening))
    assert paired(one, line(memo="CT tu 0123 NGUYEN VAN A chuyen tien tai VCB", at=evening))
    assert paired(one, line(memo="gi đó", balance_after=9000, at=evening))
    # In Vietnam it is the next day.
    assert not paired(one, line(memo=one.memo, balance_after=9000, at=AT + timedelta(hours=14)))
    assert not paired(one, line(memo="TRAN B chuyen tien"))
    assert not paired(line(memo="tien"), line(memo="A chuyen tien"))
    assert not paired(line(), line())


def test_each_line_has_one_twin_and_the_surest() -> None:
    same = line(memo="NGUYEN VAN A")
    assert twins([same, same], [same]) == {0: 0}
    assert twins([same, same], [same, same, same]) == {0: 0, 1: 1}
    sure = line(memo="NGUYEN VAN A", reference="FT1")
    assert twins([same, sure], [sure, same]) == {0: 1, 1: 0}
    late = line(memo="NGUYEN VAN A", at=AT + timedelta(hours=2))
    assert twins([late], [same, late]) == {0: 1}


TOLD = st.builds(
    line,
    amount=st.integers(1, 2),
    direction=st.sampled_from(["IN", "OUT"]),
    at=st.integers(0, 9).map(lambda days: AT + timedelta(days=days)),
    memo=st.sampled_from(["", "NGUYEN VAN A", "CT NGUYEN VAN A"]),
    reference=st.sampled_from(["", "FT1", "FT2"]),
    balance_after=st.none() | st.integers(1, 2),
)


@given(st.lists(TOLD, max_size=6), st.lists(TOLD, max_size=6))
@settings(max_examples=60)
def test_twins_agree_in_money_and_nobody_has_two(lines: list[Told], others: list[Told]) -> None:
    found = twins(lines, others)
    assert len(set(found.values())) == len(found)
    for one, other in ((lines[place], others[other]) for place, other in found.items()):
        assert (one.amount, one.direction) == (other.amount, other.direction)
        assert abs(one.at - other.at) <= timedelta(days=4)


@given(st.lists(TOLD.filter(lambda told: bool(told.memo)), max_size=6))
@settings(max_examples=40)
def test_a_source_that_says_the_same_says_nothing_new(lines: list[Told]) -> None:
    assert len(twins(lines, list(reversed(lines)))) == len(lines)
