"""The words of billing, equal to the labels of the plan's enum types (V2, V6)."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class PaymentType(TextChoices):
    """Whom the money is for: KiteHub, or an instance that sells a course."""

    SUBSCRIPTION = "SUBSCRIPTION", _("Subscription")
    ENROLLMENT = "ENROLLMENT", _("Enrollment")


class PaymentStatus(TextChoices):
    """The state of a payment order."""

    PENDING = "PENDING", _("Awaiting payment")
    PAID = "PAID", _("Paid")
    EXPIRED = "EXPIRED", _("Expired")
    CANCELLED = "CANCELLED", _("Cancelled")


class SubscriptionStatus(TextChoices):
    """The state of a subscription."""

    TRIAL = "TRIAL", _("Trial")
    ACTIVE = "ACTIVE", _("Active")
    PAST_DUE = "PAST_DUE", _("Past due")
    CANCELED = "CANCELED", _("Cancelled")
    EXPIRED = "EXPIRED", _("Expired")
