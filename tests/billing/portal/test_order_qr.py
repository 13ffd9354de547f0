"""The signed address of an order's QR code: ours alone, and what it draws is what is due."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from billing import vietqr
from billing.models import PaymentOrder
from billing.qr_links import code_of, qr_url
from billing.services.orders import payload_of
from kitehub.models import Instance
from tests.billing.portal.orders import open_order
from tests.billing.qr_readers import png_pixels, read_pixels, svg_pixels

pytestmark = pytest.mark.django_db
SITE = "http://127.0.0.1:8000"


def path(code: str, kind: str = "svg") -> str:
    url = qr_url(code, kind)
    assert url.startswith(f"{SITE}/qr/{code}")
    return url.removeprefix(SITE)


def test_what_is_due_is_drawn_for_whoever_has_the_address(client: Client, school: Instance) -> None:
    order = open_order(school, credit_offered=99_000)
    svg, png = client.get(path(order.order_id)), client.get(path(order.order_id, "png"))
    assert (svg.status_code, svg["Content-Type"]) == (200, "image/svg+xml")
    assert (png.status_code, png["Content-Type"]) == (200, "image/png")
    assert svg["Cache-Control"] == "private, max-age=60"
    drawn = read_pixels(svg_pixels(svg.content.decode(), 4)).text
    assert (
        drawn == read_pixels(png_pixels(png.content)).text == payload_of(order, at=timezone.now())
    )
    assert vietqr.decode(drawn) == vietqr.VietQR(
        bank_bin="970436",
        account_number="0011002233445",
        amount=500_000,
        memo=order.order_id,
        one_time=True,
    )
    assert order.qr_image_url == qr_url(order.order_id)


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token.replace("KH", "KJ"),
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: token.partition(":")[0],
        lambda token: token.partition(":")[0] + ":",
        lambda token: "x",
        lambda token: token + ":" + token,
    ],
)
def test_a_forged_address_is_nothing(change: Any, client: Client, school: Instance) -> None:
    url = path(open_order(school).order_id)
    token = url.removeprefix("/qr/").removesuffix(".svg")
    assert code_of(token)
    assert client.get(f"/qr/{change(token)}.svg").status_code == 404
    assert client.get(f"/qr/{token}.gif").status_code == 404
    assert client.get(path("KH22222222")).status_code == 404, "nobody's order"


def test_nothing_is_drawn_that_nobody_should_pay(client: Client, school: Instance) -> None:
    paid = open_order(school)
    url = path(paid.order_id)
    foreign = open_order(school, bank_bin=None)
    assert client.get(path(foreign.order_id)).status_code == 410
    PaymentOrder.objects.filter(pk=paid.pk).update(
        status="PAID", paid_at=timezone.now(), transaction_reference="FT1"
    )
    assert client.get(url).status_code == 410
    overdue = open_order(school, expires_at=timezone.now() - timedelta(seconds=1))
    answer = client.get(path(overdue.order_id))
    assert (answer.status_code, answer.content.decode()) == (410, "Không còn gì phải thanh toán.\n")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"


def test_the_address_fits_its_column_whatever_the_site_is_called(settings: Any) -> None:
    settings.KITEHUB_BASE_URL = "https://" + ".".join(["x" * 60] * 4)
    assert len(qr_url("KH7Q2M4X9A")) < 500
