"""Background jobs about money."""

from uuid import UUID

from django.utils import timezone
from procrastinate.contrib.django import app

from billing import services
from billing.services import settlement
from kitehub.jobs.retries import UNTIL_DONE


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="billing.tasks.expire_orders")
def expire_orders(timestamp: int) -> None:
    """Expires pending orders whose time is up."""
    services.expire_overdue(at=timezone.now())


@app.task(retry=UNTIL_DONE)
def settle_transfer(transfer_id: str) -> str:
    """Settles a bank line; again until it is done. Once settled it stays as it is."""
    return settlement.settle_transfer(transfer_id=UUID(transfer_id)).value


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="billing.tasks.settle_waiting")
def settle_waiting(timestamp: int) -> None:
    """Settles bank lines whose own job was lost."""
    settlement.settle_waiting(at=timezone.now())
