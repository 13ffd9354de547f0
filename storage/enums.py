"""The words of storage (plan, V7; adjustments and reservations, V10)."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class FileType(TextChoices):
    """What kind of file it is. The plan keeps text and gives these as examples."""

    IMAGE = "IMAGE", _("Image")
    VIDEO = "VIDEO", _("Video")
    ATTACHMENT = "ATTACHMENT", _("Attachment")


class StorageOperation(TextChoices):
    """What happened to a file; or, to no file, what was put right about the sum."""

    UPLOAD = "UPLOAD", _("Upload")
    DELETE = "DELETE", _("Deletion")
    ADJUST = "ADJUST", _("Adjustment")


class ReservationStatus(TextChoices):
    """What became of the room that was set aside for an upload."""

    OPEN = "OPEN", _("Open")
    COMMITTED = "COMMITTED", _("Uploaded")
    RELEASED = "RELEASED", _("Given back")
    EXPIRED = "EXPIRED", _("Expired")
