"""A file that is no statement is refused with a sentence, a row that is no line is reported."""

import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from openpyxl import Workbook

from billing.statements import (
    BadMapping,
    Mapping,
    Role,
    Unreadable,
    files,
    lines,
    preview,
    text_files,
    workbooks,
)
from tests.billing.statements.files import BANKS, HEADERS, csv_text, rows_of, simple, xlsx

SIMPLE = Mapping(
    columns={
        Role.DATE: "ngay giao dich", Role.DEBIT: "GHI NỢ", Role.CREDIT: "Ghi có",
        Role.BALANCE: "Số dư", Role.MEMO: "Nội dung", Role.REFERENCE: "#6",
    }
)  # fmt: skip
GOOD = ["04/09/2024", "", "5.000", "10.000", "KH7Q2M4X9A", "FT1"]


def refusal(data: bytes, filename: str = "a.csv") -> str:
    with pytest.raises(Unreadable) as refused:
        preview(data, filename)
    assert len(str(refused.value).split()) > 1
    return refused.value.code


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return file.getvalue()


def rewritten(workbook: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """A workbook with changed members."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook)) as source,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for each in source.infolist():
            target.writestr(each.filename, change(each.filename, source.read(each)))
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "filename", "code"),
    [
        (b"", "a.csv", "empty"), (b" \r\n", "a.csv", "empty"), (b"\x00" * 20, "a.csv", "binary"),
        (b"x" * (10 * 1024 * 1024 + 1), "a.csv", "too_large"), (b"%PDF-1.7 x", "a.csv", "pdf"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1xx", "a.xls", "old_excel"),
        (b"\n <HTML><table><tr><td>1", "a.xls", "html"), (b"\xef\xbb\xbf<table>", "a.xls", "html"),
        (b"<?xml version='1.0'?><Workbook/>", "a.xls", "html"),
        ("<html>".encode("utf-16"), "a.xls", "html"), (b"PK\x03\x04 cut", "a.xlsx", "damaged"),
        (zipped(a=b"1"), "a.xlsx", "no_workbook"), (xlsx([["a"]]), "a.xlsm", "macros"),
        (zipped(xl__workbook_xml=b"", **{"xl__vbaProject.bin": b""}), "a.xlsx", "macros"),
        (zipped(xl__workbook_xml=b"<broken"), "a.xlsx", "damaged"),
        (b"\xef\xbb\xbfa,\xff", "a.csv", "wrong_encoding"),
        (b'a,b\n"' + b"x" * 200_000, "a.csv", "broken_csv"),
    ],
)  # fmt: skip
def test_files_of_other_kinds_are_refused(data: bytes, filename: str, code: str) -> None:
    assert refusal(data, filename) == code


def test_bombs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MOST_UNPACKED_BYTES", 100_000)
    assert refusal(zipped(xl__workbook_xml=b" " * 100_001), "a.xlsx") == "too_large_unpacked"
    monkeypatch.setattr(workbooks, "MOST_MEMBERS", 3)
    assert refusal(xlsx([["a"]]), "a.xlsx") == "too_large_unpacked"


def test_entities_are_refused() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'

    def with_bomb(name: str, content: bytes) -> bytes:
        return bomb + content if name.endswith("sheet1.xml") else content

    assert refusal(rewritten(xlsx(rows_of(BANKS["BIDV"])), with_bomb), "a.xlsx") == "damaged"


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [HEADERS, *[GOOD] * 30]
    for module in (files, text_files, workbooks):
        monkeypatch.setattr(module, "MOST_ROWS", 30)
    assert refusal(xlsx(rows), "a.xlsx") == "too_many_rows"
    assert refusal(csv_text(rows).encode()) == "too_many_rows"
    # A single cell far below counts all rows above it.
    workbook = Workbook()
    assert workbook.active is not None
    workbook.active["A1048576"] = 1
    file = io.BytesIO()
    workbook.save(file)
    assert refusal(file.getvalue(), "a.xlsx") == "too_many_rows"


def test_too_many_cells_are_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MOST_CELLS", 50)
    assert refusal(xlsx([HEADERS, *[GOOD] * 10]), "a.xlsx") == "too_many_rows"


def test_a_workbook_without_styles_is_read() -> None:
    rows = [HEADERS, GOOD]
    plain = rewritten(xlsx(rows), lambda name, content: content.replace(b"cellStyle", b"cellOther"))
    assert lines(plain, "a.xlsx", SIMPLE).lines[0].line.amount == 5000


def test_cells_far_to_the_right_dont_count() -> None:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in [HEADERS, GOOD]:
        sheet.append(row)
    sheet["XFD2"] = "x"
    file = io.BytesIO()
    workbook.save(file)
    assert lines(file.getvalue(), "a.xlsx", SIMPLE).lines[0].line.amount == 5000


def test_a_file_without_the_headers_is_shown_to_be_mapped_by_hand() -> None:
    shown = preview("Tên,Tuổi\nAn,5\n".encode(), "a.csv")
    assert shown.mapping is None
    assert shown.rows == (("Tên", "Tuổi"), ("An", "5"))
    with pytest.raises(Unreadable) as refused:
        lines(b"a,b\n1,2", "a.csv", SIMPLE)
    assert refused.value.code == "headers_missing"
    assert "GHI NỢ" in str(refused.value)


def problems(*rows: Any) -> list[tuple[int, str]]:
    report = lines(simple(*rows), "a.csv", SIMPLE)
    return [(each.row, each.column) for each in report.problems]


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (["04/09/2024", "", "5,5", "", "x", ""], "Ghi có"),
        (["04/09/2024", "", "0", "", "x", ""], "Ghi có"),
        (["04/09/2024", "", "", "", "x", ""], "Ghi có"),
        (["04/09/2024", "5.000", "5.000", "", "x", ""], "Ghi có"),
        (["04/09/2024", "", "99.999.999.999.999", "", "", ""], "Ghi có"),
        (["04/09/2024", "", "=1+1", "", "", ""], "Ghi có"),
        (["31/02/2024", "", "5.000", "", "x", ""], "Ngày giao dịch"),
        (["", "", "5.000", "", "CONG TY ABC chuyen tien", ""], "Ngày giao dịch"),
        (["x", "", "5.000", "", "TONG CTY ABC", ""], "Ngày giao dịch"),
        (["04/09/2024", "", "5.000", "abc", "", ""], "Số dư"),
    ],
)
def test_a_row_that_is_no_line_is_reported_and_the_others_are_read(
    row: list[str], column: str
) -> None:
    assert problems(GOOD, row, GOOD) == [(3, column)]
    assert len(lines(simple(GOOD, row, GOOD), "a.csv", SIMPLE).lines) == 2
    shown = preview(simple(GOOD, row, GOOD), "a.csv")
    assert (shown.line_count, shown.problem_count) == (2, 1)


@pytest.mark.parametrize(
    "row",
    [
        [], ["", "", "", "", "", ""], list(HEADERS), ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)"],
        ["Tổng cộng", "20.000", "5.000", "", "", ""], ["", "", "5.000", "", "Cộng phát sinh", ""],
        ["Số dư cuối kỳ", "", "5.000", "10.000", "", ""], ["04/09/2024", "", "", "5", "Dư đầu kỳ"],
        ["Ghi chú: 24/7"], ["04/09/2024", "0", "0", "5", "Số dư đầu kỳ"], ["04/09/2024"],
        ["", "", "Total 5", "", "", ""],
        ["Người lập", "", "Kế toán", "", "", ""],
        ["Grand total", "", "1", "", "", ""],
    ],
)  # fmt: skip
def test_sums_notes_and_headers_are_neither_lines_nor_problems(row: list[str]) -> None:
    assert problems(GOOD, row) == []
    assert len(lines(simple(GOOD, row), "a.csv", SIMPLE).lines) == 1


def test_formulas_count_only_with_a_value() -> None:
    sheet = [HEADERS, ["04/09/2024", None, "=2500*2", 1, "=HYPERLINK(1)", "FT1"], GOOD]
    report = lines(xlsx(sheet), "a.xlsx", SIMPLE)
    assert [(each.row, each.column) for each in report.problems] == [(2, "Ghi có")]
    assert [each.row for each in report.lines] == [3]
    # Excel saves what a formula came to.
    empty = re.compile(b"(<f>2500.2</f>)<v ?/>|(<f>2500.2</f>)<v></v>")
    saved = rewritten(xlsx(sheet), lambda _name, content: empty.sub(rb"\1\2<v>5000</v>", content))
    report = lines(saved, "a.xlsx", SIMPLE)
    assert not report.problems
    assert [each.line.amount for each in report.lines] == [5000, 5000]
    assert report.lines[0].line.memo == ""


def test_hidden_sheets_are_passed_over_and_the_table_may_be_on_the_second() -> None:
    workbook = Workbook()
    cover = workbook.active
    assert cover is not None
    cover.append(["Ngân hàng"])
    hidden = workbook.create_sheet("old")
    table = workbook.create_sheet("new")
    for row in [HEADERS, GOOD]:
        table.append(row)
        hidden.append([*row, "x"])
    hidden.append(GOOD)
    hidden.sheet_state = "hidden"
    file = io.BytesIO()
    workbook.save(file)
    assert preview(file.getvalue(), "a.xlsx").line_count == 1


@pytest.mark.parametrize(
    ("saved", "field"),
    [
        (None, "columns"), ({}, "columns"), ({"columns": []}, "columns"),
        ({"columns": {"credit": "a"}}, "columns.date"),
        ({"columns": {"date": "a"}}, "columns.credit"),
        ({"columns": {"date": "a", "credit": 5}}, "columns.credit"),
        ({"columns": {"date": "a", "credit": "#0"}}, "columns.credit"),
        ({"columns": {"date": "#1", "credit": "#101"}}, "columns.credit"),
        ({"columns": {"date": "", "credit": "b"}}, "columns.date"),
        ({"columns": {"date": "a", "credit": "b", "colour": "c"}}, "columns.colour"),
        ({"columns": {"date": "a", "credit": "b"}, "encoding": "rot13"}, "encoding"),
        ({"columns": {"date": "a", "credit": "b"}, "delimiter": "ab"}, "delimiter"),
        ({"columns": {"date": "a", "credit": "b"}, "month_first": 1}, "month_first"),
        ({"columns": {"date": "a", "credit": "b"}, "other": 1}, "other"),
    ],
)  # fmt: skip
def test_a_mapping_that_can_be_none_is_refused_by_its_field(saved: Any, field: str) -> None:
    with pytest.raises(BadMapping) as refused:
        Mapping.from_dict(saved)
    assert refused.value.field == field
