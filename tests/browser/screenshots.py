"""Takes the pictures of README: `python -m tests.browser.screenshots`, beside a `quickstart`.

It signs in as quickstart's staff, finds its way by what the pages show, and changes nothing.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.browser.chromium import OPTIONS, PATH

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
DESK, PHONE = {"width": 1280, "height": 720}, {"width": 390, "height": 844}
LARGEST = 200_000


def main() -> None:
    """Takes every picture, or those that are named."""
    args = _arguments()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=PATH, args=OPTIONS)
        first = _context(browser, args.address)
        _sign_in(first.new_page(), args.login)
        state = first.storage_state()
        for name, (go, size, scheme) in PICTURES.items():
            if args.names and name not in args.names:
                continue
            context = _context(browser, args.address, size, scheme, state)
            page = context.new_page()
            go(page)
            path = FOLDER / f"{name}.png"
            _settle(page)
            page.screenshot(path=path)
            context.close()
            if path.stat().st_size > LARGEST:
                sys.exit(f"{path} is too large: {path.stat().st_size:,} bytes")
            print(path)
        browser.close()


# --- What the pictures show -------------------------------------------------------------------


def dashboard(page: Any) -> None:
    """What staff see at nine in the morning."""
    page.goto("/admin/")


def orders(page: Any) -> None:
    """A list."""
    page.goto("/admin/billing/paymentorder/")


def order(page: Any) -> None:
    """An order that is paid, at what happened to it."""
    page.goto("/admin/billing/paymentorder/?tab=PAID")
    page.locator("#result_list tbody a[href*='/change/']").first.click()
    timeline = page.get_by_role("heading", name="Diễn biến")
    timeline.wait_for()
    timeline.evaluate("it => window.scrollTo(0, it.getBoundingClientRect().top - 260)")


def open_order(page: Any) -> None:
    """An order that can be paid, with its QR code."""
    page.goto("/admin/billing/paymentorder/?tab=PENDING")
    page.locator("#result_list tbody a[href*='/change/']").first.click()
    page.get_by_text("Như người thanh toán nhìn thấy").wait_for()


def inbox(page: Any) -> None:
    """A transfer with the orders that it may be for."""
    page.goto("/admin/billing/banktransfer/inbox/")
    while not page.locator("[data-inbox-assign]").count():
        page.locator("[data-inbox-next]").click()
        page.wait_for_load_state("load")


def why_blocked(page: Any) -> None:
    """Why a school is blocked."""
    page.goto("/admin/kitehub/instance/?tab=SUSPENDED")
    page.locator("#result_list tbody a[href*='/change/']").first.click()
    page.get_by_role("link", name="Trường dùng được gì?").click()
    page.get_by_text("Cách xử lý:").first.wait_for()


# Name -> how to get there, how large, in which theme.
PICTURES: dict[str, tuple[Callable[[Any], None], dict[str, int], str]] = {
    "dashboard": (dashboard, DESK, "light"),
    "orders": (orders, DESK, "light"),
    "order": (order, DESK, "light"),
    "inbox": (inbox, DESK, "light"),
    "why-blocked": (why_blocked, DESK, "light"),
    "dashboard-dark": (dashboard, DESK, "dark"),
    "order-phone": (open_order, PHONE, "dark"),
}


# --- Parts ------------------------------------------------------------------------------------


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*PICTURES, []], help="Default: all.")
    parser.add_argument("--address", default="http://127.0.0.1:8000")
    parser.add_argument(
        "--login",
        type=Path,
        default=Path(".data/quickstart-login.txt"),
        help="The file in which quickstart keeps its password. Default: %(default)s.",
    )
    return parser.parse_args()


def _context(
    browser: Any, address: str, size: Any = None, scheme: str = "light", state: Any = None
) -> Any:
    context = browser.new_context(
        base_url=address,
        viewport=size or DESK,
        color_scheme=scheme,
        timezone_id="Asia/Ho_Chi_Minh",
        storage_state=state,
    )
    context.set_default_timeout(15_000)
    return context


def _sign_in(page: Any, login: Path) -> None:
    kept = dict(line.split(": ", 1) for line in login.read_text().splitlines() if ": " in line)
    page.goto("/admin/login/")
    page.locator("[name=username]").fill(kept["email"])
    page.locator("[name=password]").fill(kept["password"])
    page.locator("#login-form [type=submit]").click()
    page.wait_for_url("**/admin/")


def _settle(page: Any) -> None:
    """Waits for fonts, and for what fades in."""
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    page.mouse.move(0, 0)


if __name__ == "__main__":
    main()
