"""Which state a subscription is in at a moment, and how it gets there. No database, no clock."""

from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise

from billing.dunning import Ladder, Silence, Step, stage
from billing.enums import SubscriptionStatus
from billing.lifecycles import SUBSCRIPTION

Status = SubscriptionStatus


def status_at(
    status: SubscriptionStatus,
    *,
    end: datetime,
    tried: bool,
    at: datetime,
    ladder: Ladder,
    silences: Iterable[Silence] = (),
) -> SubscriptionStatus:
    """The state of a subscription that is paid until `end`, from the one that it was in.

    `tried`: nothing has been paid for yet. A trial has no grace, and what was cancelled hasn't
    either. What has expired stays so until there is time ahead again.
    """
    if status == Status.TRIAL and not tried:
        status = Status.ACTIVE
    if at < end:
        return Status.ACTIVE if status in (Status.PAST_DUE, Status.EXPIRED) else status
    if tried or status in (Status.CANCELED, Status.EXPIRED):
        return Status.EXPIRED
    step = stage(period_end=end, at=at, silences=silences, ladder=ladder).step
    return Status.EXPIRED if step == Step.SUSPENDED else Status.PAST_DUE


def steps_between(
    before: SubscriptionStatus, after: SubscriptionStatus, *, ended: bool
) -> list[SubscriptionStatus]:
    """The states to write one after another, so that each step is one that the lifecycle has.

    `ended`: the time that was there before is over, so that nothing cancelled comes back directly.
    """
    if before == after:
        return []
    direct = SUBSCRIPTION.allows(before, after)
    if direct and not (ended and (before, after) == (Status.CANCELED, Status.ACTIVE)):
        return [after]
    for middle in (Status.EXPIRED, Status.ACTIVE):
        steps = [before, middle, after]
        if all(SUBSCRIPTION.allows(one, two) for one, two in pairwise(steps)):
            return [middle, after]
    return [Status.EXPIRED, Status.ACTIVE, after]
