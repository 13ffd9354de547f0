"""What somebody has entered outlives whatever keeps it from being saved."""

from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client

from kitehub.models import Instance, User
from tests.browser.accessible import findings, too_wide
from tests.factories.billing import SubscriptionFactory
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.backoffice.pages import page_url, save, signed_in

pytestmark = pytest.mark.django_db(transaction=True)
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture
def sao_mai() -> Instance:
    school = InstanceFactory(organization_name="Trung tâm Sao Mai", tier="BASIC", status="ACTIVE")
    SubscriptionFactory(instance=school, tier="BASIC", status="ACTIVE")
    return school


def sign_in_elsewhere(page: Any, person: User) -> None:
    """As in another window of the same browser: a new session, a new token."""
    browser = Client()
    browser.get("/admin/login/")
    browser.force_login(person)
    names = (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME)
    address = page.url.split("/admin/")[0]
    page.context.add_cookies(
        [{"name": name, "value": browser.cookies[name].value, "url": address} for name in names]
    )


def test_a_row_that_somebody_else_changed_is_shown_beside_what_was_entered(
    desk: Any, sao_mai: Instance
) -> None:
    desk.goto(page_url(sao_mai))
    desk.get_by_label("Tên trường học").fill("Trung tâm Sao Mai Hà Nội")
    save(signed_in("minh@kitehub.test"), sao_mai, subdomain="sao-mai-hn", reason="đổi tên miền")
    desk.get_by_role("button", name="Lưu", exact=True).click()
    desk.get_by_text("Chưa lưu: trong lúc").wait_for()
    meanwhile = desk.locator("[data-meanwhile]")
    assert "sao-mai-hn" in meanwhile.inner_text()
    assert desk.get_by_label("Tên trường học").input_value() == "Trung tâm Sao Mai Hà Nội"
    assert findings(desk) == []
    desk.set_viewport_size(PHONE)
    assert too_wide(desk) == ""
    desk.get_by_role("button", name="Lưu", exact=True).click()
    desk.get_by_text("Đã lưu trường học").wait_for()
    sao_mai.refresh_from_db()
    assert sao_mai.organization_name == "Trung tâm Sao Mai Hà Nội"
    assert sao_mai.subdomain == "sao-mai-hn"


def test_who_is_signed_out_while_typing_signs_in_elsewhere_and_sends_again(
    desk: Any, staff: User, sao_mai: Instance
) -> None:
    desk.goto(page_url(sao_mai))
    desk.get_by_label("Tên trường học").fill("Trung tâm Sao Mai Huế")
    Session.objects.all().delete()
    desk.get_by_role("button", name="Lưu", exact=True).click()
    notice = desk.get_by_role("alert")
    notice.wait_for()
    assert "Bạn đã bị đăng xuất" in notice.inner_text()
    link = notice.get_by_role("link", name="Đăng nhập trong cửa sổ khác")
    assert link.get_attribute("href") == "/admin/login/"
    # In the other window only the password has been entered so far, and a code is asked for.
    User.objects.filter(pk=staff.pk).update(asks_for_code=True)
    staff.refresh_from_db()
    sign_in_elsewhere(desk, staff)
    with desk.expect_request_finished(lambda request: "/signed-in/" in request.url):
        desk.get_by_role("button", name="Lưu", exact=True).click()
    notice.wait_for()
    assert desk.get_by_label("Tên trường học").input_value() == "Trung tâm Sao Mai Huế"
    User.objects.filter(pk=staff.pk).update(asks_for_code=False)
    desk.get_by_role("button", name="Lưu", exact=True).click()
    desk.get_by_text("Đã lưu trường học").wait_for()
    sao_mai.refresh_from_db()
    assert sao_mai.organization_name == "Trung tâm Sao Mai Huế"


def test_a_dialog_keeps_the_focus_and_what_was_entered(
    desk: Any, staff: User, sao_mai: Instance
) -> None:
    desk.goto(page_url(sao_mai))
    opener = desk.get_by_role("link", name="Đổi gói")
    opener.focus()
    desk.keyboard.press("Enter")
    dialog = desk.get_by_role("dialog", name="Đổi gói")
    dialog.wait_for()
    for _ in range(12):
        desk.keyboard.press("Tab")
        # The browser's own bar comes after the last field, and is the body to scripts.
        assert desk.evaluate(
            "document.activeElement === document.body"
            " || !!document.activeElement.closest('#modal-content')"
        )
    assert findings(desk) == []
    desk.set_viewport_size(PHONE)
    assert too_wide(desk) == ""
    box = dialog.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
    desk.set_viewport_size(DESK)
    desk.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    assert opener.evaluate("it => it === document.activeElement")


def test_a_dialog_that_cannot_be_sent_says_why(desk: Any, staff: User, sao_mai: Instance) -> None:
    desk.goto(page_url(sao_mai))
    desk.get_by_role("link", name="Đổi gói").click()
    dialog = desk.get_by_role("dialog")
    dialog.get_by_label("Gói").select_option(label="Cao cấp")
    dialog.get_by_label("Lý do").fill("khách yêu cầu")
    Session.objects.all().delete()
    send = dialog.get_by_role("button", name="Đổi gói")
    send.click()
    dialog.get_by_text("Bạn đã bị đăng xuất").wait_for()
    assert dialog.get_by_label("Lý do").input_value() == "khách yêu cầu"
    User.objects.filter(pk=staff.pk).update(asks_for_code=True)
    staff.refresh_from_db()
    sign_in_elsewhere(desk, staff)
    with desk.expect_request_finished(lambda request: "/login/code/" in request.url):
        send.click()
    dialog.get_by_text("Bạn đã bị đăng xuất").wait_for()
    assert dialog.get_by_label("Lý do").input_value() == "khách yêu cầu"
    User.objects.filter(pk=staff.pk).update(asks_for_code=False)
    desk.context.set_offline(True)
    send.click()
    dialog.get_by_text("Không kết nối được với KiteHub").wait_for()
    desk.context.set_offline(False)
    desk.complaints.clear()  # the browser's, of the request that went nowhere
    send.click()
    dialog.get_by_text("Chưa thực hiện gì.").wait_for()
