"""Statements as the big banks lay them out, made when they are needed."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from openpyxl import Workbook


class Bank(NamedTuple):
    """How a bank's statement looks: two lines, 500.000 đ in and 20.000 đ out, as it puts it."""

    preamble: Sequence[Sequence[Any]]
    headers: Sequence[str]
    rows: Sequence[Sequence[Any]]
    footer: Sequence[Sequence[Any]] = ()


MEMO = "MBVCB.1.KH7Q2M4X9A.CT tu 0123499999 NGUYEN VAN A"
ACCOUNT = "0011001932418"
# Excel knows no zones.
FIRST = datetime(2024, 9, 4, 14, 2, 37)  # noqa: DTZ001
SECOND = datetime(2024, 9, 5, 9)  # noqa: DTZ001

BANKS: dict[str, Bank] = {
    "Vietcombank": Bank(
        [
            ["SAO KÊ TÀI KHOẢN"], ["STATEMENT OF ACCOUNT"], [],
            [None, "Số tài khoản/Account number:", ACCOUNT],
            ["Từ/ From: 01/09/2024 Đến/ To: 10/09/2024"],
        ],
        [
            "STT\nNo.", "Ngày1/\nTNX Date/ Số CT/ Doc No", "Ngày hiệu lực2/\nEffective date",
            "Số tiền ghi nợ/\nDebit", "Số tiền ghi có/\nCredit", "Số dư/\nBalance",
            "Nội dung chi tiết/\nTransactions in detail",
        ],
        [
            [1, "04/09/2024\n5243.65937", "04/09/2024", None, "500,000", "1,500,000", MEMO],
            [2, "05/09/2024\n5272.37452", "05/09/2024", "20,000", None, "1,480,000", "PHI SMS"],
        ],
        [["Tổng số", None, None, "20,000", "500,000"], ["Telex : (0805) 411504 VCB - VT"]],
    ),
    "VietinBank": Bank(
        [["NGÂN HÀNG TMCP CÔNG THƯƠNG VIỆT NAM"], [f"Số tài khoản: {ACCOUNT}"]],
        [
            "STT/No.", "Ngày hạch toán/Accounting date", "Mô tả giao dịch/Transaction description",
            "Nợ/Debit", "Có/Credit", "Số dư tài khoản/Account Balance",
            "Số giao dịch/Transaction number", "Số tài khoản đối ứng/Corresponsive account",
            "Tên tài khoản đối ứng/Corresponsive name",
        ],
        [
            [1, "04-09-2024 14:02:37", MEMO, "", "500,000.00", "1,500,000.00", "5243.65937",
             "0123499999", "NGUYEN VAN A"],
            [2, "05-09-2024 09:00:00", "PHI SMS", "20,000.00", "", "1,480,000.00", "5272.37452",
             "", ""],
        ],
        [["", "", "Tổng cộng/Total", "20,000.00", "500,000.00"]],
    ),
    "BIDV": Bank(
        [["BÁO CÁO CHI TIẾT SỐ DƯ TÀI KHOẢN"]],
        ["STT", "Ngày giao dịch", "Số tham chiếu", "Mô tả", "Phát sinh nợ", "Phát sinh có",
         "Số dư"],
        [
            ["1", "04/09/2024 14:02:37", "5243.65937", MEMO, "0", "500.000", "1.500.000"],
            ["2", "05/09/2024 09:00:00", "5272.37452", "PHI SMS", "20.000", "0", "1.480.000"],
        ],
        [["Cộng phát sinh", "", "", "", "20.000", "500.000"], ["Số dư cuối kỳ", "1.480.000"]],
    ),
    "Techcombank": Bank(
        [["Techcombank"], ["Account No", ACCOUNT]],
        [
            "Ngày giao dịch\nTransaction Date", "Đối tác\nRemitter", "NH Đối tác\nRemitter Bank",
            "Diễn giải\nDetails", "Số bút toán\nTransaction No", "Nợ TKTT\nDebit",
            "Có TKTT\nCredit", "Số dư\nBalance",
        ],
        [
            ["04/09/2024", "NGUYEN VAN A", "VCB", MEMO, "FT24364030863634", "", "500,000",
             "1,500,000"],
            ["05/09/2024", "", "", "PHI SMS", "FT24364030863635", "-20,000", "", "1,480,000"],
        ],
    ),
    "MB": Bank(
        [["NGÂN HÀNG QUÂN ĐỘI"]],
        [
            "STT\nNo", "Ngày giao dịch\nTransaction Date", "Số bút toán\nTransaction No",
            "Phát sinh nợ\nDebit", "Phát sinh có\nCredit", "Số dư\nBalance", "Nội dung\nDetails",
            "Đơn vị thụ hưởng/Đơn vị chuyển\nBeneficiary/Remitter", "Tài khoản\nAccount",
            "Ngân hàng đối tác\nRemitter bank",
        ],
        [
            [1, FIRST, "FT1", None, 500000, 1500000, MEMO,
             "NGUYEN VAN A", "0123499999", "VCB"],
            [2, SECOND, "FT2", 20000, None, 1480000.0, "PHI SMS"],
        ],
        [["Tổng", None, None, 20000, 500000]],
    ),
    "ACB": Bank(
        [["BẢNG SAO KÊ GIAO DỊCH"], ["SỐ TÀI KHOẢN", ACCOUNT]],
        ["NGÀY HIỆU LỰC", "NGÀY GIAO DỊCH", "SỐ GD", "NỘI DUNG GIAO DỊCH", "TIỀN RÚT RA",
         "TIỀN GỬI VÀO", "SỐ DƯ"],
        [
            ["04/09/2024", "04/09/2024", "1234", MEMO, "", "500.000", "1.500.000"],
            ["05/09/2024", "05/09/2024", "1235", "PHI SMS", "20.000", "", "1.480.000"],
        ],
        [["", "", "", "Tổng cộng", "20.000", "500.000"]],
    ),
    "VPBank": Bank(
        [["Account statement", "", ACCOUNT]],
        ["Transaction Date", "Description", "Debit Amount (VND)", "Credit Amount (VND)",
         "Running balance", "Reference No"],
        [
            ["04/09/2024 14:02:37", MEMO, "", "500 000 VND", "1 500 000 VND", "FT1"],
            ["05/09/2024 09:00:00", "PHI SMS", "20 000 VND", "", "1 480 000 VND", "FT2"],
        ],
        [["Total", "", "20 000 VND", "500 000 VND"]],
    ),
    "Sacombank": Bank(
        [],
        ["Ngày GD", "Diễn giải", "Rút", "Gửi", "Số dư"],
        [
            ["04/09/2024", MEMO, "", "500,000", "1,500,000"],
            ["05/09/2024", "PHI SMS", "20,000", "", "1,480,000"],
        ],
    ),
    "TPBank": Bank(
        [["TPBank"], [f"Tài khoản: {ACCOUNT} - VND"]],
        ["Ngày giao dịch", "Số tiền", "Nội dung giao dịch", "Mã giao dịch"],
        [
            ["2024-09-04T14:02:37", "+500,000", MEMO, "FT1"],
            ["2024-09-05T09:00:00", "(20,000)", "PHI SMS", "FT2"],
        ],
    ),
}  # fmt: skip


def rows_of(bank: Bank) -> list[Sequence[Any]]:
    return [*bank.preamble, bank.headers, *bank.rows, *bank.footer]


def xlsx(rows: Iterable[Sequence[Any]]) -> bytes:
    workbook = Workbook()
    assert workbook.active is not None
    for row in rows:
        workbook.active.append(list(row))
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def csv_text(rows: Iterable[Sequence[Any]], delimiter: str = ",") -> str:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows(
        ["" if cell is None else cell for cell in row] for row in rows
    )
    return file.getvalue()


HEADERS = ("Ngày giao dịch", "Ghi nợ", "Ghi có", "Số dư", "Nội dung", "Số tham chiếu")


def simple(*rows: Sequence[Any], encoding: str = "utf-8") -> bytes:
    """A CSV with the headers above."""
    return csv_text([HEADERS, *rows]).encode(encoding)
