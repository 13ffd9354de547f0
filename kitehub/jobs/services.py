"""What is done to background jobs: put into the queue, taken up again, forgotten."""

from datetime import datetime, timedelta

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import UniqueViolation
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task

from kitehub.db.sentences import sentence_of
from kitehub.jobs.models import JobFailure

# A worker says every 10 seconds that it lives; one that hasn't for this long is dead.
SILENT = timedelta(seconds=30)
KEPT = timedelta(days=7)
FAILURES_KEPT = timedelta(days=90)
BATCH = 1_000
ERROR_LENGTH = 2_000

Argument = str | int | bool | None

# Not the app's: within a worker that one has connections of its own, outside our transactions.
_queue = JobManager(DjangoConnector(DEFAULT_DB_ALIAS))


def enqueue(
    task: str,
    *,
    lock: str | None = None,
    not_before: datetime | None = None,
    **arguments: Argument,
) -> int:
    """Puts a job into the queue, in the open transaction of the platform; returns its id.

    `task` is the name of one in a `tasks.py`: "kitehub.tasks.apply_tier". Jobs with the same `lock`
    run one after another, in the order of their ids. Raises LookupError for an unknown task.
    """
    known = app.tasks.get(task)
    if known is None:
        raise LookupError(f"There is no task {task}.")
    job = configure_task(
        name=known.name,
        job_manager=_queue,
        lock=lock or known.lock,
        queueing_lock=known.queueing_lock,
        queue=known.queue,
        priority=known.priority,
        schedule_at=not_before,
    )
    # Two jobs of one queueing lock are an error, which must not cost the caller's transaction.
    with transaction.atomic(using=DEFAULT_DB_ALIAS):
        return job.defer(**arguments)


def requeue_stalled(*, silent: timedelta = SILENT) -> int:
    """Takes up again the jobs of workers that were killed; returns how many.

    Those are dead that haven't given a sign of life for `silent`, and those whose record is gone.
    Where the same job waits in the queue already, the stalled one ends as aborted. Two runs at once
    share the work.
    """
    with transaction.atomic(), connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(
            """
            SELECT job.id
            FROM procrastinate_jobs job
            LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
            WHERE job.status = 'doing'
                AND (worker.id IS NULL OR worker.last_heartbeat < now() - make_interval(secs => %s))
            ORDER BY job.id
            FOR UPDATE OF job SKIP LOCKED
            """,
            [silent.total_seconds()],
        )
        stalled = [job_id for (job_id,) in cursor.fetchall()]
        for job_id in stalled:
            _take_up(job_id)
    return len(stalled)


def requeue_failed(*, job_id: int) -> bool:
    """Puts a job that failed into the queue again; False if it isn't a failed one any more."""
    with transaction.atomic(), connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(
            "SELECT FROM procrastinate_jobs WHERE id = %s AND status = 'failed' FOR UPDATE",
            [job_id],
        )
        if not cursor.rowcount:
            return False
        try:
            with transaction.atomic():
                _retry(job_id)
        except UniqueViolation:
            return False  # the same job waits in the queue already
    return True


def cancel_waiting(*, job_id: int) -> bool:
    """Takes a job that waits out of the queue; False if it doesn't wait any more.

    A job that runs is left alone: it may be in the middle of anything.
    """
    with transaction.atomic(using=DEFAULT_DB_ALIAS):
        return _queue.cancel_job_by_id(job_id)


def forget_finished(
    *,
    at: datetime | None = None,
    keep: timedelta = KEPT,
    keep_failed: timedelta = FAILURES_KEPT,
) -> int:
    """Deletes jobs that ended `keep` ago, failed ones after `keep_failed`; returns how many.

    In transactions of at most 1,000 jobs.
    """
    at = at or timezone.now()
    forgotten = 0
    for statuses, before in (
        (["succeeded", "cancelled", "aborted"], at - keep),
        (["failed"], at - keep_failed),
    ):
        while count := _forget(statuses, before):
            forgotten += count
    return forgotten


def record_failure(*, job_id: int, error: BaseException) -> None:
    """Keeps what went wrong with a job, in a line without the values of a row.

    Also what the line is made of, where the error says that.
    """
    # PostgreSQL puts rows into the lines after the first.
    said = (str(error).strip().splitlines() or [""])[0].replace("\x00", "")
    kind = type(error).__name__
    line = f"{kind}: {said}"[:ERROR_LENGTH] if said else kind
    sentence = sentence_of(error)
    made_of = sentence.plain() if sentence else None
    JobFailure.objects.bulk_create(
        [JobFailure(job_id=job_id, error=line, said=made_of, failed_at=timezone.now())],
        update_conflicts=True,
        unique_fields=["job"],
        update_fields=["error", "said", "failed_at"],
    )


# --- Parts --------------------------------------------------------------------------------------


def _retry(job_id: int) -> None:
    _queue.retry_job_by_id(job_id, timezone.now())


def _take_up(job_id: int) -> None:
    try:
        with transaction.atomic():
            _retry(job_id)
    except UniqueViolation:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute("SELECT procrastinate_finish_job_v1(%s, 'aborted', false)", [job_id])


def _forget(statuses: list[str], before: datetime) -> int:
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM procrastinate_jobs
            WHERE id IN (
                SELECT job.id
                FROM procrastinate_jobs job
                WHERE job.status::text = ANY (%s)
                    AND NOT EXISTS (
                        SELECT FROM procrastinate_events event
                        WHERE event.job_id = job.id AND event.at >= %s
                    )
                ORDER BY job.id
                LIMIT %s
            )
            """,
            [statuses, before, BATCH],
        )
        return int(cursor.rowcount)
