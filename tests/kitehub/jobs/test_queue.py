"""Jobs enter the queue with the rows that they are about, or not at all."""

from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from procrastinate.exceptions import AlreadyEnqueued

from kitehub import tenancy
from kitehub.jobs import services
from kitehub.jobs.models import JobFailure
from kitehub.models import Instance, User
from tests.factories.kitehub import UserFactory
from tests.kitehub.jobs.working import jobs, run_due, states, task


def note(text: str = "") -> None:
    User.objects.create(email=f"{text}@example.vn")


@pytest.mark.django_db
def test_a_rollback_takes_the_job_along() -> None:
    with task(note) as name:
        with transaction.atomic():
            UserFactory()
            services.enqueue(name)
            assert states() == ["todo"]
            transaction.set_rollback(True)
        assert jobs() == []


@pytest.mark.django_db(transaction=True)
def test_nobody_sees_a_job_before_its_transaction_ends() -> None:
    with task(note) as name:
        with transaction.atomic():
            services.enqueue(name, text="early")
            run_due()
            assert states() == ["todo"]
        run_due()
        assert jobs() == [(name, "succeeded", 1)]


@pytest.mark.django_db
def test_an_unknown_task_is_an_error_where_it_is_named() -> None:
    with pytest.raises(LookupError, match=r"There is no task kitehub\.tasks\.nonesuch"):
        services.enqueue("kitehub.tasks.nonesuch")


@pytest.mark.django_db
def test_a_job_that_waits_already_does_not_break_the_transaction() -> None:
    with task(note, queueing_lock="one") as name, transaction.atomic():
        services.enqueue(name)
        with pytest.raises(AlreadyEnqueued):
            services.enqueue(name)
        UserFactory(email="still@example.vn")
    assert User.objects.filter(email="still@example.vn").exists()
    assert states() == ["todo"]


@pytest.mark.django_db(transaction=True)
def test_a_job_that_a_job_enqueues_goes_with_that_jobs_transaction() -> None:
    """Within a worker procrastinate's own `defer` has another connection."""

    def enqueues_and_fails(inner: str) -> None:
        with transaction.atomic():
            services.enqueue(inner, text="lost")
            raise ZeroDivisionError

    with task(note) as inner, task(enqueues_and_fails) as outer:
        services.enqueue(outer, inner=inner)
        run_due()
        assert jobs() == [(outer, "failed", 1)]


@pytest.mark.django_db(transaction=True)
def test_jobs_of_one_lock_run_in_their_order_also_with_several_at_once() -> None:
    ran: list[int] = []

    def one(number: int) -> None:
        ran.append(number)

    with task(one) as name:
        for number in range(5):
            services.enqueue(name, lock="same", number=number)
        run_due()
    assert ran == [0, 1, 2, 3, 4]


@pytest.mark.django_db(transaction=True)
def test_the_last_error_is_kept_without_the_values_of_a_row() -> None:
    def fails(again: bool) -> None:
        note("twice")
        note("twice")

    with task(fails) as name:
        job_id = services.enqueue(name, again=True)
        run_due()
        (failure,) = JobFailure.objects.all()
        assert failure.job_id == job_id
        assert failure.error.startswith("IntegrityError: duplicate key value violates unique")
        assert "example.vn" not in failure.error
        first = failure.failed_at
        assert services.requeue_failed(job_id=job_id)
        assert not services.requeue_failed(job_id=job_id), "it waits already"
        run_due()
        (failure,) = JobFailure.objects.all()
        assert failure.failed_at > first
        assert jobs() == [(name, "failed", 3)]


@pytest.mark.django_db(transaction=True)
def test_finished_jobs_are_forgotten_and_failed_ones_later() -> None:
    def ends(well: bool) -> None:
        assert well

    with task(ends) as name:
        services.enqueue(name, well=True)
        services.enqueue(name, well=False)
        run_due()
        services.enqueue(name, well=True)
        age = "UPDATE procrastinate_events SET at = at - %s * interval '1 day'"

        def after(days: int) -> list[str]:
            with connection.cursor() as cursor:
                cursor.execute(age, [days])
            services.forget_finished()
            return states(name)

        assert after(6) == ["succeeded", "failed", "todo"]
        assert after(2) == ["failed", "todo"]
        assert JobFailure.objects.count() == 1
        assert after(90) == ["todo"]
        assert JobFailure.objects.count() == 0


def test_silos_have_no_queue(silo: Instance) -> None:
    with tenancy.use(silo), connections[tenancy.alias_of(silo)].cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname ~ 'procrastinate|job_failures'"
            " UNION ALL SELECT proname FROM pg_proc WHERE proname ~ 'procrastinate'"
            " UNION ALL SELECT typname FROM pg_type WHERE typname ~ 'procrastinate'"
        )
        assert cursor.fetchall() == []


@pytest.mark.django_db
def test_enqueuing_is_one_statement_in_a_savepoint() -> None:
    with task(note) as name, transaction.atomic(), CaptureQueriesContext(connection) as queries:
        services.enqueue(name)
    said: list[Any] = [query["sql"].split()[0] for query in queries]
    assert said == ["SAVEPOINT", "SELECT", "RELEASE"]
