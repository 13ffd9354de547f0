"""What people do with the pages of the back office: open a dialog, say why, send it."""

from typing import Any

from billing.enums import TransferState
from billing.models import (
    BankTransfer,
)
from kitehub.models import User
from tests.browser.conftest import signed_in
from tests.factories.billing import BankTransferFactory

SCREEN = {"width": 1280, "height": 900}


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
    """The dialog behind a link of the page, which may be in its menu."""
    link = page.get_by_role("link", name=title, exact=True)
    if not link.count():
        page.get_by_text("Thao tác khác").click()
    link.click()
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
