"""The words of storage (plan, V7)."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class FileType(TextChoices):
    """What kind of file it is. The plan keeps text and gives these as examples."""

    IMAGE = "IMAGE", _("Image")
    VIDEO = "VIDEO", _("Video")
    ATTACHMENT = "ATTACHMENT", _("Attachment")


class StorageOperation(TextChoices):
    """What happened to a file."""

    UPLOAD = "UPLOAD", _("Upload")
    DELETE = "DELETE", _("Deletion")
