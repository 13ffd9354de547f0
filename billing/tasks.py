"""Background jobs about payment orders."""

from django.utils import timezone
from procrastinate.contrib.django import app

from billing import services


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="billing.tasks.expire_orders")
def expire_orders(timestamp: int) -> None:
    """Expires pending orders whose time is up."""
    services.expire_overdue(at=timezone.now())
