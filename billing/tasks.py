"""Background jobs about money."""

import logging
from uuid import UUID

from django.utils import timezone
from procrastinate.contrib.django import app

from billing import services
from billing.accounts import NoReceivingAccount
from billing.services import figures, planned, reminders, renewals, settlement, silences
from billing.services.subscriptions import advance
from kitehub.jobs.retries import UNTIL_DONE

logger = logging.getLogger(__name__)


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="billing.tasks.expire_orders")
def expire_orders(timestamp: int) -> None:
    """Expires pending orders whose time is up."""
    services.expire_overdue(at=timezone.now())


@app.task(retry=UNTIL_DONE)
def settle_transfer(transfer_id: str) -> str:
    """Settles a bank line; again until it is done. Once settled it stays as it is."""
    return settlement.settle_transfer(transfer_id=UUID(transfer_id)).value


@app.task(retry=UNTIL_DONE)
def book_planned(plan_id: str) -> str:
    """Books an assignment that nobody has taken back; booked it stays as it is."""
    return planned.book_planned(plan_id=UUID(plan_id), at=timezone.now()).value


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="billing.tasks.settle_waiting")
def settle_waiting(timestamp: int) -> None:
    """Settles bank lines, and books assignments, whose own job was lost."""
    settlement.settle_waiting(at=timezone.now())
    planned.book_due(at=timezone.now())


@app.periodic(cron="*/10 * * * *")
@app.task(queueing_lock="billing.tasks.advance_subscriptions")
def advance_subscriptions(timestamp: int) -> None:
    """Begins the periods whose time has come, and ends what is over."""
    advance.advance_due(at=timezone.now())


@app.periodic(cron="0 0,5 * * *")  # UTC: 7 in the morning and noon in Vietnam
@app.task(queueing_lock="billing.tasks.renew_subscriptions")
def renew_subscriptions(timestamp: int) -> None:
    """Opens the orders for the next periods."""
    try:
        renewals.renew_due(at=timezone.now())
    except NoReceivingAccount as error:
        logger.warning("Nothing is renewed: %s", error)


@app.periodic(cron="5 1,6 * * *")  # UTC: five past 8 and five past one in Vietnam
@app.task(queueing_lock="billing.tasks.send_reminders")
def send_reminders(timestamp: int) -> None:
    """Reminds owners of the end of what they have paid."""
    reminders.remind_due(at=timezone.now())


@app.periodic(cron="20 * * * *")
@app.task(queueing_lock="billing.tasks.watch_feeds")
def watch_feeds(timestamp: int) -> None:
    """Notes which bank feeds have fallen silent."""
    silences.watch_feeds(at=timezone.now())


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="billing.tasks.fold_figures")
def fold_figures(timestamp: int) -> None:
    """Adds what has happened to the figures of its days."""
    figures.fold_figures()
