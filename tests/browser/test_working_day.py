"""The commonest tasks of a working day, in Vietnamese, through what staff see and click alone."""

from typing import Any

import pytest
from django.utils import timezone

from billing.enums import PaymentStatus, RefundStatus, SubscriptionStatus, TransferState
from billing.models import (
    BankTransfer,
    ManualPayment,
    PaymentOrder,
    PlannedMatch,
    Refund,
    Subscription,
)
from billing.services.inbox import match_transfer
from billing.services.orders import open_order
from kitehub.enums import InstanceStatus, Tier
from kitehub.models import Instance, User
from tests.browser.accessible import darken, findings
from tests.browser.conftest import signed_in
from tests.factories.billing import BankTransferFactory, SubscriptionFactory
from tests.factories.kitehub import InstanceFactory, UserFactory
from tests.kitehub.backoffice.pages import list_url, page_url

pytestmark = pytest.mark.django_db(transaction=True)
SCREEN = {"width": 1280, "height": 900}


@pytest.fixture
def hoa_mai() -> Instance:
    owner = UserFactory(email="hoa@hoamai.example", full_name="Đỗ Thị Hoa")
    school = InstanceFactory(
        organization_name="Trung tâm Anh ngữ Hoa Mai",
        subdomain="hoa-mai",
        owner=owner,
        status=InstanceStatus.ACTIVE,
    )
    SubscriptionFactory(instance=school, status=SubscriptionStatus.ACTIVE)
    return school


@pytest.fixture
def order(hoa_mai: Instance) -> PaymentOrder:
    return open_order(instance=hoa_mai, tier=Tier.BASIC, actor="hoa@hoamai.example")


def waiting(amount: int, memo: str) -> BankTransfer:
    """A bank line that nothing could be made of."""
    return BankTransferFactory(
        amount=amount,
        memo=memo,
        state=TransferState.UNMATCHED,
        counterparty_name="DO THI HOA",
        counterparty_account="0071001234567",
        counterparty_bank="Vietcombank",
    )


def opened(page: Any, title: str) -> Any:
    """The dialog behind a link of the page."""
    page.get_by_role("link", name=title, exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    return dialog


def send(dialog: Any, button: str) -> None:
    """Presses the dialog's button."""
    dialog.get_by_role("button", name=button, exact=True).click()


def why(dialog: Any, reason: str) -> None:
    """Enters the reason."""
    dialog.get_by_label("Lý do").fill(reason)


def retype(dialog: Any, code: str) -> None:
    """Enters the code that a dialog asks for once more."""
    dialog.get_by_label(f"Nhập lại “{code}” để xác nhận").fill(code)


def told(page: Any, words: str) -> None:
    """Waits for what the page says was done."""
    page.get_by_text(words).first.wait_for()


def somebody_else(desk: Any, chromium: Any, login: str) -> Any:
    """Another superuser's browser."""
    person = User.objects.create_superuser(login, "a long password", full_name="Trần Văn Minh")
    return signed_in(chromium, desk.url.split("/admin/")[0], person, SCREEN)


# --- The morning ------------------------------------------------------------------------------


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
    dialog = opened(desk, "Chia cho nhiều đơn")
    dialog.get_by_label("Các mã đơn").fill(f"{order.order_id} 299.000\n{other.order_id} 299.000")
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
    desk.get_by_role("link", name="Loại khỏi danh sách chờ").wait_for()
    line.refresh_from_db()
    assert line.state == TransferState.UNMATCHED


# --- Orders -----------------------------------------------------------------------------------


def test_an_order_is_found_by_its_code_with_what_happened_to_it(
    desk: Any, order: PaymentOrder, hoa_mai: Instance
) -> None:
    desk.goto(list_url(PaymentOrder))
    desk.get_by_placeholder("Mã đơn").fill(order.order_id.lower())
    desk.keyboard.press("Enter")
    desk.wait_for_url("**q=**")
    desk.locator("#result_list").get_by_role("link", name=order.order_id).click()
    desk.get_by_text("Diễn biến").wait_for()
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
    dialog.get_by_label("Đã thấy gì").select_option(label="Tiền mặt")
    enter = "Nhập khoản thanh toán"
    send(dialog, enter)
    dialog.get_by_text("Vui lòng nhập mục này.").first.wait_for()
    assert findings(desk) == []
    darken(desk)
    assert findings(desk, "color-contrast") == []
    now = timezone.localtime()
    dialog.get_by_placeholder("Ngày").fill(f"{now:%d/%m/%Y}")
    dialog.get_by_placeholder("Giờ").fill(f"{now:%H:%M}")
    dialog.get_by_label("Mã giao dịch ngân hàng").fill("PT-00123")
    dialog.get_by_label("Bằng chứng").fill("Phiếu thu tay số 123, chị Lan giữ")
    retype(dialog, order.order_id)
    why(dialog, "Khách trả tiền mặt tại văn phòng")
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
    told(desk, "Đã thêm")
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


# --- Schools ----------------------------------------------------------------------------------


def test_a_school_is_given_days_and_paused(desk: Any, hoa_mai: Instance) -> None:
    subscription = Subscription.objects.get(instance=hoa_mai)
    desk.goto(page_url(subscription))
    dialog = opened(desk, "Thêm ngày")
    dialog.get_by_label("Số ngày").fill("3")
    why(dialog, "Hệ thống bảo trì")
    send(dialog, "Thêm ngày")
    dialog.get_by_text("Chưa thực hiện").wait_for()
    send(dialog, "Thêm ngày")
    told(desk, "thêm 3 ngày")


def test_a_tier_is_changed_after_a_look_at_what_it_costs(desk: Any, hoa_mai: Instance) -> None:
    desk.goto(page_url(hoa_mai))
    dialog = opened(desk, "Đổi gói")
    assert "1.299.000" in dialog.inner_text()
    dialog.get_by_label("Gói").select_option(label="Cao cấp")
    why(dialog, "Khách gọi điện đề nghị")
    send(dialog, "Đổi gói")
    dialog.get_by_text("Chưa thực hiện gì.").wait_for()
    assert "299.000 ₫ → 1.299.000 ₫" in dialog.inner_text().replace("\xa0", " ")
    send(dialog, "Đổi gói")
    told(desk, "Gói hiện tại là Cao cấp")
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
    desk.get_by_role("link", name="Vì sao bị khóa?").click()
    desk.get_by_text("Cách xử lý:").first.wait_for()
    assert "Nợ quá hạn, không liên lạc được" in desk.locator("#content").inner_text()
    assert findings(desk) == []
    desk.go_back()
    dialog = opened(desk, "Mở lại")
    why(dialog, "Đã thanh toán")
    send(dialog, "Mở lại")
    told(desk, "Đã mở lại “Trung tâm Anh ngữ Hoa Mai”.")
    hoa_mai.refresh_from_db()
    assert hoa_mai.status == InstanceStatus.ACTIVE
