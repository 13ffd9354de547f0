"""The statements of the big banks are understood without a word from anybody."""

import unicodedata
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from billing.enums import TransferDirection
from billing.statements import Mapping, Role, lines, preview
from tests.billing.statements.files import ACCOUNT, BANKS, MEMO, csv_text, rows_of, xlsx

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
TIMED = {"VietinBank", "BIDV", "MB", "VPBank", "TPBank"}
REFERENCES = {
    "Vietcombank": "5243.65937", "VietinBank": "5243.65937", "BIDV": "5243.65937",
    "Techcombank": "FT24364030863634", "MB": "FT1", "ACB": "1234", "VPBank": "FT1",
    "Sacombank": "", "TPBank": "FT1",
}  # fmt: skip
COUNTERPARTIES = {
    "VietinBank": ("NGUYEN VAN A", "0123499999"), "MB": ("NGUYEN VAN A", "0123499999"),
    "Techcombank": ("NGUYEN VAN A", ""),
}  # fmt: skip
TONES = "\u0300\u0301\u0303\u0309\u0323"
UNNAMED = {"BIDV", "MB", "Sacombank"}


@pytest.mark.parametrize("kind", ["xlsx", "csv", "csv ;"])
@pytest.mark.parametrize("name", BANKS)
def test_a_banks_statement_is_read(name: str, kind: str) -> None:
    rows = rows_of(BANKS[name])
    if kind == "xlsx":
        data = xlsx(rows)
    else:
        data = csv_text(rows, ";" if kind == "csv ;" else ",").encode("utf-8-sig")
    shown = preview(data, f"sao ke.{kind[:4].strip()}")
    assert shown.mapping
    saved = Mapping.from_dict(shown.mapping.to_dict())
    assert saved == shown.mapping
    report = lines(data, f"sao ke.{kind[:4].strip()}", saved)
    assert report.problems == ()
    assert report.lines == shown.lines
    credit, debit = (each.line for each in report.lines)
    assert (credit.direction, credit.amount) == (TransferDirection.IN, 500_000)
    assert (debit.direction, debit.amount) == (TransferDirection.OUT, 20_000)
    assert credit.memo == MEMO
    hour = (14, 2, 37) if name in TIMED else (0, 0)
    assert credit.transferred_at == datetime(2024, 9, 4, *hour, tzinfo=VIETNAM)
    assert credit.has_time == (name in TIMED)
    assert credit.reference == REFERENCES[name]
    if Role.BALANCE in saved.columns:
        assert (credit.balance_after, debit.balance_after) == (1_500_000, 1_480_000)
    else:
        assert name == "TPBank"
    assert (credit.counterparty_name, credit.counterparty_account) == COUNTERPARTIES.get(
        name, ("", "")
    )
    assert report.account_number == credit.account_number == ("" if name in UNNAMED else ACCOUNT)
    assert all(0.5 < sure <= 1 for sure in shown.confidence.values())


def test_a_mapping_fits_the_next_month_with_another_preamble() -> None:
    bank = BANKS["BIDV"]
    mapping = preview(xlsx(rows_of(bank)), "1.xlsx").mapping
    assert mapping
    moved = [["NGÂN HÀNG"], [], ["Kỳ 10/2024"], *rows_of(bank)]
    # The same columns in another order.
    moved = [list(reversed([*row, *[None] * (7 - len(row))])) for row in moved]
    assert [each.line.amount for each in lines(xlsx(moved), "2.xlsx", mapping).lines] == [
        500_000, 20_000,
    ]  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_is_told_by_its_bytes(encoding: str) -> None:
    data = csv_text(rows_of(BANKS["BIDV"]), "\t").encode(encoding)
    shown = preview(data, "a.csv")
    assert shown.line_count == 2
    assert shown.mapping
    assert shown.mapping.delimiter == "\t"


def test_vietnamese_windows_files_are_read() -> None:
    # Windows-1258 writes most accents behind their letter; Excel in Vietnam still saves it.
    text = csv_text(
        [["Ngày giao dịch", "Ghi nợ", "Ghi có", "Nội dung"], ["04/09/2024", "", "5.000", "Trần Bố"]]
    )
    data = b"".join(_in_1258(letter) for letter in text)
    shown = preview(data, "a.csv")
    assert shown.mapping
    assert shown.mapping.encoding == "cp1258"
    assert shown.lines[0].line.memo == "Trần Bố"


def _in_1258(letter: str) -> bytes:
    try:
        return letter.encode("cp1258")
    except UnicodeEncodeError:
        parts = unicodedata.normalize("NFD", letter)
        tones = "".join(each for each in parts if each in TONES)
        rest = "".join(each for each in parts if each not in TONES)
        return (unicodedata.normalize("NFC", rest) + tones).encode("cp1258")
