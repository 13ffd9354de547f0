"""Orders and subscriptions under batches of writers at once: as if one had come after the other."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise, permutations
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from billing.models import PaymentOrder, SubscriptionHistory
from billing.services import Expiry, expire_overdue
from kitehub.db.acting import acting
from tests.billing.order_model import FIELDS, START, WRITERS, Order, read, write
from tests.concurrency.threads import together
from tests.factories.billing import PaymentOrderFactory, SubscriptionFactory
from tests.kitehub.db.records import execute, reread

pytestmark = pytest.mark.django_db(transaction=True)

SETTINGS = settings(max_examples=8, stateful_step_count=8, deadline=None)
# A writer with what they say, or how many minutes an expiry is late.
STEPS = st.lists(
    st.one_of(st.tuples(WRITERS, FIELDS), st.tuples(st.just("expire"), st.integers(20, 40))),
    min_size=2,
    max_size=4,
)


class OrderMachine(RuleBasedStateMachine):
    """One order. What a batch was told, and left, must be what some sequence of it would have."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Order()
        # An expiry counts every order that is due, and the examples share the table.
        PaymentOrder.all_objects.all().hard_delete()
        self.pk = PaymentOrderFactory(amount=1, expires_at=self.model.expires_at).pk
        self.seen = self.model.version

    def work(self, step: tuple[str, Any]) -> Callable[[], Any]:
        """One thread's part of a batch; who checks a version has read the row before the batch."""
        kind, value = step
        if kind == "expire":
            return lambda: expire_overdue(at=START + timedelta(minutes=value))
        row = read(self.pk)
        self.seen = row.version
        return lambda: write(kind, value, row)

    def outcomes(self, steps: list[Any], told: list[Any]) -> Iterator[Order]:
        """What the order may be by now: the end of each sequence in which all are told the same."""
        for sequence in permutations(zip(steps, told, strict=True)):
            order = self.model
            for (kind, value), result in sequence:
                if kind != "expire":
                    expected, order = order.written(kind, value, self.seen)
                    fits = expected == result
                # An expiry leaves an order alone that somebody else is just writing to.
                elif fits := result.orders == 0:
                    continue
                else:
                    count, order = order.expired(START + timedelta(minutes=value))
                    fits = count == result.orders
                if not fits:
                    break
            else:
                yield order

    @rule(steps=STEPS)
    def at_once(self, steps: list[Any]) -> None:
        told = together(*map(self.work, steps))
        assert all(isinstance(each, str | Expiry) for each in told), told
        row = read(self.pk)
        ends = [order for order in self.outcomes(steps, told) if order.equals(row)]
        assert ends, (self.model, steps, told, row.__dict__)
        self.model = ends[0]


def test_orders_take_writers_at_once_as_if_one_came_after_the_other() -> None:
    run_state_machine_as_test(OrderMachine, settings=SETTINGS)


# --- Subscriptions and their history ------------------------------------------------------------

FOLLOWS = {
    "TRIAL": {"ACTIVE", "CANCELED", "EXPIRED"},
    "ACTIVE": {"PAST_DUE", "CANCELED", "EXPIRED"},
    "PAST_DUE": {"ACTIVE", "CANCELED", "EXPIRED"},
    "CANCELED": {"ACTIVE", "EXPIRED"},
    "EXPIRED": {"ACTIVE"},
}
KEPT = ("status", "monthly_price", "tier", "deleted")
CHANGE = st.one_of(
    st.tuples(st.just("status"), st.sampled_from(sorted(FOLLOWS))),
    st.tuples(st.just("monthly_price"), st.integers(1, 3)),
    st.tuples(st.just("tier"), st.sampled_from(["BASIC", "PREMIUM"])),
    st.tuples(st.just("deleted"), st.booleans()),
)
# A transaction: who acts, and what they change one after the other.
TRANSACTION = st.tuples(
    st.sampled_from(["An", "Bình", "Chi"]), st.lists(CHANGE, min_size=1, max_size=3)
)


class SubscriptionMachine(RuleBasedStateMachine):
    """One subscription, whose history must tell everything that happened to it, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.row = SubscriptionFactory(status="TRIAL", monthly_price=1)

    def work(self, actor: str, changes: list[tuple[str, Any]]) -> str:
        """All of one transaction or, where a transition is forbidden, nothing of it."""
        try:
            with transaction.atomic(), acting(actor, f"{actor} said so"):
                for column, value in changes:
                    execute(
                        f"UPDATE subscriptions SET {column} = %s WHERE id = %s", value, self.row.pk
                    )
        except IntegrityError:
            return "refused"
        return "done"

    @rule(batch=st.lists(TRANSACTION, min_size=1, max_size=4))
    def at_once(self, batch: list[tuple[str, Any]]) -> None:
        told = together(*[lambda each=each: self.work(*each) for each in batch])
        assert set(told) <= {"done", "refused"}, told

    @invariant()
    def history_tells_everything(self) -> None:
        row = reread(self.row)
        told = SubscriptionHistory.objects.of_subscription(row.pk).order_by("changed_at")
        states = list(told.values_list(*KEPT))
        assert states[-1] == tuple(getattr(row, name) for name in KEPT)
        # Only columns that history keeps are written, so it has a row for every real change.
        assert len(states) - 1 == row.version
        for before, after in pairwise(states):
            assert before != after
            assert before[0] == after[0] or after[0] in FOLLOWS[before[0]]
        for entry in told[1:]:
            assert entry.change_reason == f"{entry.changed_by} said so"


def test_history_of_writers_at_once_is_whole_and_in_order() -> None:
    run_state_machine_as_test(SubscriptionMachine, settings=SETTINGS)
