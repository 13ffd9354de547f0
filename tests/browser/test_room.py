"""What staff look for first is to be seen at once: on a small desk, and on a phone."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from billing.models import PaymentOrder
from tests.browser.accessible import too_wide
from tests.factories.billing import PaymentOrderFactory, SubscriptionFactory
from tests.kitehub.backoffice.pages import list_url, page_url

pytestmark = pytest.mark.django_db(transaction=True)
SIZES = [{"width": 1280, "height": 900}, {"width": 390, "height": 844}]
# Cells with a day or a sum, of which a part is below another.
BROKEN = """() => [...document.querySelectorAll("#result_list tbody :is(td, th)")]
    .filter(cell => /[0-9]{2}\\/[0-9]{2}\\/[0-9]{4}|₫/.test(cell.innerText))
    .filter(cell => {
        const text = document.createRange();
        text.selectNodeContents(cell);
        return new Set([...text.getClientRects()].map(box => Math.round(box.top))).size > 1;
    })
    .map(cell => cell.innerText)"""
SIDEWAYS = """() => {
    const table = document.querySelector("#result_list");
    return table.offsetWidth - table.parentElement.clientWidth;
}"""

IN_SIGHT = """() => {
    const { top, bottom } = document.querySelector("#course-of-events").getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
}"""


def test_days_and_sums_of_a_list_stay_in_one_line_beside_all_the_others(
    desk: Any, order: PaymentOrder
) -> None:
    paid = PaymentOrderFactory(paid=True, amount=12_345_000)
    paid.instance.organization_name = "Học viện STEM Bách Khoa Nhí Sài Gòn"
    paid.instance.save()
    SubscriptionFactory(canceled_at=timezone.now() + timedelta(days=1))
    for row in (order, SubscriptionFactory()):
        desk.goto(list_url(row))
        assert desk.locator("#result_list tbody").count() >= 2
        assert desk.evaluate(BROKEN) == []
        assert desk.evaluate(SIDEWAYS) <= 0


def test_what_happened_last_is_at_the_top_of_a_page_and_leads_to_all_of_it(
    desk: Any, order: PaymentOrder
) -> None:
    PaymentOrder.objects.filter(pk=order.pk).update(
        qr_image_url=f"http://127.0.0.1:8000/qr/{order.order_id}:{'a' * 43}.svg"
    )
    for size in SIZES:
        desk.set_viewport_size(size)
        desk.goto(page_url(order))
        newest = desk.get_by_role("link", name="Diễn biến")
        assert newest.bounding_box()["y"] < size["height"] / 3
        assert too_wide(desk) == ""
        heading = desk.get_by_role("heading", name="Diễn biến")
        assert heading.bounding_box()["y"] > size["height"]
        newest.click()
        desk.wait_for_function(IN_SIGHT)
