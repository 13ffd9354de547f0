"""/api/v1/orders: what the programs of a school ask about its course fees.

An instance's own orders for courses (ENROLLMENT) and no others: what it pays to KiteHub is between
its owner and us, and an order of another instance is one that isn't there. docs/api.md is the
manual.
"""

from datetime import timedelta
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from ninja import Router, Status
from ninja.params import functions as params

from billing import qr
from billing.accounts import NoReceivingAccount
from billing.api.schemas import (
    Code,
    Course,
    OrderIn,
    OrderOut,
    OrdersOut,
    Reference,
    order_out,
)
from billing.enums import PaymentStatus, PaymentType, ViewChannel
from billing.models import PaymentOrder
from billing.querysets import PaymentOrderQuerySet
from billing.services.order_terms import BadOrder
from billing.services.order_views import note_view
from billing.services.orders import (
    OrderClosed,
    ReferenceUsed,
    cancel_order,
    open_enrollment,
    payload_of,
    status_of,
)
from kitehub.api_auth import ApiKeyAuth, key_of
from kitehub.enums import ApiScope
from kitehub.etags import unchanged
from kitehub.problems import problem

# For how long a program may go by an answer, in seconds: somebody waits to see that it is paid.
MAX_AGE_SECONDS = 3
MOST_ROWS = 100

IdempotencyKey = Annotated[
    Reference | None,
    params.Header(
        alias="Idempotency-Key", description="The client_reference of a body without one"
    ),
]

router = Router(tags=["orders"])
_reads = ApiKeyAuth(ApiScope.ORDERS_READ)
_writes = ApiKeyAuth(ApiScope.ORDERS_WRITE)


def _orders(request: HttpRequest) -> PaymentOrderQuerySet:
    """All that a key may know of."""
    mine = PaymentOrder.objects.of_instance(key_of(request).instance_id)
    return mine.filter(type=PaymentType.ENROLLMENT).select_related("superseded_by")


def _order(request: HttpRequest, code: str) -> PaymentOrder:
    found = _orders(request).filter(order_id=code).first() if code.isprintable() else None
    if found is None:
        raise Http404
    return found


def _bad(field: str, message: str) -> HttpResponse:
    return problem(422, errors=[{"field": field, "message": message}])


# --- Opening and cancelling ---------------------------------------------------------------------

_CONFLICTS: dict[str, Promise] = {
    "reference_used": _("This reference is that of an order with other terms."),
    "no_bank_account": _("The instance has no bank account that can be paid to."),
    "no_owner": _("The instance has no owner."),
    "order_paid": _("The order is paid."),
    "order_expired": _("The order has expired."),
    "nothing_to_pay": _("There is nothing to pay on this order."),
}


def _conflict(code: str) -> HttpResponse:
    return problem(409, code, _CONFLICTS[code])


def _answers(descriptions: dict[int, str]) -> dict[str, Any]:
    """Answers beside the general ones, for the schema."""
    return {"responses": {status: {"description": said} for status, said in descriptions.items()}}


@router.post(
    "/orders",
    auth=_writes,
    response={201: OrderOut, 200: OrderOut},
    operation_id="open_order",
    openapi_extra=_answers(
        {
            400: "Broken JSON",
            409: "reference_used, no_bank_account or no_owner",
            413: "A body of more than 64 KiB",
            415: "The body doesn't say that it is JSON",
        }
    ),
)
def open_order(
    request: HttpRequest,
    response: HttpResponse,
    body: OrderIn,
    idempotency_key: IdempotencyKey = None,
) -> Any:
    """Opens an order for a course, which is paid to the school's own account.

    201 with a new one; 200 with the one that was opened by the same client_reference. An open order
    for the same student and course is cancelled: it is superseded by the new one.
    """
    key, now = key_of(request), timezone.now()
    try:
        order, new = open_enrollment(
            instance=key.instance,
            actor=key.shown_prefix,
            amount=body.amount,
            course_id=body.course_id,
            student_name=body.student_name,
            client_reference=body.client_reference or idempotency_key or "",
            open_for=timedelta(minutes=body.expires_in_minutes),
            at=now,
        )
    except ReferenceUsed:
        return _conflict("reference_used")
    except NoReceivingAccount:
        return _conflict("no_bank_account")
    except BadOrder as error:
        return _not_opened(error)
    response["Location"] = f"/api/v1/orders/{order.order_id}"
    response["Cache-Control"] = "no-store"
    return Status(201 if new else 200, order_out(order, at=now))


def _not_opened(error: BadOrder) -> HttpResponse:
    """Whether it is up to a field, to the instance, or to others who ask at once."""
    if error.field == "user":
        return _conflict("no_owner")
    if error.field == "subject":
        return problem(503)
    return _bad(error.field, error.message)


@router.post(
    "/orders/{code}/cancel",
    auth=_writes,
    response=OrderOut,
    operation_id="cancel_order",
    openapi_extra=_answers({404: "No such order", 409: "order_paid or order_expired"}),
)
def cancel(request: HttpRequest, response: HttpResponse, code: str) -> Any:
    """Cancels an open order; a cancelled one stays as it is.

    What was paid on it waits for a person. 409 for one that is paid or expired.
    """
    order, now = _order(request, code), timezone.now()
    if status_of(order, at=now) == PaymentStatus.EXPIRED:
        return _conflict("order_expired")
    try:
        cancel_order(
            order_id=order.pk,
            actor=key_of(request).shown_prefix,
            reason="the school's program cancelled it",
            at=now,
        )
    except OrderClosed as error:
        paid = error.status == PaymentStatus.PAID
        return _conflict("order_paid" if paid else "order_expired")
    response["Cache-Control"] = "no-store"
    return order_out(_order(request, code), at=now)


# --- Reading ------------------------------------------------------------------------------------


def list_orders(
    request: HttpRequest,
    response: HttpResponse,
    status: PaymentStatus | None = None,
    client_reference: Reference | None = None,
    course_id: Course | None = None,
    cursor: Code | None = None,
    limit: Annotated[int, params.Query(ge=1, le=MOST_ROWS)] = 20,
) -> Any:
    """The school's orders for courses, newest first, a page at a time."""
    now = timezone.now()
    rows = _orders(request)
    if status:
        rows = rows.in_status(status, at=now)
    if client_reference:
        rows = rows.filter(pk__in=_under(client_reference, rows=_orders(request)))
    if course_id:
        rows = rows.filter(course_id=course_id)
    if cursor:
        last = _orders(request).filter(order_id=cursor).first()
        if last is None:
            return _bad("cursor", "No page was ended by this one")
        rows = rows.older_than(last)
    found = list(rows.order_by("-created_at", "-id")[: limit + 1])
    page = found[:limit]
    response["Cache-Control"] = "no-store"
    return OrdersOut(
        items=[order_out(order, at=now) for order in page],
        next=page[-1].order_id if len(found) > limit else None,
    )


def _under(reference: str, *, rows: PaymentOrderQuerySet) -> list[UUID]:
    """The order with a reference, and those without one that staff opened anew in its place."""
    keys: list[UUID] = []
    order = rows.filter(client_reference=reference).first()
    while order is not None and order.pk not in keys:
        keys.append(order.pk)
        heir = order.superseded_by_id
        order = rows.filter(pk=heir, client_reference=None).first() if heir else None
    return keys


def read_order(request: HttpRequest, response: HttpResponse, code: str) -> Any:
    """One order, by its code.

    Send the last answer's ETag as If-None-Match: 304 says that nothing has changed.
    """
    said = order_out(_order(request, code), at=timezone.now())
    version = sha256(said.model_dump_json().encode()).hexdigest()[:20]
    return unchanged(request, response, version=version, max_age=MAX_AGE_SECONDS) or said


def order_svg(request: HttpRequest, code: str) -> HttpResponse:
    """The QR code that pays what is still to be paid, as SVG."""
    return _image(request, code, "image/svg+xml")


def order_png(request: HttpRequest, code: str) -> HttpResponse:
    """The QR code that pays what is still to be paid, as PNG."""
    return _image(request, code, "image/png")


def _image(request: HttpRequest, code: str, media_type: str) -> HttpResponse:
    order, now = _order(request, code), timezone.now()
    payload = payload_of(order, at=now)
    if payload is None:
        return _conflict("nothing_to_pay")
    if request.method == "GET":
        note_view(order_id=order.pk, channel=ViewChannel.API, at=now)
    drawn = qr.png(payload) if media_type == "image/png" else qr.svg(payload)
    response = HttpResponse(drawn, content_type=media_type)
    version = sha256(f"{media_type} {payload}".encode()).hexdigest()[:20]
    return unchanged(request, response, version=version, max_age=MAX_AGE_SECONDS) or response


def _to_be_read(path: str, view: Any, *, response: Any, extra: dict[str, Any]) -> None:
    """Adds an address for GET, and for HEAD, which the schema needn't say."""
    name = view.__name__
    router.get(path, auth=_reads, response=response, operation_id=name, openapi_extra=extra)(view)
    router.api_operation(["HEAD"], path, auth=_reads, response=response, include_in_schema=False)(
        view
    )


def _image_answers(media_type: str) -> dict[str, Any]:
    said = _answers({404: "No such order", 409: "nothing_to_pay"})
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    said["responses"][200] = {"description": "The image", "content": content}
    return said


_to_be_read("/orders", list_orders, response=OrdersOut, extra={})
_to_be_read(
    "/orders/{code}",
    read_order,
    response={200: OrderOut, 304: None},
    extra=_answers({404: "No such order"}),
)
_to_be_read(
    "/orders/{code}/qr.svg", order_svg, response=None, extra=_image_answers("image/svg+xml")
)
_to_be_read("/orders/{code}/qr.png", order_png, response=None, extra=_image_answers("image/png"))
