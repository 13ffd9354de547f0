"""The plan's questions about branding jobs: right answers, from the indexes made for them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db.models import QuerySet

from branding.enums import BrandingStatus
from branding.models import BrandingJob
from tests.explain import filled, indexes_used, is_sorted_by_index
from tests.factories.branding import BrandingJobFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 6, 1, tzinfo=UTC)
both_managers = pytest.mark.parametrize(
    "jobs", [BrandingJob.objects, BrandingJob.all_objects], ids=["objects", "all_objects"]
)


@pytest.fixture(scope="class")
def many(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A job a minute up to NOW; half of the last thousand wait or run, of the others 5 % failed."""
    columns = {
        "job_id": "'J' || n",
        "instance_id": "lpad(to_hex(n % 30000), 32, '0')::uuid",
        "organization_name": "'Trung tâm ' || n",
        "status": """(CASE WHEN n > 99000 AND n % 4 = 0 THEN 'PENDING'
            WHEN n > 99000 AND n % 4 = 1 THEN 'PROCESSING'
            WHEN n % 20 = 3 THEN 'FAILED' ELSE 'COMPLETED' END)::branding_status""",
        "created_at": f"'{NOW}'::timestamptz - (100000 - n) * interval '1 minute'",
        "updated_at": f"'{NOW}'::timestamptz - (100000 - n) * interval '1 minute'",
        "deleted": "n % 50 = 0",
    }
    with django_db_blocker.unblock(), filled("branding_jobs", columns, scatter=30_000):
        yield


@pytest.mark.usefixtures("many")
class TestOnAHundredThousandJobs:
    @both_managers
    @pytest.mark.parametrize("batch", [1, 20, 50])
    def test_a_batch_to_poll_comes_sorted_from_its_index(
        self, jobs: "QuerySet[BrandingJob]", batch: int
    ) -> None:
        to_poll = jobs.to_poll()

        assert indexes_used(to_poll[:batch]) == {"idx_branding_jobs_status_updated"}
        assert is_sorted_by_index(to_poll[:batch])
        expected = [
            f"J{n}"
            for remainder in (0, 1)
            for n in range(100_000, 99_000, -1)
            if n % 4 == remainder and (n % 50 or jobs is BrandingJob.all_objects)
        ]
        assert [job.job_id for job in to_poll] == expected
        assert [job.job_id for job in to_poll[:batch]] == expected[:batch]

    @both_managers
    def test_an_instances_jobs_come_from_their_index(self, jobs: "QuerySet[BrandingJob]") -> None:
        own = jobs.of_instance(UUID(int=7))
        assert (
            indexes_used(own) == indexes_used(own.newest_first()) == {"idx_branding_jobs_instance"}
        )
        assert {job.job_id for job in own} == {"J7", "J30007", "J60007", "J90007"}


def test_jobs_to_poll_wait_or_run_and_the_latest_change_is_first() -> None:
    made = {
        (status, minutes): BrandingJobFactory(
            status=status, updated_at=NOW + timedelta(minutes=minutes)
        )
        for status in BrandingStatus
        for minutes in (1, 2)
    }
    waiting, running = BrandingStatus.PENDING, BrandingStatus.PROCESSING
    assert list(BrandingJob.objects.to_poll()) == [
        made[waiting, 2],
        made[waiting, 1],
        made[running, 2],
        made[running, 1],
    ]
    assert BrandingJob.objects.unfinished().count() == 4


def test_softly_deleted_jobs_hide_from_objects_alone() -> None:
    job = BrandingJobFactory(deleted=True)
    assert not BrandingJob.objects.to_poll()
    assert not BrandingJob.objects.of_instance(job.instance_id)
    assert BrandingJob.all_objects.to_poll().get() == job
    assert BrandingJob.all_objects.of_instance(job.instance_id).get() == job
