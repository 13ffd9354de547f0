"""Background jobs about instances, and mail. A job of a tenant takes its `instance_id`, as text."""

import logging
from datetime import datetime
from uuid import UUID

from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from procrastinate.contrib.django import app

from kitehub import workflows
from kitehub.jobs.retries import UNTIL_DONE
from kitehub.services import emails, security, sessions

logger = logging.getLogger(__name__)


@app.task(retry=UNTIL_DONE)
def apply_tier(instance_id: str, actor: str, reason: str) -> str | None:
    """Brings a school's own database to the tier that the platform says; again until it is done."""
    tier = workflows.apply_tier(instance_id=UUID(instance_id), actor=actor, reason=reason)
    if tier is None:
        logger.warning("Instance %s is deleted; its tier is left as it was.", instance_id)
    return tier


@app.task
def move_instance(instance_id: str, to: str, actor: str, reason: str) -> str:
    """Moves a school to another database, or finishes its move. What is refused fails the job."""
    return workflows.do_move(instance_id=UUID(instance_id), to=to, actor=actor)


@app.task
def abort_move(instance_id: str, actor: str, reason: str) -> str:
    """Gives up a school's move before its switch."""
    return workflows.do_abort(instance_id=UUID(instance_id))


@app.task
def purge_moves(instance_id: str, actor: str, reason: str) -> int:
    """Removes what a school's finished moves left at their sources."""
    return workflows.do_purge(instance_id=UUID(instance_id))


@app.task
def close_instance(instance_id: str, days: int, actor: str, reason: str, asked_at: str) -> str:
    """Archives a school and closes it; says when its data goes."""
    due = workflows.do_closing(
        instance_id=UUID(instance_id),
        days=days,
        actor=actor,
        reason=reason,
        asked_at=datetime.fromisoformat(asked_at),
    )
    return due.isoformat()


@app.task
def finish_opening(instance_id: str, actor: str, reason: str) -> str:
    """Makes a school's database whole. What is wrong with the server fails the job."""
    return workflows.do_finishing(instance_id=UUID(instance_id), actor=actor)


@app.task(retry=UNTIL_DONE)
def send_email(email_id: str) -> str | None:
    """Sends a queued message; again while the mail server can't be reached."""
    return emails.send(email_id=UUID(email_id))


@app.periodic(cron="25 * * * *")
@app.task(queueing_lock="kitehub.tasks.watch_instances")
def watch_instances(timestamp: int) -> None:
    """Notes what is to be seen of every instance's database."""
    workflows.watch_instances()


@app.periodic(cron="20 20 * * *")  # UTC: twenty past three at night in Vietnam
@app.task(queueing_lock="kitehub.tasks.forget_emails")
def forget_emails(timestamp: int) -> None:
    """Deletes mail that was sent, or failed, long ago."""
    emails.forget(at=timezone.now())


@app.periodic(cron="30 20 * * *")  # UTC: half past three at night in Vietnam
@app.task(queueing_lock="kitehub.tasks.clear_sessions")
def clear_sessions(timestamp: int) -> None:
    """Deletes the sessions that are over."""
    SessionStore.clear_expired()


@app.periodic(cron="40 20 * * *")  # UTC: twenty to four at night in Vietnam
@app.task(queueing_lock="kitehub.tasks.forget_security_events")
def forget_security_events(timestamp: int) -> None:
    """Deletes what happened to accounts more than two years ago, and sessions that are over."""
    at = timezone.now()
    security.forget(at=at)
    sessions.forget_over(at=at)
