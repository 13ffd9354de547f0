"""The bar of actions of a row's page: it leaves the title its room, and its menu has the rest."""

from typing import Any

import pytest

from billing.models import PaymentOrder
from tests.browser.clicking import opened, waiting
from tests.kitehub.backoffice.pages import page_url

pytestmark = pytest.mark.django_db(transaction=True)
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

# What is cut off, hidden behind something else, or out of the screen, in the page's header.
LOST = """() => {
  const header = document.querySelector("main h1, header h1, h1").closest("header, div.border-b");
  const seen = it => it.offsetParent && it.innerText.trim();
  return [...header.querySelectorAll("h1, h1 > .truncate, li > a")].filter(seen).filter(it => {
    const box = it.getBoundingClientRect();
    const at = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    const hidden = !at || !(it.contains(at) || at.contains(it));
    return hidden || box.left < 0 || box.right > innerWidth || it.scrollWidth > it.clientWidth + 1;
  }).map(it => it.innerText.trim());
}"""


def test_title_and_actions_fit_beside_each_other(desk: Any, order: PaymentOrder) -> None:
    line = waiting(299_000, "ai do")
    for row in (order, line, order.instance.subscription, order.instance):
        desk.goto(page_url(row))
        assert desk.evaluate(LOST) == [], row
        desk.set_viewport_size(PHONE)
        assert desk.evaluate(LOST) == [], row
        desk.set_viewport_size(DESK)
    desk.goto(page_url(order))
    dialog = opened(desk, "Lùi hạn thanh toán")
    dialog.get_by_label("Lý do").wait_for()
