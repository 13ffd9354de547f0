"""The words of branding, equal to the labels of the plan's enum type (V5)."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class BrandingStatus(TextChoices):
    """The state of a branding job."""

    PENDING = "PENDING", _("Waiting")
    PROCESSING = "PROCESSING", _("In progress")
    COMPLETED = "COMPLETED", _("Completed")
    FAILED = "FAILED", _("Failed")
