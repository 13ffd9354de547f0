"""Receipts are numbered by Vietnamese year without gaps, and keep what they said."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import RequestFactory
from django.utils import timezone, translation

from billing.enums import PaymentType
from billing.models import Receipt, ReceiptCounter
from billing.receipts.content import Party, Payment
from billing.receipts.pages import receipt_file, receipt_page, receipt_pdf
from billing.services import receipts
from kitehub.enums import Tier
from tests.billing.bookings import NOW, paid_order
from tests.factories.billing import PaymentOrderFactory
from tests.kitehub.db.records import execute

pytestmark = pytest.mark.django_db

OLD_YEAR = datetime(2026, 12, 31, 16, 59, tzinfo=UTC)
NEW_YEAR = datetime(2026, 12, 31, 17, 0, tzinfo=UTC)


def issue(at: datetime = NOW) -> Receipt:
    return receipts.issue(order=paid_order(), at=at)


def test_each_year_counts_from_one_and_begins_at_midnight_in_vietnam() -> None:
    moments = (OLD_YEAR, OLD_YEAR, NEW_YEAR, OLD_YEAR)
    codes = [issue(at).code for at in moments]
    assert codes == ["BN2026-000001", "BN2026-000002", "BN2027-000001", "BN2026-000003"]


def test_order_has_one_receipt_and_one_void() -> None:
    order = paid_order()
    first = receipts.issue(order=order, at=NOW)
    assert receipts.issue(order=order, at=NOW) == first
    void = receipts.void(receipt=first, reason="Nhầm trường", actor="lan", at=NOW)
    assert receipts.void(receipt=first, reason="Lại", actor="minh", at=NOW) == void
    assert (void.code, void.amount, void.created_by) == ("BN2026-000002", -599_000, "lan")
    assert (void.printed.voids, void.printed.reason) == (first.code, "Nhầm trường")
    first.refresh_from_db()
    assert first.voided_by_code == void.code
    with pytest.raises(ValueError, match="made void"):
        receipts.void(receipt=void, reason="x", actor="lan", at=NOW)
    with pytest.raises(ValueError, match="reason"):
        receipts.void(receipt=issue(), reason=" ", actor="lan", at=NOW)


def test_says_who_paid_what_and_by_which_money(settings: object) -> None:
    settings.KITEHUB_SELLER_NAME = "Công ty KiteHub"  # type: ignore[attr-defined]
    settings.KITEHUB_SELLER_TAX_CODE = "0101234567"  # type: ignore[attr-defined]
    order = paid_order(by_credit=99_000, tier=Tier.STANDARD)
    line = order.allocations.get(transfer__isnull=False).transfer
    receipt = receipts.issue(order=order, at=NOW)
    said = receipt.printed
    assert said.issuer == Party("Công ty KiteHub", ("Mã số thuế: 0101234567",))
    assert line is not None
    assert said.payments == (
        Payment(500_000, "Vietcombank", line.reference, NOW),
        Payment(99_000),
    )
    assert (said.tier, said.amount, said.order_code) == (Tier.STANDARD, 599_000, order.order_id)
    person = order.user
    assert person is not None
    assert said.payer == Party(order.instance.organization_name, (person.full_name, person.email))
    order.instance.organization_name = "Tên mới"
    order.instance.save()
    assert Receipt.objects.get(pk=receipt.pk).printed == said


@pytest.mark.parametrize(
    "fields", [{}, {"paid": True, "type": PaymentType.ENROLLMENT}], ids=["unpaid", "a school's"]
)
def test_only_what_kitehub_was_paid_has_a_receipt(fields: dict[str, object]) -> None:
    order = PaymentOrderFactory(**fields)
    with pytest.raises(ValueError, match=order.order_id):
        receipts.issue(order=order, at=NOW)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE receipts SET amount = 1",
        "UPDATE receipts SET number = 7",
        "DELETE FROM receipts",
        "TRUNCATE receipts",
        "UPDATE receipt_counters SET last = 7",
        "DELETE FROM receipt_counters",
        "INSERT INTO receipt_counters (year, last) VALUES (2030, 5)",
    ],
)
def test_no_sql_changes_a_receipt_or_skips_a_number(statement: str) -> None:
    issue()
    with pytest.raises(IntegrityError), transaction.atomic():
        execute(f"SET CONSTRAINTS ALL IMMEDIATE; {statement}")


def test_number_that_somebody_chose_is_not_taken() -> None:
    order = paid_order()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO receipts (year, number, kind, order_id, amount, content, issued_at)"
            " VALUES (1999, 77, 'RECEIPT', %s, 5, '{}', %s) RETURNING year, number",
            [order.pk, NOW],
        )
        assert cursor.fetchone() == (2026, 1)
    assert ReceiptCounter.objects.get().last == 1


def test_page_and_pdf_are_of_the_same_receipt() -> None:
    receipt = issue()
    request = RequestFactory().get("/")
    with translation.override("vi"):
        page = receipt_page(request, receipt, pdf_url="/pdf", back_url="/back").render()
    text = page.content.decode()
    for said in (receipt.code, "23/11/2026", "599.000", "Năm trăm chín mươi chín nghìn đồng."):
        assert said in text
    assert 'href="/pdf"' in text
    assert "ĐÃ HỦY" not in text
    file = receipt_file(receipt)
    assert file["Content-Disposition"] == 'inline; filename="BN2026-000001.pdf"'
    assert file.content.startswith(b"%PDF")
    assert file.content == receipt_pdf(receipt)
    receipts.void(receipt=receipt, reason="Nhầm <b>", actor="lan", at=timezone.now())
    with translation.override("vi"):
        stamped = receipt_page(request, receipt).render().content.decode()
    assert "ĐÃ HỦY" in stamped
    assert "theo biên nhận BN2026-000002" in stamped
    assert receipt_pdf(receipt) != file.content
