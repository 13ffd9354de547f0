"""The queue of jobs and the schema commands: V0 keeps it, `clean` drops it, its names are its own."""

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper

from tests.migrations.commands import schema
from tests.migrations.databases import execute, value

JOB = (
    "INSERT INTO procrastinate_jobs (queue_name, task_name, args)"
    " VALUES ('default', 'kitehub.tasks.apply_tier', '{}')"
)


def test_going_to_v0_and_back_keeps_the_jobs_that_wait(current: BaseDatabaseWrapper) -> None:
    execute(current, JOB)

    assert schema(current, "to", "V0", "--yes").code == 0
    assert value(current, "SELECT status::text FROM procrastinate_jobs") == "todo"
    assert schema(current, "validate").code == 0

    assert schema(current, "to", "latest", "--yes").code == 0
    assert value(current, "SELECT count(*) FROM procrastinate_jobs") == 1


def test_a_change_of_its_types_and_functions_is_drift(current: BaseDatabaseWrapper) -> None:
    execute(current, "ALTER TYPE procrastinate_job_to_defer_v1 ADD ATTRIBUTE note text")
    execute(current, "DROP FUNCTION procrastinate_retry_job_v2")

    outcome = schema(current, "validate")

    assert outcome.code == 3
    assert "type procrastinate_job_to_defer_v1 differs: attributes" in outcome.out
    assert "missing function procrastinate_retry_job_v2" in outcome.out


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("CREATE TABLE procrastinate_jobs (id int)", "table procrastinate_jobs"),
        ("CREATE TYPE procrastinate_job_to_defer_v1 AS (n int)", "type procrastinate_job_to_defer"),
        ("CREATE TYPE procrastinate_job_status AS ENUM ('x')", "type procrastinate_job_status"),
    ],
)
def test_its_names_that_somebody_else_took_are_said_before_anything_is_made(
    sql: str, said: str, empty: BaseDatabaseWrapper
) -> None:
    execute(empty, sql)

    outcome = schema(empty, "to", "latest", "--yes")

    assert outcome.code == 4
    assert said in outcome.out
    assert value(empty, "SELECT to_regclass('kitehub_users')") is None
