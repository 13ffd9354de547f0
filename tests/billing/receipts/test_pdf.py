"""A receipt's PDF says in Vietnamese what was paid, and is the same whenever it is printed."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO

import pytest
from pypdf import PdfReader

from billing.receipts.content import Party, Payment, ReceiptContent, receipt_number
from billing.receipts.pdf import render
from kitehub.display import NBSP
from kitehub.enums import Tier

# 17:30 UTC is half past midnight of the next day in Vietnam.
PAID = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)
RECEIPT = ReceiptContent(
    number=receipt_number(year=2026, number=1),
    issued_at=PAID,
    issuer=Party("Công ty TNHH KiteHub Việt Nam", ("12 Nguyễn Trãi, Hà Nội", "MST: 0101234567")),
    payer=Party("Trung tâm Ngoại ngữ Thủ Đức", ("Nguyễn Thị Hoàng Yến", "yen@thuduc.edu.vn")),
    order_code="KH7F3K9M2P",
    amount=1_005_000,
    tier=Tier.STANDARD,
    period_start=PAID,
    period_end=datetime(2026, 12, 22, 17, 30, tzinfo=UTC),
    payments=(Payment(1_000_000, "Vietcombank", "FT2632792704", PAID), Payment(5_000)),
)
VOID = replace(RECEIPT, number="BN2026-000002", voids="BN2026-000001", reason="Chuyển nhầm trường")


def text_of(pdf: bytes) -> str:
    (page,) = PdfReader(BytesIO(pdf)).pages
    return page.extract_text().replace(NBSP, " ")


def test_reads_as_an_accountant_needs_it() -> None:
    text = text_of(render(RECEIPT))
    for said in (
        "BIÊN NHẬN THANH TOÁN",
        "Số BN2026-000001",
        "Ngày 23/11/2026",
        "Công ty TNHH KiteHub Việt Nam",
        "MST: 0101234567",
        "Trung tâm Ngoại ngữ Thủ Đức",
        "Nguyễn Thị Hoàng Yến · yen@thuduc.edu.vn",
        "KH7F3K9M2P",
        "gói Tiêu chuẩn, từ 23/11/2026 đến 23/12/2026",
        "1.005.000 ₫",
        "Một triệu không trăm linh năm nghìn đồng.",
        "Chuyển khoản 23/11/2026 00:30 · Vietcombank · mã GD FT2632792704",
        "Tiền dư của trường",
        "không phải hóa đơn giá trị gia tăng",
    ):
        assert said in text
    assert "ĐÃ HỦY" not in text
    assert "One million five thousand Vietnamese dong." in text_of(render(RECEIPT, language="en"))


def test_void_and_voided_receipts_name_each_other() -> None:
    stamped = text_of(render(RECEIPT, voided_by=VOID.number))
    assert "ĐÃ HỦY" in stamped
    assert "theo biên nhận BN2026-000002" in stamped
    taken_back = text_of(render(VOID))
    assert "BIÊN NHẬN HỦY" in taken_back
    assert "BN2026-000001" in taken_back
    assert "Chuyển nhầm trường" in taken_back
    assert "-1.005.000 ₫" in taken_back


def test_same_receipt_is_the_same_bytes() -> None:
    first = render(RECEIPT)
    render(VOID)
    assert render(RECEIPT) == first
    assert len(first) < 40_000


@pytest.mark.parametrize(("paper", "millimetres"), [("A5", (210, 148)), ("A4", (210, 297))])
def test_paper(paper: str, millimetres: tuple[int, int]) -> None:
    (page,) = PdfReader(BytesIO(render(RECEIPT, paper=paper))).pages
    assert tuple(round(float(side) / 72 * 25.4) for side in page.mediabox[2:]) == millimetres
    fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]
    ours = [font for font in fonts if "NotoSans" in font["/BaseFont"]]
    assert ours
    assert all("/FontFile2" in font["/FontDescriptor"] for font in ours)


def test_whatever_a_school_is_called_fits_its_place() -> None:
    odd = replace(
        RECEIPT,
        # Decomposed, a control character, a letter and a sign that the font lacks.
        payer=Party("Tru\u031bo\u031b\u0300ng\tViệt\x00 학 <b>&amp; 🎈" + " rất dài" * 60),
        payments=tuple(Payment(100_000, "MB", f"FT{number}", PAID) for number in range(12)),
    )
    text = text_of(render(odd))
    assert "Trường Việt? ? <b>&amp; ? rất dài" in text
    assert "rất d" in text
    assert "…" in text
    assert "và 10 khoản thanh toán khác" in text
    assert "1.000.000 ₫" in text


def test_content_comes_back_from_the_database_unchanged() -> None:
    for content in (RECEIPT, VOID, replace(RECEIPT, tier=None, period_start=None, payments=())):
        row = {"number": content.number, "issued_at": content.issued_at}
        kept = json.loads(json.dumps(content.to_json()))
        assert ReceiptContent.from_json(kept, **row) == content
    with pytest.raises(ValueError, match="version"):
        ReceiptContent.from_json(RECEIPT.to_json() | {"version": 2}, **row)
