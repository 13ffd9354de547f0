"""The app for AI branding jobs."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BrandingConfig(AppConfig):
    """AI branding jobs."""

    name = "branding"
    verbose_name = _("Branding")
