"""Exports of lists: what is in the files, who may have them, and what the log says of them."""

import csv
import json
import tracemalloc
from collections.abc import AsyncIterator, Generator, Sequence
from datetime import UTC, datetime
from io import BytesIO, StringIO
from time import monotonic
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connection, transaction
from django.db.models import IntegerField, Value
from django.http import StreamingHttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from analytics.models import GuestEvent
from billing.enums import PaymentStatus
from billing.models import BankTransfer, PaymentOrder
from kitehub.backoffice.exports import Column, answers, columns, xlsx_file
from kitehub.backoffice.exports.rows import LONGEST, ExportRunning, ExportTooSlow
from kitehub.db import locks
from kitehub.models import User
from tests.factories.analytics import GuestEventFactory
from tests.factories.billing import BankTransferFactory, PaymentOrderFactory
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.backoffice.pages import list_url, signed_in

EXPORTED: list[Any] = [
    each for each in admin.site._registry.values() if getattr(each, "export_columns", ())
]


def address(model: Any, kind: str = "csv") -> str:
    opts = model._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_export", args=[kind])


def rows_of(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200
    text = answer.getvalue().decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(StringIO(text[1:], newline="")))


def sheet_of(file: bytes) -> list[tuple[Any, ...]]:
    book = load_workbook(BytesIO(file), read_only=True)
    return list(book.worksheets[0].iter_rows(values_only=True))


def told() -> dict[str, Any]:
    """What the log says of the last export."""
    (part,) = json.loads(LogEntry.objects.latest("id").change_message)
    return part["exported"]  # type: ignore[no-any-return]


@pytest.fixture
def orders(db: None) -> list[PaymentOrder]:
    school = InstanceFactory(organization_name="Trung tâm Ánh Dương, “Q.1”")
    at = datetime(2026, 11, 26, 17, 30, 5, 999999, tzinfo=UTC)
    paid = PaymentOrderFactory(instance=school, paid=True, created_at=at, amount=1_299_000)
    return [paid, PaymentOrderFactory(instance=school)]


def test_csv_has_the_filtered_rows_in_words(
    back_office: Client, orders: list[PaymentOrder]
) -> None:
    answer = back_office.get(address(PaymentOrder), {"status__exact": "PAID", "p": "7"})
    (row,) = rows_of(answer)
    assert row["Mã đơn"] == orders[0].order_id
    assert row["Trạng thái"] == PaymentStatus.PAID.label
    assert row["Số tiền (VND)"] == "1299000"
    assert row["Trường học"] == "Trung tâm Ánh Dương, “Q.1”"
    assert row["Tạo lúc (giờ Việt Nam)"] == "2026-11-27 00:30:05"
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "attachment" in answer["Content-Disposition"]
    said = told()
    assert (said["rows"], said["whole"]) == (1, True)
    assert said["asked"] == {"status__exact": ["PAID"]}


def test_xlsx_has_numbers_and_dates(back_office: Client, orders: list[PaymentOrder]) -> None:
    answer = back_office.get(address(PaymentOrder, "xlsx"), {"q": orders[0].order_id})
    file = answer.getvalue()
    head, row = sheet_of(file)
    cells = dict(zip(head, row, strict=True))
    assert cells["Số tiền (VND)"] == 1_299_000
    assert cells["Tạo lúc (giờ Việt Nam)"] == datetime(2026, 11, 27, 0, 30, 5)  # noqa: DTZ001
    assert cells["Trường học"] == "Trung tâm Ánh Dương, “Q.1”"
    assert int(answer["Content-Length"]) == len(file)
    assert told() == {"file": "xlsx", "asked": {"q": [row[0]]}, "rows": 1, "whole": True}


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        *((text, f"'{text}") for text in ("=1+1", "+84", "-5", "@x", " =1", "＝1")),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("x;=HYPERLINK(1)", "x;'=HYPERLINK(1)"),
        ("x\t  +1", "x\t'  +1"),
        ("x\n@1;;-2", "x\n'@1;;'-2"),
        ('x;"=1+1;y', "x;'\"=1+1;y"),
        ('x\t" "@1', 'x\t\'" "@1'),
        ('"=1', "'\"=1"),
        ("An; lớp 2; 5-6", "An; lớp 2; 5-6"),
        ('"An"; "lớp 2"', '"An"; "lớp 2"'),
    ],
)
def test_no_text_is_a_formula(back_office: Client, text: str, safe: str) -> None:
    BankTransferFactory(memo=text, amount=5, direction="OUT")
    (row,) = rows_of(back_office.get(address(BankTransfer)))
    assert row["Nội dung chuyển khoản"] == safe
    assert row["Số tiền (VND)"] == "-5"
    head, sheet = sheet_of(back_office.get(address(BankTransfer, "xlsx")).getvalue())
    assert sheet[head.index("Nội dung chuyển khoản")] == text.replace("\r", "_x000D_")
    assert sheet[head.index("Số tiền (VND)")] == -5


def test_any_text_and_any_moment_fits_into_a_file(back_office: Client) -> None:
    odd = "a\x01b _x0041_ <&> “đ” 🎓\nsecond"
    line = BankTransferFactory(memo=odd)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE bank_transfers SET transferred_at = 'infinity',"
            " received_at = '9999-12-31 20:00+00' WHERE id = %s",
            [line.pk],
        )
    (row,) = rows_of(back_office.get(address(BankTransfer)))
    assert row["Nội dung chuyển khoản"] == odd
    assert [*row.values()][:2] == ["infinity", "10000-01-01 03:00:00"]
    _head, sheet = sheet_of(back_office.get(address(BankTransfer, "xlsx")).getvalue())
    assert sheet[:2] == ("infinity", "10000-01-01 03:00:00")
    assert odd.replace("\x01", "\ufffd").replace("_x0041_", "_x005F_x0041_") in sheet


@pytest.mark.parametrize("each", EXPORTED, ids=lambda each: each.opts.label_lower)
def test_every_list_gives_files_even_if_empty(back_office: Client, each: Any) -> None:
    nothing = {"q": "00000000-0000-0000-0000-000000000000"}
    assert rows_of(back_office.get(address(each.model), nothing)) == []
    assert len(sheet_of(back_office.get(address(each.model, "xlsx"), nothing).getvalue())) == 1
    page = back_office.get(list_url(each.model), {"o": "1"}).content.decode()
    assert f'href="{address(each.model)}?o=1"' in page
    assert f'href="{address(each.model, "xlsx")}?o=1"' in page


def test_who_may_not_see_a_list_gets_no_file(client: Client, db: None) -> None:
    client.force_login(User.objects.create_user("ho-tro@example.vn", "x", is_staff=True))
    assert client.get(address(PaymentOrder)).status_code == 403
    client.force_login(User.objects.create_user("chu@example.vn", "x"))
    assert client.get(address(PaymentOrder)).status_code == 302
    assert not LogEntry.objects.exists()


def test_only_get_and_only_addresses_that_can_be_looked_up(back_office: Client) -> None:
    assert back_office.post(address(PaymentOrder)).status_code == 405
    assert back_office.get(address(PaymentOrder, "pdf")).status_code == 404
    # What Django refuses, and what only the database does.
    for wrong in ({"created_at__gte": "x"}, {"order_id__regex": "("}):
        with transaction.atomic():
            answer = back_office.get(address(PaymentOrder, "xlsx"), wrong)
            transaction.set_rollback(True)
        assert answer["Location"] == f"{list_url(PaymentOrder)}?e=1"
    assert not LogEntry.objects.exists()


def test_no_file_has_a_secret() -> None:
    for each in EXPORTED:
        omitted = set(getattr(each.model, "archive_omits", ())) | {"raw_body", "password"}
        sources = {getattr(column, "source", column) for column in each.export_columns}
        assert not omitted & {str(source).split("__")[-1] for source in sources}


def test_names_come_by_the_chunk(
    back_office: Client, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            rows_of(back_office.get(address(GuestEvent)))
        return len(asked)

    for _ in range(3):
        GuestEventFactory(instance_id=InstanceFactory().pk)
    few = queries()
    for _ in range(27):
        GuestEventFactory(instance_id=InstanceFactory().pk)
    assert queries() == few
    names = {row["Trường học"] for row in rows_of(back_office.get(address(GuestEvent)))}
    assert len(names) == 30


def test_who_goes_away_is_logged_with_what_they_got(
    back_office: Client, orders: list[PaymentOrder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kitehub.backoffice.exports.rows.CHUNK", 1)
    answer = back_office.get(address(PaymentOrder))
    assert told()["rows"] == 0  # Logged before anything leaves.
    blocks = answer.streaming_content
    next(blocks), next(blocks), next(blocks)
    answer._iterator.close()
    assert told() == {"file": "csv", "asked": {}, "rows": 1, "whole": False}


def test_a_file_that_breaks_off_says_so(
    back_office: Client, orders: list[PaymentOrder], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = Column(Value(0, output_field=IntegerField()), "x", words=lambda it: str(1 // it))
    order_admin: Any = admin.site._registry[PaymentOrder]
    monkeypatch.setattr(type(order_admin), "export_columns", ("order_id", wrong))
    answer = back_office.get(address(PaymentOrder))
    got = []
    with pytest.raises(ZeroDivisionError):
        got.extend(answer.streaming_content)
    assert b"".join(got).decode().endswith("sau 0 dòng.\r\n")
    assert told()["whole"] is False
    with pytest.raises(ZeroDivisionError):
        back_office.get(address(PaymentOrder, "xlsx"))


def test_who_reads_too_slowly_gets_a_part_that_says_so(
    back_office: Client, orders: list[PaymentOrder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kitehub.backoffice.exports.rows.CHUNK", 1)
    answer = back_office.get(address(PaymentOrder))
    blocks = answer.streaming_content
    got = [next(blocks), next(blocks)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('idle_in_transaction_session_timeout')")
        assert cursor.fetchone() == ("5min",), "and who doesn't read at all is cut off"
    later = monotonic() + LONGEST.total_seconds()
    monkeypatch.setattr("kitehub.backoffice.exports.rows.monotonic", lambda: later)
    with pytest.raises(ExportTooSlow):
        got.extend(blocks)
    assert "Đã hết 30 phút sau 1 dòng" in b"".join(got).decode().splitlines()[-1]
    assert told() == {"file": "csv", "asked": {}, "rows": 1, "whole": False}


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_person_takes_one_file_at_a_time(
    back_office: Client, staff: User, orders: list[PaymentOrder], kind: str
) -> None:
    elsewhere = connection.copy()
    try:
        assert locks.take(elsewhere, f"export of {staff.pk}")
        answer = back_office.get(address(PaymentOrder, kind), {"tab": "PAID"})
        assert answer["Location"] == f"{list_url(PaymentOrder)}?tab=PAID"
        assert "Một tệp khác của bạn" in back_office.get(answer["Location"]).content.decode()
        colleague = signed_in("ke-toan@example.vn")
        assert colleague.get(address(PaymentOrder, kind)).getvalue()
        reading = answers.chunks(PaymentOrder.objects.all(), [], reader=staff.pk)
        with pytest.raises(ExportRunning):
            next(reading)
        locks.release(elsewhere, f"export of {staff.pk}")  # At once; a session takes time to end.
    finally:
        elsewhere.close()
    assert back_office.get(address(PaymentOrder, kind)).getvalue()


def test_rows_past_the_end_of_a_sheet_go_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_file, "MOST_ROWS", 3)
    prepared = columns.prepare(PaymentOrder, ["amount"])
    file = BytesIO()
    parts: list[list[Sequence[Any]]] = [[[1, 2]], [[3, 4, 5]], [[6]]]
    assert xlsx_file.write(file, title="Đơn: 1/2", columns=prepared, chunks=parts) == 6
    book = load_workbook(file)
    assert book.sheetnames == ["Đơn  1 2 (1)", "Đơn  1 2 (2)"]
    assert [[cell.value for cell in sheet["A"][1:]] for sheet in book] == [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_memory_does_not_grow_with_the_rows(db: None, kind: str, rf: RequestFactory) -> None:
    def peak(count: int) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(
                "INSERT INTO guest_events (id, session_id, instance_id, event_type, course_name)"
                " SELECT gen_random_uuid(), 's' || n, gen_random_uuid(), 'view', repeat('x', 200)"
                " FROM generate_series(1, %s) n",
                [count],
            )
        request = rf.get("/")
        request.user = User.objects.create_superuser(f"{count}@example.vn", "x")
        event_admin: Any = admin.site._registry[GuestEvent]
        tracemalloc.start()
        for _block in event_admin.export_view(request, kind):
            pass
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert told()["rows"] >= count
        return most

    few = peak(4_000)
    assert peak(20_000) < few * 1.6


def test_async_servers_get_block_by_block() -> None:
    ended = []

    def blocks() -> Generator[bytes, None, None]:
        try:
            yield from (b"1", b"2", b"3")
        finally:
            ended.append(True)

    async def two() -> list[bytes]:
        stream = StreamingHttpResponse(answers._Async(blocks()))
        got = [block async for block in aislice(stream, 2)]
        for (
            close
        ) in stream._resource_closers:  # As its own close() does, which also ends a request.
            await sync_to_async(close)()
        return got

    assert async_to_sync(two)() == [b"1", b"2"]
    assert ended == [True]


async def aislice(source: Any, most: int) -> AsyncIterator[bytes]:
    taken = aiter(source)
    for _ in range(most):
        yield await anext(taken)
