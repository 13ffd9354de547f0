"""The bar of actions of a page: the commonest are buttons, the rest is a menu."""

import pytest
from django.test import Client

from tests.factories.billing import BankTransferFactory, PaymentOrderFactory
from tests.kitehub.backoffice.pages import page_url

pytestmark = pytest.mark.django_db


def test_what_does_not_fit_beside_the_title_is_in_a_menu(back_office: Client) -> None:
    for row, buttons in (
        (PaymentOrderFactory(), ["mark-paid", "cancel"]),
        (BankTransferFactory(state="UNMATCHED"), ["assign", "keep"]),
    ):
        page = back_office.get(page_url(row))
        *shown, menu = page.context["actions_detail"]
        assert [each["path"].split("/")[-2] for each in shown] == buttons
        assert len(menu["items"]) >= 2
        for item in menu["items"]:
            assert item["path"] in page.text
    page = back_office.get(page_url(PaymentOrderFactory(status="EXPIRED")))
    assert all("path" in each for each in page.context["actions_detail"]), "few need no menu"
