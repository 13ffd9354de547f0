"""Lines that only name an order are found by its code, and say what is in the way."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.enums import UnmatchedReason
from billing.services.orders import open_order
from kitehub.enums import Tier
from tests.billing.bookings import line
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.backoffice.pages import page_url

pytestmark = pytest.mark.django_db


def test_staff_find_a_waiting_line_by_the_code_in_its_memo(back_office: Client) -> None:
    order = open_order(
        instance=InstanceFactory(), actor="lan", tier=Tier.STANDARD, at=timezone.now()
    )
    code = order.order_id
    wrong = UnmatchedReason.WRONG_ACCOUNT
    lost = line(599_000, memo=f"MBVCB.1.{code.lower()}.CT", account_number="1", reason=wrong)
    other = line(599_000, memo="", details=f"{code}", account_number=order.account_number)
    third = line(599_000, memo="hoc phi")
    listed = reverse("admin:billing_banktransfer_changelist")
    page = back_office.get(listed, {"q": code.lower()}).content.decode()
    found = [each for each in (lost, other, third) if page_url(each) in page]
    assert found == [lost, other]
    assert page_url(third) in back_office.get(listed).content.decode()
    page = back_office.get(page_url(lost)).content.decode()
    assert "nhưng đơn này nhận tiền vào tài khoản khác" in page
    assert "Không có đơn nào tương tự" not in page
    assert "nhưng đơn này" not in back_office.get(page_url(other)).content.decode()
