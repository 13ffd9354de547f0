"""The app for background jobs."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    """Background jobs."""

    name = "kitehub.jobs"
    label = "jobs"
    verbose_name = _("Background jobs")
