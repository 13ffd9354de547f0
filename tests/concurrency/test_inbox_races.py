"""Two people work through the inbox at once; the money counts once, and the second one is told."""

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from billing.admin.inbox import SortsOut
from billing.models import (
    BankTransfer,
    ManualPayment,
    PaymentAllocation,
    PaymentOrder,
    PlannedMatch,
)
from billing.services import credit, duplicates, inbox, manual, planned
from billing.services.inbox import CannotMatch
from tests.billing.bookings import line
from tests.billing.settling import NOW, OWN, school, subscribe
from tests.billing.test_manual_payments import confirm, enter
from tests.concurrency.threads import PATIENCE, Background, together
from tests.kitehub.backoffice.pages import form_of, page_url, signed_in
from tests.kitehub.db.records import without_trigger

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 3


def waiting() -> tuple[PaymentOrder, BankTransfer]:
    now = timezone.now()
    order = subscribe(school(), at=now - timedelta(hours=1))
    return order, line(599_000, account_number=OWN, transferred_at=now, received_at=now)


def plan(order: PaymentOrder, transfer: BankTransfer, actor: str) -> PlannedMatch:
    return planned.plan_match(
        transfer_id=transfer.pk, order_id=order.pk, actor=actor, at=timezone.now()
    )


def assign_twice_at_once() -> tuple[list[Any], PaymentOrder]:
    order, transfer = waiting()
    told = together(*[lambda by=by: plan(order, transfer, by) for by in ("lan", "hoa")])
    return told, order


def test_one_of_two_clicks_assigns_and_the_other_is_told_by_whom() -> None:
    for _ in range(ROUNDS):
        told, _order = assign_twice_at_once()
        (made,) = [each for each in told if isinstance(each, PlannedMatch)]
        (late,) = [each for each in told if isinstance(each, CannotMatch)]
        assert made.created_by in str(late)


def test_control_without_the_lines_lock_the_database_stops_the_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = threading.Barrier(2)

    def read_by_both(transfer_id: UUID, **_options: Any) -> BankTransfer:
        found = BankTransfer.objects.get(pk=transfer_id)
        if not hasattr(found, "met"):
            both.wait(PATIENCE)
        return found

    order, transfer = waiting()
    monkeypatch.setattr(planned.inbox, "waiting", read_by_both)
    monkeypatch.setattr(planned.inbox, "match_transfer", lambda **_said: None)
    told = together(*[lambda by=by: plan(order, transfer, by) for by in ("lan", "hoa")])
    assert sorted(type(each).__name__ for each in told) == ["IntegrityError", "PlannedMatch"]
    (late,) = [each for each in told if isinstance(each, IntegrityError)]
    assert "planned_matches_open_key" in str(late)


def test_booked_or_taken_back_but_never_both() -> None:
    for _ in range(ROUNDS):
        order, transfer = waiting()
        made = plan(order, transfer, "lan")
        at = made.due_at + timedelta(seconds=1)

        def back(made: PlannedMatch = made, at: Any = at) -> PlannedMatch:
            return planned.take_back(plan_id=made.pk, actor="lan", at=at)

        told = together(lambda made=made, at=at: planned.book_planned(plan_id=made.pk, at=at), back)
        booked = PaymentAllocation.objects.filter(order=order).exists()
        assert booked == isinstance(told[1], CannotMatch)
        assert str(told[0]) == ("BOOKED" if booked else "TAKEN_BACK")


def test_a_click_and_a_dialog_at_once_book_once() -> None:
    for _ in range(ROUNDS):
        order, transfer = waiting()

        def dialog(order: PaymentOrder = order, transfer: BankTransfer = transfer) -> Any:
            return inbox.match_transfer(
                transfer_id=transfer.pk, parts=[(order.pk, 599_000)], actor="hoa", reason="x"
            )

        together(lambda o=order, t=transfer: plan(o, t, "lan"), dialog)
        planned.book_due(at=timezone.now() + timedelta(minutes=1))
        assert PaymentAllocation.objects.filter(order=order).count() == 1
        transfer.refresh_from_db()
        assert (transfer.state, transfer.unmatched) == ("MATCHED", 0)


def test_a_dialog_that_is_sent_twice_at_once_keeps_credit_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own, now = school(), timezone.now()
    transfer = line(599_000, account_number=OWN, transferred_at=now, received_at=now)
    person, page = signed_in("lan@x.test"), page_url(transfer, "keep")
    sent = {**form_of(person.get(page)), "_form_submitted": "True", "reason": "x"}
    sent |= {"subdomain": own.subdomain, "amount": "100000", "retyped": "599000"}
    sent["plan"] = form_of(person.post(page, sent))["plan"]
    once = SortsOut._sort_out
    others: list[Background] = []

    def send_again_meanwhile(*args: Any) -> Any:
        """The first is held when all is compared, until the second waits for it or is done."""
        if not others:
            second = Client()
            second.cookies = person.cookies
            others.append(Background(lambda: second.post(page, sent)))
            others[0].wait_until_blocked_or_done()
        return once(*args)

    monkeypatch.setattr(SortsOut, "_sort_out", send_again_meanwhile)
    assert person.post(page, sent).status_code == 302
    assert others[0].join().status_code == 200  # shown again, with what has changed
    assert credit.balance(instance_id=own.pk) == 100_000


# --- Payments by hand ---------------------------------------------------------------------------


def confirm_twice_at_once() -> tuple[list[Any], PaymentOrder]:
    now = timezone.now()
    order = subscribe(school(), at=now - timedelta(hours=1))
    payment = manual.enter_payment(
        order_id=order.pk,
        kind="CASH",  # type: ignore[arg-type]
        amount=299_500,
        received_at=now,
        reference=str(order.pk),
        evidence="Phiếu thu",
        actor="lan",
        reason="x",
        at=now,
    )
    told = together(
        *[
            lambda by=by: manual.confirm_payment(payment_id=payment.pk, actor=by, at=now)
            for by in ("minh", "hoa")
        ]
    )
    order.refresh_from_db()
    return told, order


def test_one_of_two_confirmations_books() -> None:
    for _ in range(ROUNDS):
        told, order = confirm_twice_at_once()
        assert sorted(type(each).__name__ for each in told) == ["CannotEnter", "ManualPayment"]
        assert order.paid_amount == 299_500


def test_control_without_the_lock_only_the_database_stops_the_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = threading.Barrier(2)

    def read_by_both(payment_id: UUID) -> ManualPayment:
        found = ManualPayment.objects.select_related("order__instance").get(pk=payment_id)
        both.wait(PATIENCE)
        return found

    monkeypatch.setattr(manual, "_locked", read_by_both)
    with without_trigger("manual_payments", "guard_manual_payments_entry"):
        told, order = confirm_twice_at_once()
    # One line has the payment's key, so the second finds its line settled already.
    assert len([each for each in told if isinstance(each, ManualPayment)]) == 1
    assert order.paid_amount == 299_500


def tie_two_lines_at_once() -> list[Any]:
    """Two lines of one source, each said to be the money of the same payment by hand."""
    payment = confirm(enter(subscribe(school()), reference="Ảnh 12"))
    told_id, at = payment.transfer_id or UUID(int=0), NOW + timedelta(hours=25)
    lines = [line(599_000, account_number=OWN, transferred_at=at) for _ in range(2)]
    return together(
        *[
            lambda key=each.pk: duplicates.mark_duplicate(
                transfer_id=key, told_id=told_id, actor="lan", reason="x"
            )
            for each in lines
        ]
    )


def test_a_source_tells_a_payment_by_hand_once_also_if_two_say_so_at_once() -> None:
    told = tie_two_lines_at_once()
    assert sorted(type(each).__name__ for each in told) == ["BankTransfer", "CannotMatch"]


def test_control_without_the_lock_of_alike_lines_both_are_tied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = threading.Barrier(2)
    alike = duplicates.entered_alike

    def read_by_both(transfer: BankTransfer) -> Any:
        found = list(alike(transfer).values_list("pk", flat=True))
        both.wait(PATIENCE)
        return ManualPayment.objects.filter(pk__in=found)

    monkeypatch.setattr(duplicates, "lock_alike", lambda _line: None)
    monkeypatch.setattr(duplicates, "entered_alike", read_by_both)
    told = tie_two_lines_at_once()
    assert [type(each).__name__ for each in told] == ["BankTransfer", "BankTransfer"]
