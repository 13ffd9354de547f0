"""Addresses of the owners' pages about money."""

from django.urls import path

from billing.views import bank_account, checkout, order_qr

urlpatterns = [
    path("qr/<str:token>.svg", order_qr.order_qr, {"kind": "svg"}, name="order_qr_svg"),
    path("qr/<str:token>.png", order_qr.order_qr, {"kind": "png"}, name="order_qr_png"),
    path("schools/<slug:subdomain>/bank/", bank_account.bank_account, name="bank_account"),
    path("schools/<slug:subdomain>/orders/<slug:code>/", checkout.checkout, name="checkout"),
    path(
        "schools/<slug:subdomain>/orders/<slug:code>/state/",
        checkout.checkout_state,
        name="checkout_state",
    ),
]
