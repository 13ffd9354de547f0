"""Background jobs about instances. A job of a tenant takes its `instance_id`, as text."""

import logging
from uuid import UUID

from procrastinate.contrib.django import app

from kitehub import workflows
from kitehub.jobs.retries import UNTIL_DONE

logger = logging.getLogger(__name__)


@app.task(retry=UNTIL_DONE)
def apply_tier(instance_id: str, actor: str, reason: str) -> str | None:
    """Brings a school's own database to the tier that the platform says; again until it is done."""
    tier = workflows.apply_tier(instance_id=UUID(instance_id), actor=actor, reason=reason)
    if tier is None:
        logger.warning("Instance %s is deleted; its tier is left as it was.", instance_id)
    return tier
