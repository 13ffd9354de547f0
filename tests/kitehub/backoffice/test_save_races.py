"""Two people save one row at the same moment, each on a connection of their own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError

import pytest
from django.db import connection, models
from django.test import Client

from branding.admin import BrandingJobAdmin
from branding.models import BrandingJob
from kitehub.backoffice.audit import Audited
from kitehub.db.base import Record
from kitehub.models import User
from tests.factories.branding import BrandingJobFactory
from tests.kitehub.backoffice.pages import opened, page_url

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
    write = BrandingJobAdmin.save_model

    def save_model(self: BrandingJobAdmin, *args: object) -> None:
        try:
            barrier.wait(PATIENCE)
            met.append(True)
        except BrokenBarrierError:
            met.append(False)
        write(self, *args)

    monkeypatch.setattr(BrandingJobAdmin, "save_model", save_model)
    return met


@pytest.fixture
def without_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Audited, "get_object", super_get_object)


def super_get_object(self: BrandingJobAdmin, *args: object) -> object:
    return super(Audited, self).get_object(*args)


@pytest.fixture
def without_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ORM's own save, which looks at no version."""
    monkeypatch.setattr(Record, "_do_update", models.Model._do_update)


def saves_at_once() -> tuple[BrandingJob, list[int]]:
    """What two saves of one page make of a job, and how each was answered."""
    job = BrandingJobFactory()
    people = []
    for name in ("lan", "minh"):
        client = Client()
        client.force_login(User.objects.create_superuser(f"{name}@kitehub.test", "a password"))
        people.append(client)
    form = opened(people[0], job)
    entered = ({"logo_url": "https://a.vn"}, {"error_message": "hết giờ"})

    def save(person: Client, change: dict[str, str]) -> Callable[[], int]:
        def run() -> int:
            try:
                return person.post(page_url(job), {**form, **change}).status_code
            finally:
                connection.close()

        return run

    with ThreadPoolExecutor(2) as pool:
        sent = [pool.submit(save(*each)) for each in zip(people, entered, strict=True)]
        answers = sorted(each.result(30) for each in sent)
    return BrandingJob.objects.get(), answers


def kept(job: BrandingJob) -> int:
    """How many of the two entries the job has."""
    return bool(job.logo_url) + bool(job.error_message)


def test_one_is_saved_and_the_other_is_told(meeting: list[bool]) -> None:
    job, answers = saves_at_once()
    assert answers == [200, 302]
    assert (kept(job), job.version) == (1, 1)
    # The second never came as far as its write: the first one's lock held it before its check.
    assert meeting == [False]


@pytest.mark.usefixtures("without_lock")
def test_without_the_lock_the_version_still_refuses_the_second(meeting: list[bool]) -> None:
    job, answers = saves_at_once()
    assert answers == [200, 302]
    assert (kept(job), job.version) == (1, 1)
    assert meeting == [True, True]


@pytest.mark.usefixtures("without_lock", "without_version")
def test_control_without_both_guards_one_change_is_lost(meeting: list[bool]) -> None:
    job, answers = saves_at_once()
    assert answers == [302, 302]
    assert (kept(job), job.version) == (1, 2)
    assert meeting == [True, True]
