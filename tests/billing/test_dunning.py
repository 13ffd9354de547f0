"""After the end: a warning, then no changes, then nothing; later while the feed is silent."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import settings as few
from hypothesis import strategies as st

from billing.dunning import Ladder, Silence, Stage, Step, due_reminders, grace_until, stage
from tests.billing.timelines import BEGIN, DAY, MOMENTS, day

END = day(3, 1)
SILENCES = st.lists(
    st.builds(
        lambda hours, length: Silence(
            BEGIN + timedelta(hours=hours),
            None if length is None else BEGIN + timedelta(hours=hours + length),
        ),
        st.integers(0, 400 * 24),
        st.none() | st.integers(0, 24 * 20),
    ),
    max_size=4,
)


@pytest.mark.parametrize(
    ("after", "step", "until"),
    [
        (-DAY, Step.CURRENT, END),
        (-timedelta(microseconds=1), Step.CURRENT, END),
        (timedelta(0), Step.WARNED, END + 3 * DAY),
        (3 * DAY, Step.BLOCKED, END + 7 * DAY),
        (7 * DAY, Step.SUSPENDED, None),
        (400 * DAY, Step.SUSPENDED, None),
    ],
)
def test_each_step_begins_on_its_day(after: timedelta, step: Step, until: datetime | None) -> None:
    assert stage(period_end=END, at=END + after) == Stage(step, until)


def test_the_ladder_is_data() -> None:
    ladder = Ladder(warn=1, block=1, suspend=2)
    steps = [stage(period_end=END, at=END + n * DAY, ladder=ladder).step for n in range(3)]
    assert steps == [Step.CURRENT, Step.BLOCKED, Step.SUSPENDED]
    for wrong in ((1, 0, 7), (0, 8, 7), (-1, 3, 7)):
        with pytest.raises(ValueError, match="goes up"):
            Ladder(*wrong)


def test_what_of_a_silence_lies_on_the_ladder_lengthens_it() -> None:
    # Two of its days are before the end and don't count, one is after.
    silence = Silence(END - 2 * DAY, END + DAY)
    assert stage(period_end=END, at=END, silences=[silence]) == Stage(Step.WARNED, END + 4 * DAY)
    assert grace_until(END, silences=[silence]) == END + 8 * DAY
    # Said twice, it counts once; one that is behind the last step counts for nothing.
    assert grace_until(END, silences=[silence, silence]) == END + 8 * DAY
    assert grace_until(END, silences=[Silence(END + 7 * DAY, END + 9 * DAY)]) == END + 7 * DAY
    # One in the time that another has added counts as well.
    both = [silence, Silence(END + 7 * DAY, END + 9 * DAY)]
    assert grace_until(END, silences=both) == END + 10 * DAY


def test_while_it_lasts_no_later_step_comes() -> None:
    silence = Silence(END + 4 * DAY)
    found = stage(period_end=END, at=END + 100 * DAY, silences=[silence])
    assert found == Stage(Step.BLOCKED, None)
    assert grace_until(END, silences=[silence]) is None


@given(MOMENTS, SILENCES, MOMENTS)
@few(max_examples=100)
def test_silence_never_hastens_a_step_and_steps_only_go_up(
    end: datetime, silences: list[Silence], at: datetime
) -> None:
    steps = list(Step)

    def rank(moment: datetime, known: list[Silence]) -> int:
        return steps.index(stage(period_end=end, at=moment, silences=known).step)

    assert rank(at, silences) <= rank(at, [])
    assert rank(at, silences) <= rank(at + DAY, silences)
    # What is said to hold until a moment holds until then and no longer.
    found = stage(period_end=end, at=at, silences=silences)
    if found.until is not None:
        assert rank(found.until, silences) > rank(at, silences)
        assert rank(found.until - timedelta(microseconds=1), silences) == rank(at, silences)


class TestReminders:
    def test_each_has_its_day_in_vietnam(self) -> None:
        found = due_reminders(day(3, 1, 23), day(1, 1), day(4, 1))
        assert [(each.days, each.due_at) for each in found] == [
            (-7, day(2, 22, 8)),
            (-3, day(2, 26, 8)),
            (-1, day(2, 28, 8)),
            (0, day(3, 1, 8)),
            (3, day(3, 4, 8)),
        ]

    def test_the_key_names_reason_and_period(self) -> None:
        (one,) = due_reminders(END, END - 8 * DAY, END - 5 * DAY)
        (other,) = due_reminders(END + DAY, END - 6 * DAY, END - 5 * DAY)
        assert one.key == "renewal-7:2026-02-28T17:00:00+00:00"
        assert other.key != one.key

    @given(MOMENTS, MOMENTS, st.lists(st.integers(1, 72), max_size=20))
    @few(max_examples=60)
    def test_a_late_run_sends_what_the_daily_ones_would_have(
        self, end: datetime, since: datetime, hours: list[int]
    ) -> None:
        runs = [since]
        for pause in hours:
            runs.append(runs[-1] + timedelta(hours=pause))
        daily = [each for one, two in pairwise(runs) for each in due_reminders(end, one, two)]
        late = due_reminders(end, since, runs[-1])
        assert daily == late
        assert len({each.key for each in late}) == len(late)
