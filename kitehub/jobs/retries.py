"""When a job that failed is tried again."""

from datetime import timedelta

from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job

# So that a number of attempts that grows for months stays a number of seconds.
_MOST_DOUBLINGS = 20


class Backoff(BaseRetryStrategy):
    """Tries again for ever, each time after twice as long, up to `most`."""

    def __init__(self, *, first: timedelta, most: timedelta) -> None:
        self.first = first
        self.most = most

    def wait(self, attempts: int) -> timedelta:
        """How long to wait after so many attempts before the one that failed."""
        return min(self.first * (1 << min(attempts, _MOST_DOUBLINGS)), self.most)

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        """Again, whatever went wrong."""
        return RetryDecision(retry_in={"seconds": int(self.wait(job.attempts).total_seconds())})


UNTIL_DONE = Backoff(first=timedelta(seconds=2), most=timedelta(minutes=5))
