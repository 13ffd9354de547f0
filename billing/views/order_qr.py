"""The QR code of an order as an image, for mail and for schools' own pages."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from billing import qr
from billing.enums import ViewChannel
from billing.models import PaymentOrder
from billing.qr_links import code_of
from billing.services.order_views import note_view
from billing.services.orders import payload_of

# Seconds; what is due changes with a payment.
FRESH = 60
_TEXT = "text/plain; charset=utf-8"


def _order(token: str) -> PaymentOrder:
    code = code_of(token)
    order = PaymentOrder.objects.filter(order_id=code).first() if code else None
    if order is None:
        raise Http404
    return order


@require_safe
def order_qr(request: HttpRequest, token: str, kind: str) -> HttpResponse:
    """SVG or PNG of what is still due; 404 for an address that isn't ours, 410 if nothing is due.

    Whoever has the address may see it: it says what a payer has to know, and no more.
    """
    order, now = _order(token), timezone.now()
    payload = payload_of(order, at=now)
    if payload is None:
        return HttpResponse(_("Nothing is due.") + "\n", status=410, content_type=_TEXT)
    if request.method == "GET":
        note_view(order_id=order.pk, channel=ViewChannel.LINK, at=now)
    if kind == "svg":
        response = HttpResponse(qr.svg(payload), content_type="image/svg+xml")
    else:
        response = HttpResponse(qr.png(payload), content_type="image/png")
    patch_cache_control(response, private=True, max_age=FRESH)
    return response
