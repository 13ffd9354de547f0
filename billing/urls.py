"""Addresses of the owners' pages about money."""

from django.urls import include, path

from billing.views import bank_account, checkout, order_qr, plans, subscription

_of_a_school = [
    path("", subscription.subscription, name="subscription"),
    path("cancel/", subscription.cancel, name="cancel"),
    path("undo/", subscription.undo, name="undo"),
    path("plans/", plans.plans, name="plans"),
    path("plans/<slug:tier>/", plans.downgrade, name="downgrade"),
    path("bank/", bank_account.bank_account, name="bank_account"),
    path("orders/<slug:code>/", checkout.checkout, name="checkout"),
    path("orders/<slug:code>/state/", checkout.checkout_state, name="checkout_state"),
    path("receipts/<int:year>/<int:number>/", subscription.receipt, name="receipt"),
    path("receipts/<int:year>/<int:number>.pdf", subscription.receipt_pdf, name="receipt_pdf"),
]

urlpatterns = [
    path("qr/<str:token>.svg", order_qr.order_qr, {"kind": "svg"}, name="order_qr_svg"),
    path("qr/<str:token>.png", order_qr.order_qr, {"kind": "png"}, name="order_qr_png"),
    path("schools/<slug:subdomain>/", include(_of_a_school)),
]
