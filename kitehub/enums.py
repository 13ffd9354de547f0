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
