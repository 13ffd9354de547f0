"""The app for payment orders, bank transfers and subscriptions."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BillingConfig(AppConfig):
    """Payment orders and subscriptions."""

    name = "billing"
    verbose_name = _("Billing")
