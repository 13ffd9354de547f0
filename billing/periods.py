"""What a subscription has paid for, as a pure function of what happened.

    timeline([Opening(…), Payment(…), Pause(…)], grace=timedelta(days=7))

Money comes by bank transfer: late, twice, out of order, and is sometimes given back. So periods are
never added up as events come in; they are folded anew from all facts, in the order in which the
facts happened. A refund is the same fold without the fact. docs/subscriptions.md has the rules.

Months are calendar months in Vietnam, counted from the anchor of a chain of periods: paid from 31
January on, they end on 28 February, 31 March and 30 April, at the same time of day.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from billing.dunning import Silence, merged, reach
from billing.months import add_months as add_months
from billing.months import months_between
from kitehub.enums import Tier

# Which tier is more than which.
RANK = {tier.value: rank for rank, tier in enumerate(Tier)}


class Kind(StrEnum):
    """Why there is a period."""

    TRIAL = "TRIAL"
    CARRIED = "CARRIED"
    PAID = "PAID"
    UPGRADE = "UPGRADE"
    EXTENSION = "EXTENSION"
    RESUMED = "RESUMED"


class Gap(StrEnum):
    """Why a period doesn't begin where the one before ended."""

    NONE = ""
    LAPSED = "LAPSED"
    PAUSED = "PAUSED"


# --- Facts --------------------------------------------------------------------------------------


def _check_moments(*moments: datetime | None) -> None:
    if any(moment is not None and moment.tzinfo is None for moment in moments):
        raise ValueError("A moment has a time zone.")


@dataclass(frozen=True, slots=True)
class Opening:
    """How it began: a trial, or what an older program had sold (CARRIED). At most one."""

    starts_at: datetime
    ends_at: datetime
    tier: str
    kind: Kind = Kind.TRIAL

    def __post_init__(self) -> None:
        _check_moments(self.starts_at, self.ends_at)
        if self.kind not in (Kind.TRIAL, Kind.CARRIED) or self.ends_at < self.starts_at:
            raise ValueError("An opening is a trial or carried, and doesn't end before it starts.")


@dataclass(frozen=True, slots=True)
class Payment:
    """Money for so many months of a tier; `at` is the bank's time.

    `grace_until` says until when it would still have been in time, where that isn't the fold's
    own answer; `told_at` when we heard of it, where that isn't at once.
    """

    order_id: UUID
    at: datetime
    tier: str
    months: int = 1
    grace_until: datetime | None = None
    told_at: datetime | None = None

    def __post_init__(self) -> None:
        _check_moments(self.at, self.grace_until, self.told_at)
        if self.months < 1:
            raise ValueError("A payment is for a month or more.")


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Money for a higher tier from `at` to the end of what is paid then.

    Its price was reckoned at `quoted_at`: time that was sold afterwards isn't in it, and keeps its
    own tier. Without it, all is.
    """

    order_id: UUID
    at: datetime
    tier: str
    quoted_at: datetime | None = None

    def __post_init__(self) -> None:
        _check_moments(self.at, self.quoted_at)


@dataclass(frozen=True, slots=True)
class Extension:
    """Days that staff gave."""

    id: UUID
    at: datetime
    days: int
    reason: str = ""

    def __post_init__(self) -> None:
        _check_moments(self.at)
        if self.days < 1:
            raise ValueError("An extension is of a day or more.")


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in which nothing is used; what was left at its start comes behind it.

    An end of None: nobody has resumed it, and what is left waits.
    """

    id: UUID
    starts_at: datetime
    ends_at: datetime | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        _check_moments(self.starts_at, self.ends_at)
        if self.ends_at is not None and self.ends_at < self.starts_at:
            raise ValueError("A pause doesn't end before it starts.")


Fact = Opening | Payment | Upgrade | Extension | Pause


@dataclass(frozen=True, slots=True)
class Period:
    """A time for which a tier is there, up to but without `ends_at`.

    `source` is the order of PAID and UPGRADE, the extension of EXTENSION, the pause of RESUMED. No
    order has two: what a pause leaves of one is RESUMED, and an upgrade has the rest of the period
    that it fell into, while whole periods behind it keep their order and get its tier. `known_at`
    is when we knew of the fact that made the time, `anchor` the moment from which its months are
    counted.
    """

    starts_at: datetime
    ends_at: datetime
    tier: str
    kind: Kind
    source: UUID | None
    known_at: datetime
    anchor: datetime
    gap_reason: Gap = Gap.NONE


# --- The fold -----------------------------------------------------------------------------------


def timeline(
    facts: Iterable[Fact], *, grace: timedelta, silences: Iterable[Silence] = ()
) -> list[Period]:
    """The periods that facts make, in order, none overlapping another.

    The facts' own order doesn't matter. `grace` is how long after the end of what is paid a payment
    still continues from there; a silence of the bank's feed lengthens it. A trial has none.

    Raises ValueError for more than one opening.
    """
    given = list(facts)
    pauses = [fact for fact in given if isinstance(fact, Pause)]
    fold = _Fold(_apart(pauses), merged(silences), grace)
    for fact in sorted((fact for fact in given if not isinstance(fact, Pause)), key=_order):
        fold.take(fact)
    return fold.periods


def _apart(pauses: Sequence[Pause]) -> list[Pause]:
    """The same pauses in order; those that overlap are one, with the name of the first."""
    first: dict[datetime, Pause] = {}
    for pause in sorted(pauses, key=lambda each: str(each.id), reverse=True):
        first[pause.starts_at] = pause
    spans = merged(Silence(each.starts_at, each.ends_at) for each in pauses)
    return [replace(first[each.starts_at], ends_at=each.ends_at) for each in spans]


def _order(fact: Opening | Payment | Upgrade | Extension) -> tuple[int, datetime, int, str]:
    match fact:
        case Opening():
            return 0, fact.starts_at, 0, ""
        case Payment():
            return 1, fact.at, 0, str(fact.order_id)
        case Upgrade():
            return 1, fact.at, 1, str(fact.order_id)
        case Extension():
            return 1, fact.at, 2, str(fact.id)


def _anchor_of(opening: Opening) -> datetime:
    """Its start where it is of whole months, so that a 31st is kept; otherwise its end."""
    count = round(months_between(opening.starts_at, opening.ends_at, anchor=opening.starts_at))
    exact = count and add_months(opening.starts_at, count) == opening.ends_at
    return opening.starts_at if exact and opening.kind == Kind.CARRIED else opening.ends_at


class _Fold:
    """What is known after some facts: the periods, where they end, and their chain's calendar."""

    def __init__(
        self, pauses: Sequence[Pause], silences: Sequence[Silence], grace: timedelta
    ) -> None:
        self.pauses = pauses
        self.silences = silences
        self.grace = grace
        self.periods: list[Period] = []
        self.opened = False
        self.paid = False
        # None: nothing yet, or what is left waits for the end of a pause.
        self.end: datetime | None = None
        self.waits = False
        self.anchor: datetime | None = None
        self.months = 0

    def take(self, fact: Opening | Payment | Upgrade | Extension) -> None:
        match fact:
            case Opening():
                self._open(fact)
            case Payment():
                self._pay(fact)
            case Upgrade():
                self._upgrade(fact)
            case Extension():
                self._extend(fact)

    def _open(self, fact: Opening) -> None:
        if self.opened:
            raise ValueError("A subscription opens once.")
        self.opened = True
        self.paid = fact.kind == Kind.CARRIED
        period = Period(
            starts_at=fact.starts_at,
            ends_at=fact.ends_at,
            tier=fact.tier,
            kind=fact.kind,
            source=None,
            known_at=fact.starts_at,
            anchor=_anchor_of(fact),
        )
        self.anchor = period.anchor if self.paid else None
        if self.paid:
            self.months = round(months_between(period.anchor, fact.ends_at, anchor=period.anchor))
        self._place(period)

    def _pay(self, fact: Payment) -> None:
        if not self.paid:
            # Who pays during the trial has the tier at once, and the trial's days all the same.
            self._retier(fact.at, fact.tier)
        start, gap = self._start(fact.at, fact.grace_until)
        self.paid = True
        if start is None:
            return
        if gap or self.anchor is None:
            self.anchor, self.months = start, 0
        self.months += fact.months
        self._place(
            Period(
                starts_at=start,
                ends_at=add_months(self.anchor, self.months),
                tier=fact.tier,
                kind=Kind.PAID,
                source=fact.order_id,
                known_at=fact.told_at or fact.at,
                anchor=self.anchor,
                gap_reason=gap,
            )
        )

    def _extend(self, fact: Extension) -> None:
        if not self.periods:
            return
        tier = self.periods[-1].tier
        start, gap = self._start(fact.at, None)
        if start is None:
            return
        end = start + timedelta(days=fact.days)
        if self.paid:
            self.anchor, self.months = end, 0
        self._place(
            Period(
                starts_at=start,
                ends_at=end,
                tier=tier,
                kind=Kind.EXTENSION,
                source=fact.id,
                known_at=fact.at,
                anchor=end,
                gap_reason=gap,
            )
        )

    def _upgrade(self, fact: Upgrade) -> None:
        if self.paid and any(each.ends_at > fact.at for each in self.periods):
            self._retier(fact.at, fact.tier, upgrade=fact)

    def _start(self, at: datetime, grace_until: datetime | None) -> tuple[datetime | None, Gap]:
        """Where what comes at a moment begins, and why not where the last one ended."""
        if self.waits:
            return None, Gap.NONE
        start, gap = at, Gap.NONE
        if self.end is not None:
            last = grace_until or self._grace_end(self.end)
            if at <= self.end or last is None or at <= last:
                start = self.end
            else:
                gap = Gap.LAPSED
        free = self._after_pauses(start)
        if free is None:
            self.waits = True
        elif free != start:
            gap = gap or Gap.PAUSED
        return free, gap

    def _grace_end(self, end: datetime) -> datetime | None:
        return reach(end, self.grace, self.silences) if self.paid else end

    def _after_pauses(self, moment: datetime) -> datetime | None:
        for pause in self.pauses:
            if pause.starts_at <= moment and (pause.ends_at is None or moment < pause.ends_at):
                return pause.ends_at
        return moment

    def _place(self, period: Period) -> None:
        """Puts a period down, around the pauses that lie in it."""
        start, end = period.starts_at, period.ends_at
        for pause in self.pauses:
            if pause.starts_at >= end:
                break
            if pause.ends_at is not None and pause.ends_at <= start:
                continue
            if pause.starts_at > start:
                self._append(replace(period, starts_at=start, ends_at=pause.starts_at))
                if period.kind in (Kind.PAID, Kind.UPGRADE):
                    period = replace(period, kind=Kind.RESUMED, source=pause.id)
            if pause.ends_at is None:
                self.waits = True
                return
            left = end - max(start, pause.starts_at)
            start, end = pause.ends_at, pause.ends_at + left
            period = replace(period, anchor=end, gap_reason=Gap.PAUSED)
        if start < end:
            self._append(replace(period, starts_at=start, ends_at=end))
        if end != period.ends_at and self.paid:
            self.anchor, self.months = end, 0
        self.end = end

    def _append(self, period: Period) -> None:
        """The first one follows nothing, so there is no gap before it."""
        self.periods.append(period if self.periods else replace(period, gap_reason=Gap.NONE))

    def _retier(self, at: datetime, tier: str, *, upgrade: Upgrade | None = None) -> None:
        """Gives what comes after a moment another tier: by an upgrade a higher, else a trial."""
        periods, self.periods = self.periods, []
        for period in periods:
            same = period.tier == tier
            if upgrade:
                quoted = upgrade.quoted_at is None or period.known_at <= upgrade.quoted_at
                same = not quoted or RANK[period.tier] >= RANK[tier]
            if period.ends_at <= at or same:
                self.periods.append(period)
                continue
            later = replace(period, tier=tier)
            if period.starts_at < at:
                self.periods.append(replace(period, ends_at=at))
                later = replace(later, starts_at=at, gap_reason=Gap.NONE)
                if upgrade and period.kind != Kind.TRIAL:
                    later = replace(later, kind=Kind.UPGRADE, source=upgrade.order_id)
            self.periods.append(later)


# --- Reading it ---------------------------------------------------------------------------------


def period_at(periods: Sequence[Period], at: datetime) -> Period | None:
    """The period that holds at a moment; None in a gap and outside."""
    return next((each for each in periods if each.starts_at <= at < each.ends_at), None)


def tier_at(periods: Sequence[Period], at: datetime) -> str | None:
    """The tier that is there at a moment, which is the paid one in what is left of a trial."""
    found = period_at(periods, at)
    return found.tier if found else None


def paid_through(periods: Sequence[Period]) -> datetime | None:
    """The end of the last period; None where there is none."""
    return periods[-1].ends_at if periods else None
