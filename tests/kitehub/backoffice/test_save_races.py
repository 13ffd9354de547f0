"""Two people save one row at the same moment, each on a connection of their own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError

import pytest
from django.db import connection, models
from django.test import Client

from billing.admin import PaymentOrderAdmin
from billing.models import PaymentOrder
from kitehub.backoffice.audit import Audited
from kitehub.db.base import Record
from kitehub.models import User
from tests.factories.billing import PaymentOrderFactory
from tests.kitehub.backoffice.open_forms import open_forms
from tests.kitehub.backoffice.pages import opened, page_url

__all__ = ["open_forms"]

pytestmark = pytest.mark.django_db(transaction=True)

# Longer than a save takes; how long both wait where the lock lets only one come that far.
PATIENCE = 1.0


@pytest.fixture
def meeting(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Holds each save between its check and its write until the other has come that far too.

    Gives, for each save that came there, whether the other one did as well.
    """
    barrier = Barrier(2)
    met: list[bool] = []
    write = PaymentOrderAdmin.save_model

    def save_model(self: PaymentOrderAdmin, *args: object) -> None:
        try:
            barrier.wait(PATIENCE)
            met.append(True)
        except BrokenBarrierError:
            met.append(False)
        write(self, *args)

    monkeypatch.setattr(PaymentOrderAdmin, "save_model", save_model)
    return met


@pytest.fixture
def without_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    for locking in (Audited, PaymentOrderAdmin):  # orders lock their bank lines too
        monkeypatch.setattr(locking, "get_object", super_get_object)


def super_get_object(self: PaymentOrderAdmin, *args: object) -> object:
    return super(Audited, self).get_object(*args)


@pytest.fixture
def without_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ORM's own save, which looks at no version."""
    monkeypatch.setattr(Record, "_do_update", models.Model._do_update)


def saves_at_once() -> tuple[PaymentOrder, list[int]]:
    """What two saves of one page make of an order, and how each was answered."""
    order = PaymentOrderFactory(qr_image_url="", transaction_reference=None)
    people = []
    for name in ("lan", "minh"):
        client = Client()
        client.force_login(User.objects.create_superuser(f"{name}@kitehub.test", "a password"))
        people.append(client)
    form = opened(people[0], order)
    entered = ({"qr_image_url": "https://a.vn"}, {"transaction_reference": "FT26"})

    def save(person: Client, change: dict[str, str]) -> Callable[[], int]:
        def run() -> int:
            try:
                return person.post(page_url(order), {**form, **change}).status_code
            finally:
                connection.close()

        return run

    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(save(*each)) for each in zip(people, entered, strict=True)]
        answers = sorted(job.result(30) for job in jobs)
    return PaymentOrder.objects.get(), answers


def kept(order: PaymentOrder) -> int:
    """How many of the two entries the order has."""
    return bool(order.qr_image_url) + bool(order.transaction_reference)


def test_one_is_saved_and_the_other_is_told(meeting: list[bool]) -> None:
    order, answers = saves_at_once()
    assert answers == [200, 302]
    assert (kept(order), order.version) == (1, 1)
    # The second never came as far as its write: the first one's lock held it before its check.
    assert meeting == [False]


@pytest.mark.usefixtures("without_lock")
def test_without_the_lock_the_version_still_refuses_the_second(meeting: list[bool]) -> None:
    order, answers = saves_at_once()
    assert answers == [200, 302]
    assert (kept(order), order.version) == (1, 1)
    assert meeting == [True, True]


@pytest.mark.usefixtures("without_lock", "without_version")
def test_control_without_both_guards_one_change_is_lost(meeting: list[bool]) -> None:
    order, answers = saves_at_once()
    assert answers == [302, 302]
    assert (kept(order), order.version) == (1, 2)
    assert meeting == [True, True]
