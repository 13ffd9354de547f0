"""The app for guest sessions and events."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnalyticsConfig(AppConfig):
    """Guest sessions and events."""

    name = "analytics"
    verbose_name = _("Analytics")
