"""Branding jobs go from state to state as their lifecycle says; their progress does not go back."""

import pytest
from django.db import IntegrityError, transaction

from branding.lifecycles import BRANDING_JOB
from branding.models import BrandingJob
from tests.factories.branding import BrandingJobFactory
from tests.kitehub.db.records import PLAIN, WRITERS, Writer, reread
from tests.kitehub.db.transitions import taken_by_database

pytestmark = pytest.mark.django_db
every_writer = pytest.mark.parametrize("write", PLAIN.values(), ids=PLAIN)


def job_in(state: str, progress: int = 0) -> BrandingJob:
    return reread(BrandingJobFactory(status=state, progress_percentage=progress))


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_job_takes_the_allowed_transitions_alone(write: Writer) -> None:
    assert taken_by_database(BRANDING_JOB, job_in, write) == set(BRANDING_JOB.pairs())


@every_writer
def test_progress_never_goes_back_while_processing(write: Writer) -> None:
    job = job_in("PROCESSING", 60)
    with pytest.raises(IntegrityError, match="go back from 60 to 59"), transaction.atomic():
        write(job, "progress_percentage", 59)
    assert reread(job).progress_percentage == 60
    job = reread(job)
    write(job, "progress_percentage", 61)
    assert reread(job).progress_percentage == 61


@pytest.mark.parametrize("state", ["PENDING", "FAILED", "COMPLETED"])
def test_progress_is_free_in_any_other_state(state: str) -> None:
    job = job_in(state, 60)
    job.progress_percentage = 0
    job.save()
    assert reread(job).progress_percentage == 0


def test_requeued_job_begins_again() -> None:
    job = job_in("PROCESSING", 60)
    job.status, job.progress_percentage = "PENDING", 0
    job.save()
    job.status = "PROCESSING"
    job.save()
    assert reread(job).progress_percentage == 0
