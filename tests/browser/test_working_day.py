"""The commonest tasks of a working day, in Vietnamese, through what staff see and click alone."""

from typing import Any

import pytest

from billing.enums import PaymentStatus, SubscriptionStatus, TransferState
from billing.models import BankTransfer, PaymentOrder, PlannedMatch, Subscription
from billing.services.orders import open_order
from kitehub.enums import InstanceStatus, Tier
from kitehub.models import Instance
from tests.factories.billing import BankTransferFactory, SubscriptionFactory
from tests.factories.kitehub import InstanceFactory, UserFactory
from tests.kitehub.backoffice.pages import page_url

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
        amount=amount, memo=memo, state=TransferState.UNMATCHED, counterparty_name="DO THI HOA"
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


def told(page: Any, words: str) -> None:
    """Waits for what the page says was done."""
    page.get_by_text(words).first.wait_for()


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


def test_an_order_is_cancelled_with_its_code_typed_again(desk: Any, order: PaymentOrder) -> None:
    desk.goto(page_url(order))
    dialog = opened(desk, "Hủy đơn")
    why(dialog, "Khách đổi sang gói khác")
    send(dialog, "Hủy đơn")
    dialog.get_by_label(f"Nhập lại “{order.order_id}” để xác nhận").fill(order.order_id.lower())
    send(dialog, "Hủy đơn")
    told(desk, "Đã hủy đơn.")
    order.refresh_from_db()
    assert order.status == PaymentStatus.CANCELLED


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
    told(desk, "Gói hiện tại là Cao cấp")
    hoa_mai.refresh_from_db()
    assert hoa_mai.tier == Tier.PREMIUM
