"""The words of guest analytics. The plan (V4) keeps them as text and gives these as examples."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class GuestSource(TextChoices):
    """Where a guest came from."""

    LANDING_PAGE = "landing_page", _("Landing page")
    SOCIAL_MEDIA = "social_media", _("Social media")
    ORGANIC = "organic", _("Search")
    REFERRAL = "referral", _("Referral")


class DeviceType(TextChoices):
    """What a guest looked with."""

    MOBILE = "mobile", _("Phone")
    DESKTOP = "desktop", _("Computer")
    TABLET = "tablet", _("Tablet")


class EventType(TextChoices):
    """What a guest did. Front ends may send others: the column is text."""

    PAGE_VIEW = "page_view", _("Page view")
    COURSE_VIEW = "course_view", _("Course view")
    CONTACT_CLICK = "contact_click", _("Contact click")
    TRIAL_REGISTER = "trial_register", _("Trial lesson registration")
