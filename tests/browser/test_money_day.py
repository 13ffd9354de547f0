"""Orders and their money on a working day, in Vietnamese, by what staff see and click alone."""

from typing import Any

import pytest
from django.utils import timezone

from billing.enums import PaymentStatus, RefundStatus
from billing.models import (
    ManualPayment,
    PaymentOrder,
    Refund,
)
from billing.services.inbox import match_transfer
from kitehub.models import Instance
from tests.browser.accessible import darken, findings
from tests.browser.clicking import opened, retype, send, somebody_else, told, waiting, why
from tests.kitehub.backoffice.pages import list_url, page_url

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_order_is_found_by_its_code_with_what_happened_to_it(
    desk: Any, order: PaymentOrder, hoa_mai: Instance
) -> None:
    desk.goto(list_url(PaymentOrder))
    desk.get_by_placeholder("Mã đơn").fill(order.order_id.lower())
    desk.keyboard.press("Enter")
    desk.wait_for_url("**q=**")
    desk.locator("#result_list").get_by_role("link", name=order.order_id).click()
    desk.get_by_role("heading", name="Diễn biến").wait_for()
    assert f"Mở đơn {order.order_id}" in desk.locator("#content").inner_text()
    dialog = opened(desk, "Viết ghi chú")
    dialog.get_by_label("Ghi chú").fill("Chị Hoa hẹn chuyển khoản chiều nay")
    dialog.get_by_role("button").last.click()
    told(desk, "Chị Hoa hẹn chuyển khoản chiều nay")
    desk.goto(f"{list_url(PaymentOrder)}?q={hoa_mai.subdomain}")
    with desk.expect_download() as download:
        desk.get_by_role("link", name="Tải CSV").click()
    assert order.order_id in download.value.path().read_text("utf-8-sig")


def test_several_orders_are_cancelled_at_once_after_a_look_at_each(
    desk: Any, order: PaymentOrder
) -> None:
    desk.goto(list_url(PaymentOrder))
    desk.locator(".action-select").first.check()
    desk.locator("select[name=action]").select_option(label="Hủy các đơn đã chọn")
    desk.get_by_role("button", name="Thực hiện").click()
    desk.get_by_text("Các đơn sẽ không thanh toán được nữa.").wait_for()
    assert order.order_id in desk.locator("#content").inner_text()
    assert findings(desk) == []
    desk.get_by_label("Nhập “1”").fill("1")
    desk.get_by_label("Lý do").fill("Khách không đăng ký nữa")
    desk.locator("#content form [type=submit]").click()
    desk.get_by_text("Đã hủy").first.wait_for()
    order.refresh_from_db()
    assert order.status == PaymentStatus.CANCELLED


def test_cash_is_entered_by_one_and_confirmed_by_another(
    desk: Any, chromium: Any, order: PaymentOrder
) -> None:
    desk.goto(page_url(order))
    dialog = opened(desk, "Ghi nhận thanh toán bằng tay")
    dialog.get_by_label("Hình thức thanh toán").select_option(label="Tiền mặt")
    enter = "Nhập khoản thanh toán"
    send(dialog, enter)
    dialog.get_by_text("Vui lòng nhập mục này.").first.wait_for()
    assert findings(desk) == []
    darken(desk)
    assert findings(desk, "color-contrast") == []
    now = timezone.localtime()
    dialog.get_by_placeholder("Ngày").fill(f"{now:%d/%m/%Y}")
    dialog.get_by_placeholder("Giờ").fill(f"{now:%H:%M}")
    dialog.get_by_label("số chứng từ").fill("PT-00123")
    dialog.get_by_label("Bằng chứng").fill("Phiếu thu tay số 123, chị Lan giữ")
    retype(dialog, order.order_id)
    why(dialog, "Khách trả tiền mặt tại văn phòng")
    send(dialog, enter)
    dialog.get_by_text("Chưa thực hiện").wait_for()
    send(dialog, enter)
    told(desk, "Đã nhập khoản thanh toán. Cần một người khác xác nhận.")
    payment = ManualPayment.objects.get(order=order)
    with somebody_else(desk, chromium, "minh@kitehub.test") as page:
        page.goto(page_url(payment))
        dialog = opened(page, "Xác nhận")
        retype(dialog, "299.000")
        why(dialog, "Đã xem phiếu thu")
        send(dialog, "Xác nhận")
        told(page, "Đã xác nhận")
    order.refresh_from_db()
    assert order.status == PaymentStatus.PAID


def test_an_order_is_cancelled_with_its_code_typed_again(desk: Any, order: PaymentOrder) -> None:
    desk.goto(page_url(order))
    dialog = opened(desk, "Hủy đơn")
    why(dialog, "Khách đổi sang gói khác")
    send(dialog, "Hủy đơn")
    dialog.get_by_text("Vui lòng nhập mục này.").wait_for()
    dialog.get_by_label(f"Nhập lại “{order.order_id}” để xác nhận").fill(order.order_id.lower())
    send(dialog, "Hủy đơn")
    told(desk, "Đã hủy đơn.")
    order.refresh_from_db()
    assert order.status == PaymentStatus.CANCELLED


def test_a_refund_is_asked_for_by_one_and_approved_by_another(
    desk: Any, chromium: Any, order: PaymentOrder
) -> None:
    line = waiting(299_000, "Hoa Mai gia han")
    match_transfer(
        transfer_id=line.pk,
        parts=[(order.pk, 299_000)],
        actor="lan@kitehub.test",
        reason="Đúng số tiền",
        at=timezone.now(),
    )
    desk.goto(page_url(order))
    desk.get_by_role("link", name="Hoàn tiền…").click()
    desk.wait_for_url("**/refund/add/**")
    desk.get_by_label("Lý do").fill("Khách đóng trường")
    desk.get_by_role("button", name="Lưu", exact=True).click()
    told(desk, "Sẽ hoàn: 299.000")
    desk.get_by_role("button", name="Lưu", exact=True).click()
    told(desk, "Đã yêu cầu hoàn 299.000")
    refund = Refund.objects.get(order=order)
    desk.goto(page_url(refund))
    assert desk.get_by_role("link", name="Duyệt", exact=True).count() == 0
    with somebody_else(desk, chromium, "minh@kitehub.test") as page:
        page.goto(page_url(refund))
        dialog = opened(page, "Duyệt")
        retype(dialog, "299.000")
        why(dialog, "Đúng số tiền khách đã trả")
        send(dialog, "Duyệt")
        told(page, "Đã duyệt")
    refund.refresh_from_db()
    assert refund.status == RefundStatus.APPROVED
