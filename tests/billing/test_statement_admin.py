"""Staff import a statement: they choose a file, see what would come of it, and book it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from billing.enums import StatementOutcome
from billing.models import BankFeed, BankTransfer, StatementMapping
from billing.services.statements import import_statement, mapping_named, save_mapping
from billing.statements import Mapping, Role
from billing.statements.files import LARGEST_BYTES
from kitehub.models import User
from tests.billing.statements.files import BANKS, HEADERS, csv_text, rows_of, simple, xlsx
from tests.billing.test_money_admin import clerk
from tests.billing.test_statement_import import BLANK, FEE, FIRST, OWN, told
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.backoffice.pages import form_of, list_url, messages_of, page_url

pytestmark = pytest.mark.django_db

PAGE = reverse("admin:billing_banktransfer_statement")


def send(client: Client, data: bytes, name: str = "thang 9.csv", **said: Any) -> HttpResponse:
    asked = {"file": SimpleUploadedFile(name, data), "account_number": OWN} | said
    page: Any = client.post(PAGE, asked)
    assert page.status_code == 200
    return page  # type: ignore[no-any-return]


def go_on(client: Client, page: HttpResponse, button: str, **changes: str) -> Any:
    """Presses a button of the page of columns."""
    return client.post(PAGE, form_of(page) | changes | {button: "1"})


def counts(page: Any) -> list[int]:
    return [count for _label, count in page.context["counts"]]


def errors(page: Any) -> dict[str, list[str]]:
    form = page.context.get("columns") or page.context["form"]
    return {name: [str(each) for each in found] for name, found in form.errors.items()}


def test_a_csv_is_looked_at_and_then_imported_with_its_format(
    back_office: Client, staff: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    link = reverse("admin:billing_banktransfer_import_statement")
    assert link in back_office.get(list_url(BankTransfer)).text
    assert back_office.get(link).url == PAGE  # type: ignore[attr-defined]
    assert f'<option value="{OWN}">KiteHub' in back_office.get(PAGE).text
    bad = ["06/09/2024", "", "12,5", "", "x", "FT3"]
    with django_assert_max_num_queries(40):
        page = send(back_office, simple(FIRST, FEE, bad))
    assert (counts(page), page.context["outgoing"]) == ([2, 0, 0], 1)  # type: ignore[attr-defined]
    assert "04/09/2024" in page.text
    assert "500.000\xa0₫" in page.text
    assert "-20.000\xa0₫" in page.text
    assert "Dòng 4, Ghi có: " in page.text
    assert not BankTransfer.objects.exists()
    with django_assert_max_num_queries(40):
        report = go_on(back_office, page, "import", format_name="Vietcombank")
    credit, debit = BankTransfer.objects.order_by("transferred_at")
    assert counts(report) == [2, 0, 0]
    assert "Dòng 4, Ghi có: " in report.text
    for line in (credit, debit):
        assert reverse("admin:billing_banktransfer_change", args=[line.pk]) in report.text
    assert credit.raw["by"] == staff.email
    assert back_office.get(report.context["list"]).context["cl"].result_count == 2
    entry = LogEntry.objects.get()
    assert (entry.user_id, entry.object_repr) == (staff.pk, f"thang 9.csv · {OWN} · +2")
    assert json.loads(entry.change_message)[0]["added"]["object"] == entry.object_repr
    assert entry.object_repr in back_office.get(reverse("admin:index")).text
    assert mapping_named("Vietcombank").columns[Role.CREDIT] == HEADERS[2]
    # The file is gone, so the same page sent twice asks for it anew.
    again = back_office.post(PAGE, form_of(page) | {"import": "1"}, follow=True)
    assert messages_of(again) == ["Tệp không còn được lưu giữ. Vui lòng chọn lại tệp."]
    assert BankTransfer.objects.count() == 2


def test_an_xlsx_of_a_school_names_its_account_itself(back_office: Client) -> None:
    school = InstanceFactory(account_number="0011001932418", bank_code="970436")
    data = xlsx(rows_of(BANKS["Vietcombank"]))
    page = send(back_office, data, "sao ke.xlsx", account_number="")
    assert counts(page) == [2, 0, 0]
    assert counts(go_on(back_office, page, "import")) == [2, 0, 0]
    assert set(BankTransfer.objects.values_list("instance_id", flat=True)) == {school.pk}


def test_what_a_feed_or_an_earlier_file_told_is_not_booked_again(back_office: Client) -> None:
    told()
    import_statement(
        data=simple(FEE), filename="a.csv", mapping=None, account_number=OWN, actor="lan",
        at=timezone.now(),
    )  # fmt: skip
    page = send(back_office, simple(BLANK, BLANK, FEE))
    assert counts(page) == [1, 1, 1]
    for outcome in StatementOutcome:
        assert str(outcome.label) in page.text
    assert counts(go_on(back_office, page, "import")) == [1, 1, 1]
    assert BankTransfer.objects.count() == 3


def test_what_a_living_feed_didnt_tell_is_said_to_wait_for_somebody_else(
    back_office: Client, staff: User
) -> None:
    said = "danh sách chờ cho tới khi một người khác"
    told()
    assert said not in send(back_office, simple(FIRST)).text, "its feed has been silent for years"
    BankFeed.objects.update(last_seen_at=timezone.now())
    assert said not in send(back_office, simple(FEE)).text, "no money comes by it"
    page = send(back_office, simple(FIRST))
    assert said in page.text
    assert said in go_on(back_office, page, "import").text
    line = BankTransfer.objects.get(provider="STATEMENT")
    assert (line.state, line.reason) == ("UNMATCHED", "ONLY_STATEMENT")
    dialog = {"_form_submitted": "True", "retyped": "500000", "reason": "x"}
    dialog["subdomain"] = InstanceFactory(subdomain="sao-mai").subdomain
    refused = back_office.post(page_url(line, "keep"), dialog, follow=True)
    assert "cần người khác gán" in refused.text
    line.refresh_from_db()
    assert line.unmatched == 500_000


def test_columns_can_be_said_and_are_imported_only_as_they_were_shown(back_office: Client) -> None:
    rows = [["Hôm", "Cộng vào", "Lời nhắn"], ["04/09/2024", "5.000", "An, Bình"]]
    page = send(back_office, csv_text(rows, ";").encode())
    assert "An, Bình" in page.text
    assert "counts" not in page.context  # type: ignore[attr-defined]
    missing = go_on(back_office, page, "import", date="Hôm")
    assert errors(missing) == {"credit": ["Thiếu cột tiền vào."]}
    chosen = {"date": "Hôm", "credit": "Cộng vào"}
    unseen = go_on(back_office, page, "import", **chosen)
    assert "__all__" in errors(unseen)
    assert counts(unseen) == [1, 0, 0]
    assert not BankTransfer.objects.exists()
    seen = go_on(back_office, unseen, "look", memo="Lời nhắn")
    assert "An, Bình" in seen.text
    changed = go_on(back_office, seen, "import", memo="")
    assert "__all__" in errors(changed)
    go_on(back_office, seen, "import")
    assert BankTransfer.objects.get().memo == "An, Bình"


def test_a_saved_format_reads_columns_by_header_and_by_number(back_office: Client) -> None:
    mapping = Mapping(columns={Role.DATE: "hom", Role.AMOUNT: "#2"})
    save_mapping(name="Ngân hàng X", mapping=mapping, actor="lan")
    saved = StatementMapping.objects.get()
    rows = [["Hôm", "?", "?"], ["04/09/2024", "5.000", "a"]]
    page = send(back_office, csv_text(rows).encode(), format=str(saved.pk))
    assert (form_of(page)["date"], form_of(page)["amount"]) == ("Hôm", "#2")
    assert counts(go_on(back_office, page, "import")) == [1, 0, 0]
    saved.mapping = {"columns": 1}
    saved.save()
    assert "format" in errors(send(back_office, csv_text(rows).encode(), format=str(saved.pk)))


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "a.xls", ".xls"),
        (b"<html><table></table></html>", "a.xls", "trang web"),
        (b"PK\x03\x04 broken", "a.xlsx", "hỏng"),
        (simple(FIRST), "a.xlsm", "macro"),
        (b"\xef\xbb\xbfNg\xff\xfe", "a.csv", "UTF-8"),
        (b"%PDF-1.7", "a.pdf", "PDF"),
        (b"", "a.csv", "trống"),
        (b"x" * (LARGEST_BYTES + 1), "a.csv", "10 MB"),
    ],
    ids=["xls", "html", "damaged", "macros", "encoding", "pdf", "empty", "large"],
)
def test_a_file_that_is_no_statement_is_refused_in_a_sentence_at_its_field(
    back_office: Client, data: bytes, name: str, said: str
) -> None:
    page = send(back_office, data, name)
    assert list(errors(page)) == ["file"]
    (sentence,) = errors(page)["file"]
    assert sentence in page.text.replace("&quot;", '"')
    assert said in sentence
    assert sentence.endswith(".")
    assert Session.objects.count() == 1, "nothing is kept of it"


def test_an_account_that_is_nobodys_missing_or_anothers_is_said_at_its_field(
    back_office: Client,
) -> None:
    for number in ("999999999", ""):
        assert list(errors(send(back_office, simple(FIRST), account_number=number))) == [
            "account_number"
        ]
    other = send(back_office, xlsx(rows_of(BANKS["Vietcombank"])), "a.xlsx")
    assert list(errors(other)) == ["account_number"]
    assert list(errors(back_office.post(PAGE, {}))) == ["file"]


def test_a_kept_file_is_its_senders_alone_and_for_an_hour(back_office: Client) -> None:
    page = send(back_office, simple(FIRST))
    other = clerk("import_statement", "view_banktransfer")
    assert go_on(other, page, "import").url == PAGE
    key = form_of(page)["kept"]
    # Nobody is signed in by it, and a session of a person is no file.
    stranger = Client()
    stranger.cookies["sessionid"] = key
    assert stranger.get(PAGE).status_code == 302
    for forged in ("\x00", "x" * 5000, back_office.cookies["sessionid"].value):
        assert go_on(back_office, page, "import", kept=forged).url == PAGE
    rest = Session.objects.get(pk=key).expire_date - timezone.now()
    assert timedelta(minutes=58) < rest <= timedelta(hours=1)
    for junk in ("\x00", "9" * 400, "#3"):
        assert "date" in errors(go_on(back_office, page, "import", date=junk))
    assert not BankTransfer.objects.exists()


def test_who_may_only_look_at_bank_lines_imports_none() -> None:
    client = clerk("view_banktransfer")
    assert "import-statement" not in client.get(list_url(BankTransfer)).text
    assert client.get(PAGE).status_code == 403
    asked = {"file": SimpleUploadedFile("a.csv", simple(FIRST)), "account_number": OWN}
    assert client.post(PAGE, asked).status_code == 403
    assert Client().get(PAGE).status_code == 302
