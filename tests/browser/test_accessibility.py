"""Every kind of page of the back office can be used by everybody: axe-core finds nothing grave.

Each in Vietnamese; in the light theme with all of its rules, then the colours of the dark one,
then the width of a phone.
"""

from typing import Any

import pytest

from billing.enums import TransferState
from tests.browser.accessible import darken, findings, lighten, too_wide
from tests.browser.conftest import NOWHERE
from tests.factories.billing import (
    BankTransferFactory,
    PaymentAllocationFactory,
    PaymentOrderFactory,
    SubscriptionFactory,
)
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.backoffice.pages import page_url

pytestmark = pytest.mark.django_db(transaction=True)
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def look(page: Any, where: str) -> list[str]:
    """What is wrong with the page that is open, in both themes and on a phone."""
    wrong = [f"{where}: {found}" for found in findings(page)]
    darken(page)
    wrong += [f"{where}, dark: {found}" for found in findings(page, "color-contrast")]
    lighten(page)
    page.set_viewport_size(PHONE)
    if wide := too_wide(page):
        wrong.append(f"{where}, phone: wider than the screen: {wide}")
    page.set_viewport_size(DESK)
    return wrong


@pytest.fixture
def addresses() -> list[str]:
    """A page of every kind."""
    school = InstanceFactory(organization_name="Trung tâm Toán Sao Mai", subdomain="sao-mai")
    order = PaymentOrderFactory(instance=school)
    PaymentAllocationFactory(order=order, transfer=BankTransferFactory(instance=school))
    subscription = SubscriptionFactory(instance=school)
    PaymentOrderFactory(instance=school)
    BankTransferFactory(state=TransferState.UNMATCHED)
    lists = ["billing/paymentorder", "billing/banktransfer", "kitehub/instance", "jobs/job"]
    return [
        "/admin/",
        *(f"/admin/{name}/" for name in lists),
        *(page_url(row) for row in (order, order.allocations.get().transfer, subscription, school)),
        "/admin/billing/banktransfer/inbox/",
        "/admin/billing/banktransfer/statement/",
        "/admin/billing/paymentorder/add/",
        "/admin/kitehub/instance/open/",
        "/admin/kitehub/user/second-factor/",
        page_url(school, "why"),
        NOWHERE,
    ]


def test_pages_can_be_used_by_everybody(desk: Any, addresses: list[str]) -> None:
    wrong: list[str] = []
    for address in addresses:
        desk.goto(address)
        if chosen := desk.locator(".action-select").all():
            chosen[0].check()  # shows the bar of actions
        wrong += look(desk, address)
    assert wrong == []
