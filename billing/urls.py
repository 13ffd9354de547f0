"""Addresses of the owners' pages about money."""

from django.urls import path, re_path

from billing.views import bank_account, checkout, order_qr

urlpatterns = [
    re_path(r"^qr/(?P<token>[^/]{1,200})\.(?P<kind>svg|png)$", order_qr.order_qr, name="order_qr"),
    path("schools/<slug:subdomain>/bank/", bank_account.bank_account, name="bank_account"),
    path("schools/<slug:subdomain>/orders/<slug:code>/", checkout.checkout, name="checkout"),
    path(
        "schools/<slug:subdomain>/orders/<slug:code>/state/",
        checkout.checkout_state,
        name="checkout_state",
    ),
]
