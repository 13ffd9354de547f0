"""The words of the platform: tiers, the states of an instance, what an API key may do."""

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


class ApiScope(TextChoices):
    """What an API key may do. A new one needs a migration: the database knows them too."""

    ENTITLEMENTS_READ = "entitlements:read", _("Read what the instance may do")
    ORDERS_READ = "orders:read", _("Read payment orders")
    ORDERS_WRITE = "orders:write", _("Open and cancel payment orders")
    EVENTS_WRITE = "events:write", _("Record what guests do")


class ApiKeyState(TextChoices):
    """Whether an API key still opens anything; told by its times, not stored."""

    LIVE = "LIVE", _("Live")
    EXPIRED = "EXPIRED", _("Expired")
    REVOKED = "REVOKED", _("Revoked")
