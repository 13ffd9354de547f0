"""A line has the same name in every file that has it, and two genuine ones stay two."""

from billing.enums import TransferDirection
from billing.statements import Mapping, Role, lines, preview
from tests.billing.statements.files import HEADERS, csv_text, simple, xlsx

MAPPING = Mapping(
    columns={
        Role.DATE: "Ngày giao dịch", Role.DEBIT: "Ghi nợ", Role.CREDIT: "Ghi có",
        Role.BALANCE: "Số dư", Role.MEMO: "Nội dung", Role.REFERENCE: "Số tham chiếu",
    }
)  # fmt: skip

IN_AND_OUT = [TransferDirection.IN, TransferDirection.OUT]


def keys(data: bytes, name: str = "a.csv") -> list[str]:
    return [each.line.provider_id for each in lines(data, name, MAPPING).lines]


TWICE = ["04/09/2024", "", "5.000", "", "NGUYEN VAN A chuyen tien", ""]
OTHER = ["05/09/2024", "", "5.000", "", "NGUYEN VAN A chuyen tien", ""]
NAMED = ["05/09/2024", "", "5.000", "7.000", "x", "FT1"]


def test_two_lines_that_say_the_same_stay_two() -> None:
    first = keys(simple(TWICE, TWICE, OTHER))
    assert len(set(first)) == 3
    # In another order, kind of file and spelling they are the same three.
    again = keys(
        xlsx([HEADERS, OTHER, TWICE, [*TWICE[:4], "Nguyễn Văn A  chuyển tiền", ""]]), "a.xlsx"
    )
    assert set(again) == set(first)
    assert set(keys(simple(TWICE))) < set(first)


def test_a_reference_is_a_name_whatever_else_changes() -> None:
    (first,) = keys(simple(NAMED))
    assert keys(simple([*NAMED[:3], "9.000", "y", "ft1"])) == [first]
    assert keys(simple([*NAMED[:5], "FT2"])) != [first]
    # A fee may be booked under the reference of its transfer.
    fee = ["05/09/2024", "5.000", "", "", "phi", "FT1"]
    assert len(set(keys(simple(NAMED, fee, NAMED)))) == 3


def test_leading_zeros_stay() -> None:
    rows = [["Ngày giao dịch", "Số tiền", "Nội dung", "Tài khoản đối ứng"],
            ["04/09/2024", 5000, "x", "0012"]]  # fmt: skip
    for data, name in ((xlsx(rows), "a.xlsx"), (csv_text(rows).encode(), "a.csv")):
        assert preview(data, name).lines[0].line.counterparty_account == "0012"


def test_in_and_out_may_have_a_column_of_their_own() -> None:
    rows = [["Ngày giao dịch", "Số tiền", "Loại giao dịch", "Nội dung"],
            ["04/09/2024", "5.000", "C", "x"], ["04/09/2024", "6.000", "D", "x"]]  # fmt: skip
    shown = preview(csv_text(rows).encode(), "a.csv")
    assert [each.line.direction for each in shown.lines] == [
        TransferDirection.IN,
        TransferDirection.OUT,
    ]
    # The same words above other things are not believed.
    rows[1][2], rows[2][1:3] = "Chuyển khoản", ["-6.000", "Phí"]
    shown = preview(csv_text(rows).encode(), "a.csv")
    assert [each.line.direction for each in shown.lines] == [
        TransferDirection.IN,
        TransferDirection.OUT,
    ]
    assert shown.mapping
    assert Role.SIGN not in shown.mapping.columns


def test_months_come_first_where_nothing_else_makes_dates() -> None:
    shown = preview(simple(["09/14/2024", "", "5.000", "", "x", ""]), "a.csv")
    assert shown.mapping
    assert shown.mapping.month_first
    assert shown.lines[0].line.transferred_at.month == 9
    shown = preview(simple(["09/10/2024", "", "5.000", "", "x", ""]), "a.csv")
    assert shown.lines[0].line.transferred_at.month == 10
