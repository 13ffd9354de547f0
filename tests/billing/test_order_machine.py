"""A payment order under any sequence of writers does what a plain Python model of it does."""

from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from billing.models import PaymentOrder
from billing.services import expire_overdue
from kitehub.db.acting import acting
from tests.billing.order_model import FIELDS, START, WRITERS, Fields, Order, read, write
from tests.factories.billing import PaymentOrderFactory


class OrderMachine(RuleBasedStateMachine):
    """One order, which people read, and write to later."""

    def __init__(self) -> None:
        super().__init__()
        PaymentOrder.all_objects.all().hard_delete()
        self.model = Order()
        self.pk = PaymentOrderFactory(amount=1, expires_at=self.model.expires_at).pk
        self.seen = read(self.pk)
        self.now = START
        self.actor: str | None = None

    @rule()
    def look(self) -> None:
        """Somebody reads the order, to write to it sooner or later."""
        self.seen = read(self.pk)

    @rule(writer=WRITERS, fields=FIELDS, actor=st.sampled_from(["An", "Bình"]))
    def change(self, writer: str, fields: Fields, actor: str) -> None:
        version = self.model.version
        expected, self.model = self.model.written(writer, fields, self.seen.version)
        with acting(actor):
            told = write(writer, fields, self.seen)
        assert told == expected
        if self.model.version > version:
            self.actor = actor
        if writer in {"save", "asave"} and told == "done":
            # Who saved knows the version that they made, and may save again.
            assert self.seen.version == self.model.version
        else:
            self.seen = read(self.pk) if told != "done" else self.seen

    @rule(minutes=st.integers(1, 25))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        expected, self.model = self.model.expired(self.now)
        assert expire_overdue(at=self.now).orders == expected
        if expected:
            self.actor = "expire_orders"

    @invariant()
    def row_is_the_model(self) -> None:
        row = read(self.pk)
        assert self.model.equals(row), (self.model, row.__dict__)
        assert row.updated_by == self.actor


@pytest.mark.django_db
def test_order_does_what_its_model_does() -> None:
    run_state_machine_as_test(
        OrderMachine, settings=settings(max_examples=25, stateful_step_count=20, deadline=None)
    )
