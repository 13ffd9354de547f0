"""The words of the platform: tiers, states of an instance and of mail, what an API key may do."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


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


class Standing(TextChoices):
    """What the state of its subscription, and its own, make of an instance at a moment."""

    TRIAL = "TRIAL", _("Trial")
    ACTIVE = "ACTIVE", _("Active")
    PAST_DUE = "PAST_DUE", _("Past due")
    CANCELED = "CANCELED", _("Cancelled")
    PAUSED = "PAUSED", _("Paused")
    ENDED = "ENDED", _("Ended")
    SUSPENDED = "SUSPENDED", _("Suspended")
    CLOSED = "CLOSED", _("Closed")
    DELETED = "DELETED", _("Deleted")


class EntitlementReason(TextChoices):
    """Why an instance may or may not use a feature. Programs go by these: none is ever renamed."""

    TIER = "TIER", _("The tier says so")
    OVERRIDE = "OVERRIDE", _("An exception to the tier says so")
    TRIAL = "TRIAL", _("Tried for free until the trial ends")
    TRIAL_ENDED = "TRIAL_ENDED", _("The trial has ended")
    SUBSCRIPTION_ENDED = "SUBSCRIPTION_ENDED", _("The subscription has ended")
    PAUSED = "PAUSED", _("The subscription is paused")
    NO_SUBSCRIPTION = "NO_SUBSCRIPTION", _("There is no subscription")
    SUSPENDED = "SUSPENDED", _("The instance is suspended")
    CLOSED = "CLOSED", _("The instance is closed")
    DELETED = "DELETED", _("The instance is deleted")


class EntitlementSource(TextChoices):
    """Which row an entitlement comes from."""

    TIER = "tier", _("Tier catalogue")
    CONFIG = "config", _("Instance config")
    SUBSCRIPTION = "subscription", _("Subscription")
    INSTANCE = "instance", _("Instance")


class MoveStep(TextChoices):
    """How far a move has come. Each step is done once its word is kept, and may be repeated."""

    PLANNED = "PLANNED", _("Planned")
    PREPARED = "PREPARED", _("Target prepared")
    COPIED = "COPIED", _("Rows copied")
    SWITCHED = "SWITCHED", _("Placement switched")
    DONE = "DONE", _("Done, source kept")
    PURGED = "PURGED", _("Done, source removed")
    ABORTED = "ABORTED", _("Aborted")


class EmailState(TextChoices):
    """What became of a message."""

    QUEUED = "QUEUED", _("Waiting")
    SENDING = "SENDING", _("Being sent")
    SENT = "SENT", pgettext_lazy("email", "Sent")
    FAILED = "FAILED", _("Failed")


class SecurityEventKind(TextChoices):
    """What happened to somebody's account, or to what groups may do."""

    SIGNED_IN = "SIGNED_IN", _("Signed in")
    CODE_ASKED = "CODE_ASKED", _("Password right, code asked for")
    SIGN_IN_FAILED = "SIGN_IN_FAILED", _("Wrong password or address")
    CODE_REFUSED = "CODE_REFUSED", _("Wrong code")
    THROTTLED = "THROTTLED", _("Too many attempts")
    SIGNED_OUT = "SIGNED_OUT", _("Signed out")
    SESSION_ENDED = "SESSION_ENDED", _("Session ended")
    PASSWORD_CHANGED = "PASSWORD_CHANGED", _("Password changed")
    EMAIL_CHANGED = "EMAIL_CHANGED", _("E-mail address changed")
    POWERS_CHANGED = "POWERS_CHANGED", _("Powers changed")
    GROUP_CHANGED = "GROUP_CHANGED", _("Permissions of a group changed")
    FACTOR_ON = "FACTOR_ON", _("Codes turned on")
    FACTOR_OFF = "FACTOR_OFF", _("Codes turned off")
    FACTOR_RESET = "FACTOR_RESET", _("Codes reset by a superuser")
    BACKUP_CODE_USED = "BACKUP_CODE_USED", _("Backup code used")
    BACKUP_CODES_MADE = "BACKUP_CODES_MADE", _("New backup codes")
