"""Addresses of the owners' pages about money."""

from django.urls import path

from billing.views import bank_account

urlpatterns = [
    path("schools/<slug:subdomain>/bank/", bank_account.bank_account, name="bank_account"),
]
