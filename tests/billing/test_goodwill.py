"""Goodwill is proposed by one person and approved by another; what is small one gives alone."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from billing.invariants import money
from billing.lifecycles import GOODWILL
from billing.models import CreditEntry, Goodwill, Subscription, SubscriptionAdjustment
from billing.services import credit, goodwill
from billing.services.goodwill import CannotGive
from kitehub.db.invariants import findings
from kitehub.models import Instance
from kitehub.plans import PLANS
from tests.factories.billing import GoodwillFactory, SubscriptionFactory
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.db.records import execute, reread, without_trigger
from tests.kitehub.db.transitions import taken_by_database

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=2)
DAY = timedelta(days=1)


def credit_for(school: Instance, amount: int = 50_000, **said: Any) -> Goodwill:
    told = {"reason": "Sự cố 12/11", "actor": "lan", "at": NOW, **said}
    return goodwill.propose_credit(instance_id=school.pk, amount=amount, **told)


def days_for(own: Subscription, days: int = 3, **said: Any) -> Goodwill:
    told = {"reason": "Sự cố 12/11", "actor": "lan", "at": NOW, **said}
    return goodwill.propose_days(instance_id=own.instance_id, days=days, **told)


def approve(row: Goodwill, actor: str = "minh") -> Goodwill:
    return goodwill.approve(goodwill_id=row.pk, actor=actor, at=LATER, decision="Đúng")


@pytest.fixture
def school() -> Instance:
    return InstanceFactory()


@pytest.fixture
def own(school: Instance) -> Subscription:
    return SubscriptionFactory(instance=school, current_period_start=NOW - DAY)


def test_nothing_is_given_before_another_person_approves(school: Instance) -> None:
    row = credit_for(school)
    assert (row.status, credit.balance(instance_id=school.pk)) == ("PROPOSED", 0)
    with pytest.raises(CannotGive, match="không được tự duyệt"):
        approve(row, "lan")
    done = approve(row)
    assert (done.status, done.decided_by, done.decided_at) == ("APPROVED", "minh", LATER)
    assert credit.balance(instance_id=school.pk) == 50_000
    entry = CreditEntry.objects.get()
    assert (entry.pk, entry.kind, entry.created_at) == (row.pk, "GRANTED", LATER)
    # Both are in the books.
    assert (entry.created_by, entry.reason) == ("minh", "Sự cố 12/11 · lan")


def test_days_come_by_the_approval_and_name_both(own: Subscription) -> None:
    end = own.current_period_end
    row = days_for(own)
    own.refresh_from_db()
    assert (own.current_period_end, row.days) == (end, 3)
    approve(row)
    own.refresh_from_db()
    assert own.current_period_end == end + 3 * DAY
    given = SubscriptionAdjustment.objects.get()
    assert (given.pk, given.days, given.starts_at) == (row.pk, 3, LATER)
    assert (given.created_by, given.reason) == ("minh", "Sự cố 12/11 · lan")


def test_a_long_reason_leaves_room_for_who_proposed_it(school: Instance) -> None:
    approve(credit_for(school, reason="x" * 500))
    reason = CreditEntry.objects.get().reason
    assert (len(reason), reason.endswith(" · lan")) == (500, True)


@pytest.mark.parametrize("how", ["approve", "decline", "withdraw"])
def test_what_is_decided_stays_decided(how: str, school: Instance) -> None:
    row = credit_for(school)
    said: dict[str, Any] = {"goodwill_id": row.pk, "at": LATER, "decision": "vì thế"}
    getattr(goodwill, how)(**said, actor="lan" if how == "withdraw" else "minh")
    for again in ("approve", "decline", "withdraw"):
        for actor in ("lan", "minh", "hoa"):
            with pytest.raises(CannotGive, match="từ trước"):
                getattr(goodwill, again)(**said, actor=actor)
    given = 50_000 if how == "approve" else 0
    assert credit.balance(instance_id=school.pk) == given


def test_others_decline_and_who_proposed_withdraws(school: Instance) -> None:
    row = credit_for(school)
    said: dict[str, Any] = {"goodwill_id": row.pk, "at": LATER}
    for how, actor, decision, why in (
        ("decline", "minh", " ", "lý do"),
        ("decline", "lan", "x", "tự rút"),
        ("withdraw", "minh", "x", "Chỉ người đề xuất"),
    ):
        with pytest.raises(CannotGive, match=why):
            getattr(goodwill, how)(**said, actor=actor, decision=decision)
    assert goodwill.withdraw(**said, actor="lan").status == "WITHDRAWN"
    row = credit_for(school)
    done = goodwill.decline(goodwill_id=row.pk, at=LATER, actor="minh", decision="Quá nhiều")
    assert (done.status, done.decision) == ("DECLINED", "Quá nhiều")


def test_what_makes_no_sense_is_refused(school: Instance) -> None:
    own = SubscriptionFactory(instance=InstanceFactory())
    for amount in (0, -1, 10**13):
        with pytest.raises(CannotGive):
            credit_for(school, amount)
    for days in (0, 3661):
        with pytest.raises(CannotGive):
            days_for(own, days)
    with pytest.raises(CannotGive, match="lý do"):
        credit_for(school, reason=" ")
    with pytest.raises(CannotGive, match="không có gói"):
        goodwill.propose_days(instance_id=school.pk, days=1, reason="x", actor="lan", at=NOW)
    school.delete()
    with pytest.raises(CannotGive, match="không còn"):
        credit_for(school)
    assert not Goodwill.objects.exists()


def test_what_is_gone_meanwhile_is_given_nothing(school: Instance, own: Subscription) -> None:
    rows = [days_for(own), credit_for(school)]
    own.delete()
    with pytest.raises(CannotGive, match="không có gói"):
        approve(rows[0])
    school.delete()
    with pytest.raises(CannotGive, match="không còn"):
        approve(rows[1])
    assert {reread(row).status for row in rows} == {"PROPOSED"}


def test_a_key_is_proposed_once(school: Instance, settings: Any) -> None:
    settings.KITEHUB_GOODWILL_ALONE = 100_000
    key = uuid4()
    credit_for(school, key=key)
    with pytest.raises(CannotGive, match="có rồi"):
        credit_for(school, key=key)
    assert credit.balance(instance_id=school.pk) == 50_000


# --- Alone --------------------------------------------------------------------------------------


def test_by_default_it_always_takes_two(own: Subscription, settings: Any) -> None:
    assert settings.KITEHUB_GOODWILL_ALONE == 0
    assert goodwill.left_alone(actor="lan", at=NOW) == 0
    assert credit_for(own.instance, 1).status == "PROPOSED"  # type: ignore[arg-type]
    assert days_for(own, 1).status == "PROPOSED"


def test_one_person_gives_so_much_alone_in_a_day_all_schools_together(
    own: Subscription, settings: Any
) -> None:
    settings.KITEHUB_GOODWILL_ALONE = 100_000
    other, end = InstanceFactory(), own.current_period_end
    given = credit_for(other, 60_000)
    assert (given.status, given.decided_by) == ("GIVEN", None)
    assert CreditEntry.objects.get().created_by == "lan"
    days = days_for(own, 4)
    assert days.status == "GIVEN"
    own.refresh_from_db()
    assert own.current_period_end == end + 4 * DAY
    left = 100_000 - 60_000 - days.amount
    assert 0 < goodwill.left_alone(actor="lan", at=LATER) == left
    assert credit_for(other, left + 1).status == "PROPOSED"
    assert credit_for(other, left).status == "GIVEN"
    assert credit_for(other, 1).status == "PROPOSED"
    # Another person's day is another, and so is another day of theirs: 17:00 UTC is midnight.
    assert credit_for(other, 100_000, actor="minh").status == "GIVEN"
    midnight = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
    assert credit_for(other, 1, at=midnight - timedelta(seconds=1)).status == "PROPOSED"
    assert credit_for(other, 100_000, at=midnight).status == "GIVEN"
    assert [each for each in findings(connection) if each.broken] == []


def test_what_others_approve_takes_nothing_of_what_one_may_give_alone(
    school: Instance, settings: Any
) -> None:
    settings.KITEHUB_GOODWILL_ALONE = 10_000
    approve(credit_for(school))
    assert goodwill.left_alone(actor="lan", at=NOW) == 10_000
    assert goodwill.left_alone(actor="minh", at=LATER) == 10_000


def test_days_are_worth_a_thirtieth_of_the_dearest_price(own: Subscription) -> None:
    price = PLANS[own.tier].monthly_price  # type: ignore[index]
    assert goodwill.worth_of(30, own) == price
    assert goodwill.worth_of(1, own) == -(-price // 30)
    assert days_for(own, 60).amount == 2 * price
    # Of what is there last, and of what it is now.
    for first, now in (("PREMIUM", "BASIC"), ("BASIC", "PREMIUM")):
        other = SubscriptionFactory(tier=first)
        approve(days_for(other))
        other.tier = now
        assert goodwill.worth_of(30, other) == PLANS["PREMIUM"].monthly_price  # type: ignore[index]


# --- The database -------------------------------------------------------------------------------


def test_it_takes_the_allowed_changes_of_state_alone() -> None:
    def born(state: str) -> Goodwill:
        if state in ("PROPOSED", "GIVEN"):
            return reread(GoodwillFactory(status=state))
        row = GoodwillFactory()
        by = "lan" if state == "WITHDRAWN" else "minh"
        Goodwill.objects.filter(pk=row.pk).update(status=state, decided_by=by, decided_at=NOW)
        return reread(row)

    def write(row: Any, _column: str, state: str) -> None:
        by = {"WITHDRAWN": "lan", "PROPOSED": None, "GIVEN": None}.get(state, "minh")
        told = {"decided_by": by, "decided_at": NOW if by else None}
        Goodwill.objects.filter(pk=row.pk).update(status=state, **told)

    assert taken_by_database(GOODWILL, born, write) == set(GOODWILL.pairs())


@pytest.mark.parametrize(
    "change",
    [
        "status = 'APPROVED', decided_by = 'lan', decided_at = now()",
        "status = 'APPROVED', decided_by = NULL, decided_at = NULL",
        "status = 'DECLINED', decided_by = 'lan', decided_at = now()",
        "status = 'WITHDRAWN', decided_by = 'minh', decided_at = now()",
        "status = 'GIVEN'",
        "status = 'APPROVED', decided_by = 'minh', decided_at = now(), amount = 1",
        "proposed_by = 'hoa'",
        "amount = 1",
        "kind = 'EXTENSION', days = 30",
        "reason = 'x'",
    ],
)
def test_the_database_holds_the_two_people_and_what_was_proposed(
    change: str, school: Instance
) -> None:
    row = credit_for(school)
    with pytest.raises(IntegrityError), transaction.atomic():
        execute(f"UPDATE goodwill_grants SET {change} WHERE id = %s", row.pk)
    approve(row)
    for statement in (
        "UPDATE goodwill_grants SET decided_by = 'hoa' WHERE id = %s",
        "UPDATE goodwill_grants SET decision = 'x' WHERE id = %s",
        "DELETE FROM goodwill_grants WHERE id = %s",
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            execute(statement, row.pk)


def test_none_is_born_decided(school: Instance) -> None:
    for state, by in (("APPROVED", "minh"), ("DECLINED", "minh"), ("WITHDRAWN", "lan")):
        with pytest.raises(IntegrityError, match="waits for a second person"), transaction.atomic():
            GoodwillFactory(instance=school, status=state, decided_by=by, decided_at=NOW)


def test_what_is_given_past_the_rule_is_found(school: Instance, own: Subscription) -> None:
    approve(credit_for(school))
    approve(days_for(own))
    assert list(money.goodwill(connection)) == []  # type: ignore[operator]
    # Never given; given and never approved; given as something else than was proposed.
    never, early = GoodwillFactory(status="GIVEN"), credit_for(school)
    credit.grant(
        instance_id=school.pk, amount=50_000, reason="x", actor="lan", at=NOW, key=early.pk
    )
    with without_trigger("goodwill_grants", "guard_goodwill_grants_terms"):
        other = approve(days_for(own))
        Goodwill.objects.filter(pk=other.pk).update(days=2)
    (found,) = money.goodwill(connection)  # type: ignore[operator]
    assert found.count == 3
    assert {line[:36] for line in found.rows} == {str(it.pk) for it in (never, early, other)}
