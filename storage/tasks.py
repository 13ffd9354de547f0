"""Background jobs about storage."""

from procrastinate.contrib.django import app

from storage import services


@app.periodic(cron="*/15 * * * *")
@app.task(queueing_lock="storage.tasks.expire_reservations")
def expire_reservations(timestamp: int) -> None:
    """Gives back the room of uploads that never came, in the pool and in every silo."""
    services.expire_everywhere()
