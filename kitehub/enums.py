"""The words of the platform: tiers and the states of an instance."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Tier(TextChoices):
    """What an instance has bought (plan, V1)."""

    BASIC = "BASIC", _("Basic")
    STANDARD = "STANDARD", _("Standard")
    PREMIUM = "PREMIUM", _("Premium")


class InstanceStatus(TextChoices):
    """Whether an instance is open. The plan (V3) names TRIAL and leaves the others to us."""

    TRIAL = "TRIAL", _("Trial")
    ACTIVE = "ACTIVE", _("Active")
    SUSPENDED = "SUSPENDED", _("Suspended")
    CLOSED = "CLOSED", _("Closed")


class MoveStep(TextChoices):
    """How far a move has come. Each step is done once its word is kept, and may be repeated."""

    PLANNED = "PLANNED", _("Planned")
    PREPARED = "PREPARED", _("Target prepared")
    COPIED = "COPIED", _("Rows copied")
    SWITCHED = "SWITCHED", _("Placement switched")
    DONE = "DONE", _("Done, source kept")
    PURGED = "PURGED", _("Done, source removed")
    ABORTED = "ABORTED", _("Aborted")
