"""The queue's own duties."""

from procrastinate.contrib.django import app

from kitehub.jobs import services


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="kitehub.jobs.tasks.requeue_stalled")
def requeue_stalled(timestamp: int) -> None:
    """Takes up the jobs of killed workers again."""
    services.requeue_stalled()


@app.periodic(cron="10 20 * * *")  # UTC: ten past three at night in Vietnam
@app.task(queueing_lock="kitehub.jobs.tasks.forget_finished")
def forget_finished(timestamp: int) -> None:
    """Deletes jobs that ended long ago."""
    services.forget_finished()
