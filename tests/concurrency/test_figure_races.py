"""Figures under several writers, folds and repairs at once: nothing is lost, nothing is doubled."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from django.db import connection, transaction

from billing.enums import Measure
from billing.models import DailyFigure, FigureEntry, PaymentOrder, Subscription
from billing.services import figures
from billing.services.figures import changes, fold_figures, rebuild_figures
from kitehub.db.invariants import findings
from tests.concurrency.threads import Background, together
from tests.factories.billing import PaymentOrderFactory, SubscriptionFactory
from tests.kitehub.db.records import execute

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 11, 23, 5, tzinfo=UTC)
LONG_AGO = date(2020, 1, 1)
WRITERS, WRITES = 3, 25


def wrong() -> list[str]:
    return [row for each in findings(connection) if "count" in each.what for row in each.rows]


def write(rng: Random, orders: list[PaymentOrder], owns: list[Subscription]) -> int:
    """Pays orders, moves them to other days, deletes and restores; returns how many were paid."""
    paid = 0
    for _ in range(WRITES):
        order = orders[rng.randrange(len(orders))]
        with transaction.atomic():
            match rng.randrange(4):
                case 0 | 1:
                    moment = NOON - timedelta(days=rng.randrange(3))
                    paid += PaymentOrder.objects.filter(pk=order.pk, status="PENDING").update(
                        status="PAID", paid_at=moment, transaction_reference=f"FT{order.pk}"
                    )
                case 2:
                    rows = PaymentOrder.all_objects.filter(pk=order.pk)
                    rows.update(deleted=rng.random() < 0.5)
                case 3:
                    own = owns[rng.randrange(len(owns))]
                    price = 100_000 * rng.randint(1, 9)
                    Subscription.objects.filter(pk=own.pk).update(monthly_price=price)
            if rng.random() < 0.2:
                transaction.set_rollback(True)
    return paid


def fold() -> int:
    return sum(fold_figures(batch=7) for _ in range(40))


def mend() -> int:
    return sum(rebuild_figures() for _ in range(15))


def test_writers_folds_and_repairs_at_once_leave_exact_figures() -> None:
    orders = [PaymentOrderFactory() for _ in range(30)]
    owns = [SubscriptionFactory() for _ in range(6)]
    writers = [
        lambda seed=seed: write(Random(seed), orders, owns)  # noqa: S311
        for seed in range(WRITERS)
    ]
    *counts, first, second, mended, again = together(*writers, fold, fold, mend, mend)
    assert all(isinstance(each, int) for each in (*counts, first, second, mended, again))
    assert first + second > 0, "somebody folded"
    assert mended + again == 0, "there was never anything to mend"
    assert wrong() == []
    # By another way than the checks': what is paid and there now.
    alive = PaymentOrder.objects.paid()
    revenue = sum(each.amount for each in changes(Measure.REVENUE, since=LONG_AGO))
    assert revenue == sum(order.amount for order in alive) > 0
    fold_figures()
    assert wrong() == []


def paid_while(folding: str | None) -> tuple[int, int]:
    """Folds while an order is being paid; how many orders the figures have, and how many there are.

    With `folding` the sums are written first and the entries deleted by a statement of their own.
    """
    PaymentOrderFactory(paid=True)
    with connection.cursor() as cursor:
        if folding:
            cursor.execute(folding)
            Background(lambda: PaymentOrderFactory(paid=True)).join()
            cursor.execute("DELETE FROM figure_entries")
        else:
            payer = Background(lambda: PaymentOrderFactory(paid=True))
            fold_figures()
            payer.join()
    total = sum(each.quantity for each in changes(Measure.REVENUE, since=LONG_AGO))
    return total, PaymentOrder.objects.paid().count()


def test_what_is_booked_during_a_fold_is_not_lost() -> None:
    assert paid_while(None) == (2, 2)


def test_control_a_fold_of_two_statements_loses_it() -> None:
    assert paid_while(
        "INSERT INTO daily_figures (day, measure, tier, amount, quantity)"
        " SELECT day, measure, tier, sum(amount), sum(quantity) FROM figure_entries"
        " GROUP BY day, measure, tier"
    ) == (1, 2)
    assert len(wrong()) == 1
    assert rebuild_figures() == 1
    assert wrong() == []


def test_an_entry_that_is_committed_late_is_folded_by_the_next_run() -> None:
    PaymentOrderFactory(paid=True)
    with transaction.atomic():
        # Its number is lower than the next one's, and nobody sees it yet.
        PaymentOrderFactory(paid=True)
        later = Background(lambda: (PaymentOrderFactory(paid=True), fold_figures())[1])
        assert later.join() == 2
    assert FigureEntry.objects.count() == 1
    assert fold_figures() == 1
    assert DailyFigure.objects.get(measure="REVENUE").quantity == 3


def test_a_second_run_leaves_it_to_the_first() -> None:
    PaymentOrderFactory(paid=True)
    with transaction.atomic():
        execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", figures._FOLDING)
        assert Background(fold_figures).join() == 0
    assert fold_figures() == 1
