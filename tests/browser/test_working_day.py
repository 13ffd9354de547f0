"""The commonest tasks of a working day, in Vietnamese, by what staff see and click alone.

This file: the morning, transfers and schools; orders and their money are in test_money_day.py.
"""

from typing import Any

import pytest

from billing.enums import SubscriptionStatus, TransferState
from billing.models import (
    PaymentOrder,
    PlannedMatch,
    Subscription,
)
from billing.services.orders import open_order
from kitehub.enums import InstanceStatus, Tier
from kitehub.models import Instance, User
from tests.browser.accessible import darken, findings
from tests.browser.clicking import SCREEN, opened, retype, send, told, waiting, why
from tests.factories.billing import SubscriptionFactory
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.backoffice.pages import page_url

pytestmark = pytest.mark.django_db(transaction=True)


def test_who_signs_in_sees_what_waits_and_gets_to_it(
    chromium: Any, live_server: Any, staff: User, order: PaymentOrder
) -> None:
    waiting(120_000, "hoc phi thang 11")
    context = chromium.new_context(base_url=live_server.url, viewport=SCREEN)
    page = context.new_page()
    page.goto("/admin/")
    assert findings(page) == []
    darken(page)
    assert findings(page, "color-contrast") == []
    page.get_by_label("Địa chỉ email").fill(staff.email)
    page.get_by_label("Mật khẩu").fill("a long password")
    page.get_by_role("button", name="Đăng nhập").click()
    page.get_by_role("heading", name="Chờ nhân viên xử lý").wait_for()
    assert "Doanh thu hôm nay" in page.locator("#content").inner_text()
    page.get_by_role("link", name="Giao dịch chưa đối soát").last.click()
    page.get_by_text("hoc phi thang 11").first.wait_for()
    context.close()


# --- Transfers --------------------------------------------------------------------------------


def test_a_transfer_is_assigned_with_one_click_and_that_can_be_undone(
    desk: Any, order: PaymentOrder
) -> None:
    line = waiting(299_000, "DO THI HOA dong tien hoc vien Hoa Mai")
    desk.goto("/admin/billing/banktransfer/inbox/")
    assert order.order_id in desk.locator("#content").inner_text()
    desk.get_by_role("button", name="Gán 299.000").first.click()
    told(desk, f"cho {order.order_id}.")
    told(desk, "Không còn giao dịch nào chờ xử lý")
    assert PlannedMatch.objects.get().order_id == order.pk
    desk.get_by_role("button", name="Hoàn tác (U)").click()
    told(desk, "Đã hoàn tác: giao dịch lại chờ xử lý.")
    line.refresh_from_db()
    assert line.state == TransferState.UNMATCHED


def test_a_transfer_is_split_over_two_orders(desk: Any, order: PaymentOrder) -> None:
    tan_phu = InstanceFactory(organization_name="Trung tâm Toán Tân Phú", subdomain="tan-phu")
    SubscriptionFactory(instance=tan_phu, status=SubscriptionStatus.TRIAL)
    other = open_order(instance=tan_phu, tier=Tier.BASIC, actor="demo")
    waiting(598_000, "Hoa Mai va Tan Phu chuyen chung")
    desk.goto("/admin/billing/banktransfer/inbox/")
    dialog = opened(desk, "Gán theo mã, chia nhiều đơn")
    dialog.get_by_label("Các mã đơn").fill(f"{order.order_id} 299.000\n{other.order_id} 299.000")
    retype(dialog, "598.000")
    why(dialog, "Hai trường chuyển chung một lần")
    send(dialog, "Gán cho đơn")
    dialog.get_by_text("Chưa thực hiện").wait_for()
    send(dialog, "Gán cho đơn")
    told(desk, "Không còn giao dịch nào chờ xử lý")
    assert PaymentOrder.objects.paid().count() == 2


def test_a_transfer_that_is_nobodys_is_put_aside_and_brought_back(
    desk: Any, order: PaymentOrder
) -> None:
    line = waiting(50_000, "tra no")
    desk.goto("/admin/billing/banktransfer/inbox/")
    dialog = opened(desk, "Loại khỏi danh sách chờ")
    why(dialog, "Chuyển nhầm, không phải khách")
    send(dialog, "Loại khỏi danh sách chờ")
    told(desk, "Không còn giao dịch nào chờ xử lý")
    desk.goto(page_url(line))
    dialog = opened(desk, "Đưa lại vào danh sách chờ")
    why(dialog, "Khách gọi xác nhận")
    send(dialog, "Đưa lại vào danh sách chờ")
    desk.get_by_role("link", name="Gán cho đơn").wait_for()
    line.refresh_from_db()
    assert line.state == TransferState.UNMATCHED


# --- Schools ----------------------------------------------------------------------------------


def test_a_school_is_given_days_and_paused(desk: Any, hoa_mai: Instance) -> None:
    subscription = Subscription.objects.get(instance=hoa_mai)
    desk.goto(page_url(subscription))
    dialog = opened(desk, "Thêm ngày")
    dialog.get_by_label("Số ngày").fill("3")
    dialog.get_by_label("Nhập lại").fill(hoa_mai.subdomain)
    why(dialog, "Hệ thống bảo trì")
    send(dialog, "Thêm ngày")
    dialog.get_by_text("Chưa thực hiện").wait_for()
    send(dialog, "Thêm ngày")
    told(desk, "thêm 3 ngày")


@pytest.mark.parametrize("of_the_subscription", [False, True])
def test_a_tier_is_changed_after_a_look_at_what_it_costs(
    of_the_subscription: bool, desk: Any, hoa_mai: Instance
) -> None:
    here = page_url(Subscription.objects.get(instance=hoa_mai) if of_the_subscription else hoa_mai)
    desk.goto(here)
    dialog = opened(desk, "Đổi gói")
    assert "1.299.000" in dialog.inner_text()
    dialog.get_by_label("Gói").select_option(label="Cao cấp")
    why(dialog, "Khách gọi điện đề nghị")
    send(dialog, "Đổi gói")
    dialog.get_by_text("Chưa thực hiện gì.").wait_for()
    assert "299.000 ₫ → 1.299.000 ₫" in dialog.inner_text().replace("\xa0", " ")
    send(dialog, "Đổi gói")
    told(desk, "Gói hiện tại là Cao cấp")
    assert desk.url.endswith(here), "it leads back to where it was opened"
    hoa_mai.refresh_from_db()
    assert hoa_mai.tier == Tier.PREMIUM


def test_a_school_is_suspended_says_why_and_is_let_in_again(desk: Any, hoa_mai: Instance) -> None:
    desk.goto(page_url(hoa_mai))
    dialog = opened(desk, "Tạm ngưng")
    why(dialog, "Nợ quá hạn, không liên lạc được")
    retype(dialog, "hoa-mai")
    send(dialog, "Tạm ngưng")
    told(desk, "Đã tạm ngưng “Trung tâm Anh ngữ Hoa Mai”.")
    hoa_mai.refresh_from_db()
    assert hoa_mai.status == InstanceStatus.SUSPENDED
    desk.get_by_role("link", name="Trường dùng được gì?").click()
    desk.get_by_text("Cách xử lý:").first.wait_for()
    assert "Nợ quá hạn, không liên lạc được" in desk.locator("#content").inner_text()
    assert findings(desk) == []
    desk.go_back()
    dialog = opened(desk, "Cho hoạt động lại")
    why(dialog, "Đã thanh toán")
    send(dialog, "Cho hoạt động lại")
    told(desk, "Đã cho “Trung tâm Anh ngữ Hoa Mai” hoạt động lại.")
    hoa_mai.refresh_from_db()
    assert hoa_mai.status == InstanceStatus.ACTIVE
