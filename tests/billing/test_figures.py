"""The daily figures: what counts, on which day, and that folding and mending change none."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, product
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.db.transaction import atomic
from django.test.utils import CaptureQueriesContext

from billing.enums import Measure, PaymentType
from billing.models import (
    CreditEntry,
    DailyFigure,
    FigureEntry,
    PaymentOrder,
    Refund,
    SubscriptionHistory,
)
from billing.months import HANOI
from billing.services import credit, figures, refunds, subscriptions
from billing.services.figures import changes, fold_figures, rebuild_figures
from billing.services.settlement import settle_transfer
from kitehub.db.acting import acting
from kitehub.db.invariants import findings
from kitehub.enums import Tier
from tests.billing.settling import NOW, SCHOOLS, ask, enroll, line, school, subscribe
from tests.factories.billing import PaymentOrderFactory, RefundFactory, SubscriptionFactory
from tests.kitehub.db.records import execute, without_trigger
from tests.migrations.commands import ROOT

LONG_AGO = date(2020, 1, 1)
LONG_AGO_UTC = datetime(2020, 1, 1, tzinfo=UTC)
# One o'clock on the 24th in Vietnam, when in UTC it is the 23rd still.
NIGHT = datetime(2026, 11, 23, 18, tzinfo=UTC)
STAGES = ["NEW", "TRIAL", "PAYING", "PAST_DUE", "CANCELED", "LOST", "TRIAL_LOST", "GONE"]


def sums(*measures: Measure, day: date | None = None) -> dict[str, tuple[int, int]]:
    """Amount and quantity of each measure, of one day or of all; those that are zero left out."""
    found: dict[str, tuple[int, int]] = {}
    for each in changes(*(measures or Measure), since=LONG_AGO):
        if day in (None, each.day):
            amount, quantity = found.get(each.measure.value, (0, 0))
            found[each.measure.value] = amount + each.amount, quantity + each.quantity
    return {measure: both for measure, both in found.items() if both != (0, 0)}


def wrong() -> list[str]:
    return [row for each in findings(connection) if "count" in each.what for row in each.rows]


# --- Money --------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_order_counts_on_its_day_in_vietnam_as_long_as_it_is_paid_and_there() -> None:
    order = PaymentOrderFactory(amount=299_000)
    assert sums() == {}
    paid = {"status": "PAID", "paid_at": NIGHT, "transaction_reference": "FT1"}
    PaymentOrder.objects.filter(pk=order.pk).update(**paid)
    assert sums(day=date(2026, 11, 24)) == {"REVENUE": (299_000, 1)} == sums()
    PaymentOrder.objects.filter(pk=order.pk).update(paid_at=NIGHT - timedelta(hours=2))
    assert sums(day=date(2026, 11, 23)) == {"REVENUE": (299_000, 1)} == sums()
    PaymentOrder.objects.filter(pk=order.pk).update(tier="PREMIUM", amount=300_000)
    (left,) = [each for each in changes(Measure.REVENUE, since=LONG_AGO) if each.amount]
    assert (left.tier, left.amount) == (Tier.PREMIUM, 300_000)
    order.refresh_from_db()
    order.delete()
    assert sums() == {}
    order.restore()
    assert sums() == {"REVENUE": (300_000, 1)}
    assert wrong() == []
    PaymentOrder.all_objects.filter(pk=order.pk).hard_delete()
    assert sums() == {}
    assert wrong() == []


@pytest.mark.django_db
def test_orders_in_bulk_count_each() -> None:
    rows = [
        PaymentOrderFactory.build(
            paid=number > 0, paid_at=NIGHT, type=kind, tier=tier, amount=1000, instance=None
        )
        for kind, tier in ((PaymentType.SUBSCRIPTION, "BASIC"), (PaymentType.ENROLLMENT, None))
        for number in range(3)
    ]
    owner = PaymentOrderFactory().user
    for row in rows:
        row.user = owner
    PaymentOrder.objects.bulk_create(rows)
    assert sums() == {"REVENUE": (2000, 2), "COURSE_FEES": (2000, 2)}
    assert {each.tier for each in changes(Measure.COURSE_FEES, since=LONG_AGO)} == {None}
    assert wrong() == []


@pytest.mark.django_db
def test_revenue_is_less_what_was_sent_back_of_it_and_nothing_else() -> None:
    own = school()
    order = subscribe(own)
    settle_transfer(transfer_id=line(order.memo, 649_000).pk, at=NOW)
    settle_transfer(transfer_id=line(enroll(own).memo, 500_000, account=SCHOOLS).pk, at=NOW)
    assert sums(Measure.REVENUE, Measure.COURSE_FEES, Measure.REFUNDS) == {
        "REVENUE": (599_000, 1),
        "COURSE_FEES": (500_000, 1),
    }, "what was paid too much is the school's"
    for refund in (ask(100_000, order_id=order.pk), ask(50_000, instance_id=own.pk)):
        refunds.approve(refund_id=refund.pk, actor="minh", at=NOW)
        if refund.order_id:
            assert sums(Measure.REFUNDS) == {}, "approved, and not sent yet"
        refunds.mark_sent(refund_id=refund.pk, reference="FT9", actor="hoa", at=NOW)
    assert sums(Measure.REFUNDS) == {"REFUNDS": (100_000, 1)}
    Refund.objects.filter(order=order).update(sent_at=NOW - timedelta(days=3))
    assert sums(Measure.REFUNDS, day=date(2026, 11, 20)) == {"REFUNDS": (100_000, 1)}
    assert sums(Measure.REVENUE) == {"REVENUE": (599_000, 1)}
    assert wrong() == []


@pytest.mark.django_db
def test_what_goodwill_paid_is_no_revenue_and_is_not_paid_back() -> None:
    own = school()
    credit.grant(instance_id=own.pk, amount=700_000, reason="sorry", actor="lan", at=NOW)
    assert subscribe(own).status == "PAID"
    assert sums(Measure.REVENUE) == {"REVENUE": (0, 1)}
    later = NOW + timedelta(hours=1)
    second = subscribe(own, at=later)
    settle_transfer(transfer_id=line(second.memo, 498_000, at=later).pk, at=later)
    assert sums(Measure.REVENUE) == {"REVENUE": (498_000, 2)}
    back = ask(550_000, order_id=second.pk, at=later)
    refunds.approve(refund_id=back.pk, actor="minh", at=later)
    refunds.mark_sent(refund_id=back.pk, reference="FT9", actor="hoa", at=later)
    assert sums(Measure.REVENUE, Measure.REFUNDS) == {
        "REVENUE": (498_000, 2),
        "REFUNDS": (498_000, 1),
    }, "52,000 are goodwill again"
    assert wrong() == []


@pytest.mark.django_db
def test_an_entry_of_credit_that_comes_late_says_what_was_goodwill() -> None:
    own = school()
    settle_transfer(transfer_id=line(subscribe(own).memo, 1_198_000).pk, at=NOW)
    later = NOW + timedelta(hours=1)
    assert subscribe(own, at=later).status == "PAID"
    assert sums(Measure.REVENUE) == {"REVENUE": (1_198_000, 2)}
    CreditEntry.objects.bulk_create(
        CreditEntry(
            instance=own, amount=amount, kind="GRANTED", created_at=NOW, balance_after=0, reason="x"
        )
        for amount in (100_000, 50_000)
    )
    assert sums(Measure.REVENUE) == {"REVENUE": (1_048_000, 2)}
    assert wrong() == []


@pytest.mark.django_db
def test_a_refund_counts_however_it_comes_and_goes_and_a_paid_order_keeps_its_type() -> None:
    order = PaymentOrderFactory(paid=True, paid_at=NIGHT, memo=None)
    # No check may wait where triggers are switched.
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    with (
        without_trigger("refunds", "guard_refunds_birth"),
        without_trigger("refunds", "keep_refunds"),
    ):
        refund = RefundFactory(
            order=order,
            amount=1000,
            status="SENT",
            decided_by="minh",
            decided_at=NOW,
            sent_by="hoa",
            sent_at=NOW,
            sent_reference="FT9",
        )
        assert sums(Measure.REFUNDS) == {"REFUNDS": (1000, 1)}
        with pytest.raises(IntegrityError, match="what was paid stays"), atomic():
            PaymentOrder.objects.filter(pk=order.pk).update(type=PaymentType.ENROLLMENT)
        assert wrong() == []
        Refund.objects.filter(pk=refund.pk).delete()
        assert sums(Measure.REFUNDS) == {}
        assert wrong() == []


# --- Subscriptions ------------------------------------------------------------------------------


def step(was: str | None, stage: str) -> dict[str, int]:
    """By how much each measure's number changes."""
    found = execute(
        "SELECT measure, sum(quantity)::int FROM subscription_figures("
        "%s, 'BASIC', 100, %s, 'PREMIUM', 300) GROUP BY 1",
        was,
        stage,
    )
    return {measure: quantity for measure, quantity in found if quantity}


@pytest.mark.django_db
def test_whoever_pays_or_tries_came_in_somehow_and_leaves_somehow() -> None:
    paying = {"PAYING", "PAST_DUE"}
    for was, stage in product([None, *STAGES], STAGES):
        moved = {measure.value: 0 for measure in Measure} | step(was, stage)
        came = moved["STARTED"] + moved["TRIALS_CONVERTED"] + moved["RETURNED"] - moved["CHURNED"]
        assert came == moved["MRR"] == (stage in paying) - (was in paying), (was, stage)
        tried = moved["TRIALS_BEGUN"] - moved["TRIALS_CONVERTED"] - moved["TRIALS_LOST"]
        assert tried == moved["TRIALS"] == (stage == "TRIAL") - (was == "TRIAL"), (was, stage)
        assert moved["PAST_DUE"] == (stage == "PAST_DUE") - (was == "PAST_DUE")
        if was == stage:
            assert not any(moved.values())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (["TRIAL", "PAYING"], {"TRIALS_CONVERTED": 1}),
        (["TRIAL", "TRIAL_LOST", "PAYING"], {"TRIALS_CONVERTED": 1}),  # late
        (["TRIAL", "TRIAL_LOST", "TRIAL"], {}),  # given more days
        (["TRIAL", "PAYING", "TRIAL_LOST"], {"TRIALS_LOST": 1}),  # paid back
        (["TRIAL", "TRIAL_LOST", "GONE"], {"TRIALS_LOST": 1}),
        (["PAYING", "CANCELED", "PAYING"], {}),  # undone
        (["PAYING", "CANCELED", "LOST"], {"CHURNED": 1}),
        (["PAYING", "PAST_DUE", "LOST", "PAYING"], {"CHURNED": 1, "RETURNED": 1}),
        (["PAYING", "GONE", "PAYING"], {}),  # restored
        (["NEW", "PAYING", "NEW"], {}),  # the only payment is paid back
        (["NEW", "PAYING", "PAST_DUE"], {"STARTED": 1}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_what_is_undone_was_never_counted(path: list[str], expected: dict[str, int]) -> None:
    total: dict[str, int] = {}
    for was, stage in pairwise(path):
        for measure, quantity in step(was, stage).items():
            total[measure] = total.get(measure, 0) + quantity
    held = {"MRR", "PAST_DUE", "TRIALS"}
    assert {name: total[name] for name in total if name not in held and total[name]} == expected


@pytest.mark.django_db
def test_a_subscription_counts_by_what_its_history_says() -> None:
    own = SubscriptionFactory(
        status="TRIAL", trial_end=NOW, current_period_end=NOW, current_period_start=LONG_AGO_UTC
    )
    assert sums() == {"TRIALS": (299_000, 1), "TRIALS_BEGUN": (299_000, 1)}

    def change(**columns: Any) -> None:
        type(own).all_objects.filter(pk=own.pk).update(**columns)

    change(status="CANCELED")
    assert sums()["TRIALS_LOST"] == (299_000, 1)
    with acting("lan", at=NOW - timedelta(hours=1)):
        change(status="ACTIVE")
    assert sums() == {"TRIALS": (299_000, 1), "TRIALS_BEGUN": (299_000, 1)}, "nothing is paid"
    change(current_period_end=NOW + timedelta(days=30), tier="PREMIUM", monthly_price=1_299_000)
    expected = {
        "TRIALS_BEGUN": (299_000, 1),
        "TRIALS_CONVERTED": (1_299_000, 1),
        "MRR": (1_299_000, 1),
    }
    assert sums() == expected
    entries = FigureEntry.objects.count()
    change(current_period_start=NOW, updated_by="lan")
    assert FigureEntry.objects.count() == entries, "a period begins: no figure changes"
    change(status="PAST_DUE")
    assert sums() == expected | {"PAST_DUE": (1_299_000, 1)}
    own.refresh_from_db()
    own.delete()
    assert sums() == {
        "TRIALS_BEGUN": (299_000, 1),
        "TRIALS_CONVERTED": (1_299_000, 1),
        "CHURNED": (1_299_000, 1),
    }
    assert wrong() == []


@pytest.mark.django_db
def test_a_history_that_comes_from_an_archive_counts_on_its_days() -> None:
    with without_trigger("subscriptions", "log_subscription_changes"):
        own = SubscriptionFactory(trial_end=NOW, current_period_start=LONG_AGO_UTC)
    steps = ((9, "PAST_DUE", 30), (40, "TRIAL", 0), (30, "ACTIVE", 30), (3, "ACTIVE", 60))
    SubscriptionHistory.objects.bulk_create(
        SubscriptionHistory(
            subscription=own,
            tier="BASIC",
            status=status,
            monthly_price=1000,
            current_period_start=LONG_AGO_UTC,
            current_period_end=NOW + timedelta(days=paid),
            trial_end=NOW,
            deleted=False,
            changed_at=NOW - timedelta(days=days),
        )
        for days, status, paid in steps
    )
    day = (NOW - timedelta(days=30)).astimezone(HANOI).date()
    assert sums(day=day) == {
        "TRIALS": (-1000, -1),
        "TRIALS_CONVERTED": (1000, 1),
        "MRR": (1000, 1),
    }
    assert "PAST_DUE" not in sums()
    assert wrong() == []
    for days, status in ((5, "CANCELED"), (35, "PAST_DUE"), (50, "ACTIVE")):
        SubscriptionHistory.objects.create(
            subscription=own,
            tier="PREMIUM",
            status=status,
            monthly_price=7000,
            current_period_start=LONG_AGO_UTC,
            current_period_end=NOW + timedelta(days=90),
            trial_end=NOW,
            deleted=False,
            changed_at=NOW - timedelta(days=days),
        )
        assert wrong() == [], "older than some that are there"


@pytest.mark.django_db
def test_money_that_comes_makes_a_trial_a_customer() -> None:
    own = school()
    order = subscribe(own)
    settle_transfer(transfer_id=line(order.memo, order.amount).pk, at=NOW)
    there = sums()
    assert there["MRR"] == (599_000, 1)
    refunds.approve(refund_id=ask(599_000, order_id=order.pk).pk, actor="minh", at=NOW)
    assert sums().get("MRR") is None
    subscriptions.extend(instance_id=own.pk, days=3, at=NOW, actor="lan", reason="sorry")
    assert wrong() == []


# --- Folding and mending ------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_folding_changes_no_figure_and_mending_finds_nothing_to_do() -> None:
    for number in range(5):
        PaymentOrderFactory(paid=True, paid_at=NIGHT - timedelta(days=number % 3))
        SubscriptionFactory()
    before = changes(*Measure, since=date(2026, 11, 23))
    entries = FigureEntry.objects.count()
    assert fold_figures(batch=3) == entries
    assert FigureEntry.objects.count() == 0
    assert changes(*Measure, since=date(2026, 11, 23)) == before
    PaymentOrderFactory(paid=True, paid_at=NIGHT)
    assert (fold_figures(), fold_figures()) == (1, 0)
    assert rebuild_figures() == 0
    assert wrong() == []


@pytest.mark.django_db(transaction=True)
def test_mending_makes_the_figures_those_of_the_facts() -> None:
    order = PaymentOrderFactory(paid=True, paid_at=NIGHT, amount=1000)
    SubscriptionFactory()
    right = sums()
    fold_figures()
    execute("UPDATE daily_figures SET amount = amount + 7 WHERE measure = 'MRR'")
    execute("DELETE FROM daily_figures WHERE measure = 'STARTED'")
    execute(
        "INSERT INTO figure_entries (day, measure, tier, amount, quantity)"
        " VALUES ('2026-01-01', 'CHURNED', 'BASIC', 5, 5)"
    )
    execute("UPDATE daily_figures SET day = '2026-11-25', quantity = 3 WHERE measure = 'REVENUE'")
    assert len(wrong()) == 5
    assert rebuild_figures() == 5
    assert sums() == right
    assert sums(Measure.REVENUE, day=date(2026, 11, 24)) == {"REVENUE": (order.amount, 1)}
    assert (rebuild_figures(), wrong()) == (0, [])
    with pytest.raises(ValueError, match="at least one"):
        fold_figures(batch=0)


@pytest.mark.django_db(transaction=True)
def test_what_was_there_before_the_figures_is_counted_as_if_they_had_always_been() -> None:
    own = school()
    settle_transfer(transfer_id=line(subscribe(own).memo, 599_000).pk, at=NOW)
    PaymentOrderFactory(paid=True, paid_at=NIGHT, type=PaymentType.ENROLLMENT, tier=None, amount=7)
    PaymentOrderFactory()
    before = changes(*Measure, since=LONG_AGO)
    execute("DELETE FROM figure_entries")
    assert sums() == {}
    assert rebuild_figures() > 0
    assert changes(*Measure, since=LONG_AGO) == [
        each for each in before if (each.amount, each.quantity) != (0, 0)
    ]


def test_the_migration_counts_as_the_command_does() -> None:
    migration = ROOT / "billing/migrations/sql/0024_v18_figures_so_far.up.sql"
    lines = migration.read_text("utf-8").splitlines()
    statement = " ".join(each for each in lines if not each.startswith("--"))
    assert statement.rstrip(";") == " ".join(figures._MEND.split())


@pytest.mark.django_db(transaction=True)
def test_figures_are_read_by_one_query_and_what_was_before_comes_in_one_row() -> None:
    for days in (0, 40):
        PaymentOrderFactory(paid=True, paid_at=NIGHT - timedelta(days=days))
    SubscriptionFactory()
    execute("UPDATE figure_entries SET day = '2026-01-01' WHERE measure = 'MRR'")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = changes(Measure.REVENUE, Measure.MRR, since=date(2026, 11, 1))
    assert len(queries) == 1
    assert [(each.day, each.measure) for each in found] == [
        (None, Measure.MRR),
        (date(2026, 11, 24), Measure.REVENUE),
    ]
    assert DailyFigure.objects.count() == 0
    assert set(figures.RUNNING) < set(Measure)
