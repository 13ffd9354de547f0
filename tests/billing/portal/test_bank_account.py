"""The bank account of a school: checked, stored as banks write it, tried by a QR code."""

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from billing import banks, vietqr
from billing.services import bank_accounts
from kitehub.models import Email, Instance
from kitehub.services import emails
from tests.billing.qr_readers import read_pixels, svg_pixels
from tests.kitehub.portal.conftest import texts

pytestmark = pytest.mark.django_db
URL = "/schools/sao-mai/bank/"
GOOD = {
    "bank_code": "970436",
    "account_number": "0123 456.789",
    "account_name": "Trần Thị Lân",
    "qr_template": "HP {courseId} {studentName}",
}


def post(browser: Client, version: int | str, **more: Any) -> Any:
    return browser.post(URL, {**GOOD, "version": version, **more})


def test_an_account_is_stored_as_banks_write_it_and_can_be_tried(
    browser: Client, school: Instance
) -> None:
    empty = browser.get(URL)
    assert empty.status_code == 200
    assert "<svg" not in texts(empty)
    saved = post(browser, school.version)
    assert saved["Location"] == URL
    school.refresh_from_db()
    assert school.bank_code == "970436"
    assert school.bank_name == "Vietcombank"
    assert school.account_number == "0123456789"
    assert school.account_name == "TRAN THI LAN"
    assert school.qr_template == "HP {courseId} {studentName}"
    assert school.updated_by == "lan@example.vn"
    page = texts(browser.get(URL))
    assert "Đã lưu tài khoản ngân hàng" in page
    (svg,) = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    qr = vietqr.decode(read_pixels(svg_pixels(svg, 4)).text)
    assert (qr.bank_bin, qr.account_number, qr.amount) == ("970436", "0123456789", None)
    assert qr.memo == "KHC6EP34W8 HP TOAN9 NGUYE"


def test_the_owner_is_told_by_mail_where_the_money_goes_now(
    browser: Client, school: Instance
) -> None:
    post(browser, school.version)
    school.refresh_from_db()
    post(browser, school.version, qr_template="HP")
    (told,) = Email.objects.all()
    assert emails.send(email_id=told.pk) == "SENT"
    (message,) = mail.outbox
    assert message.to == ["lan@example.vn"]
    assert "Vietcombank · 0123456789 · TRAN THI LAN" in message.body
    assert "http://127.0.0.1:8000/schools/sao-mai/bank/" in message.body


def test_a_trial_stores_nothing(browser: Client, school: Instance) -> None:
    page = post(browser, school.version, preview="1")
    assert page.status_code == 200
    assert "<svg" in texts(page)
    assert f'name="version" value="{school.version}"' in texts(page)
    school.refresh_from_db()
    assert school.account_number is None


def test_what_somebody_else_changed_meanwhile_is_shown_and_not_overwritten(
    browser: Client, school: Instance
) -> None:
    before = school.version
    assert post(browser, before).status_code == 302
    stale = post(browser, before, account_number="9999999999")
    assert stale.status_code == 200
    assert "chưa lưu gì cả" in texts(stale)
    assert "Vietcombank · 0123456789 · TRAN THI LAN" in texts(stale)
    assert Instance.objects.get().account_number == "0123456789"
    (version,) = re.findall(r'name="version" value="(\d+)"', texts(stale))
    assert post(browser, version, account_number="9999999999").status_code == 302
    assert Instance.objects.get().account_number == "9999999999"


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 30, "١"])
def test_a_version_that_was_made_up_saves_nothing(
    version: str, browser: Client, school: Instance
) -> None:
    assert post(browser, version).status_code == 200
    assert Instance.objects.get().account_number is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bank_code", ""),
        ("bank_code", "000000"),
        ("bank_code", "970436\x00"),
        ("account_number", ""),
        ("account_number", "12345"),
        ("account_number", "1" * 20),
        ("account_number", "123499999"),  # KiteHub's own
        ("account_number", "0123456789é"),
        ("account_number", "01234<56789"),
        ("account_number", "012345\x006789"),
        ("account_name", ""),
        ("account_name", "123"),
        ("account_name", "x" * 71),
        ("account_name", "Нина"),
        ("qr_template", "HP {email}"),
        ("qr_template", "HP {courseId"),
        ("qr_template", "{" * 3),
        ("qr_template", "x" * 501),
        ("qr_template", "HP\x00"),
    ],
)
@pytest.mark.parametrize("language", ["vi", "en"])
def test_bad_input_is_an_error_at_its_field(
    field: str, value: str, language: str, browser: Client, school: Instance
) -> None:
    browser.cookies["django_language"] = language
    answer = post(browser, school.version, **{field: value})
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert "<svg" not in texts(answer)


def test_one_letter_is_said_to_be_too_short(browser: Client, school: Instance) -> None:
    answer = post(browser, school.version, account_name="A")
    assert "Một chữ cái là quá ngắn" in texts(answer)
    assert "70" not in str(answer.context["form"].errors)


def test_an_account_from_before_it_was_checked_can_be_corrected(
    browser: Client, school: Instance
) -> None:
    Instance.objects.update(
        bank_code="970436", account_number="12 34/5", account_name=None, qr_template="{x} é {"
    )
    page = browser.get(URL)
    assert page.status_code == 200
    assert "12 34/5" in texts(page)
    assert "<svg" not in texts(page)


def test_numbers_keep_zeros_and_letters_and_lose_only_their_grouping() -> None:
    clean = bank_accounts.clean_account_number
    assert clean(" 00-0123 45 ") == "00012345"
    assert clean("1234567890") == "1234567890"
    assert clean("VQRQaabb1234") == "VQRQaabb1234"
    assert len(banks.BANKS) > 50
