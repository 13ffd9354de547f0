"""A statement books what nobody told before, once, whatever was told and however often it comes."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django.utils.translation import override

from billing.enums import StatementOutcome as Outcome
from billing.enums import TransferState
from billing.feeds import sepay
from billing.models import BankFeed, BankTransfer, PaymentOrder, StatementMapping
from billing.services import inbox, planned
from billing.services.orders import open_order
from billing.services.settlement import settle_transfer
from billing.services.statements import (
    ImportResult,
    StatementRefused,
    import_statement,
    mapping_named,
    save_mapping,
)
from billing.services.transfers import record
from billing.statements import BadMapping, Mapping, Role, Unreadable
from kitehub.enums import Tier
from kitehub.jobs.models import Job
from tests.billing.feeds.bodies import body, published
from tests.billing.statements.files import HEADERS, csv_text, simple, xlsx
from tests.factories.kitehub import InstanceFactory

pytestmark = pytest.mark.django_db
OWN = "0123499999"
NOW = datetime(2024, 9, 10, 3, 0, tzinfo=UTC)
# Date, debit, credit, balance, memo, reference.
FIRST = ["04/09/2024", "", "500.000", "1.500.000", "NGUYEN VAN A KH7Q2M4X9A", "FT1"]
BLANK = ["04/09/2024", "", "500.000", "", "NGUYEN VAN A chuyen tien", ""]
FEE = ["05/09/2024", "20.000", "", "", "PHI", "FT2"]


def run(*rows: Any, **options: Any) -> ImportResult:
    asked = {
        "data": simple(*rows), "filename": "thang 9.csv", "mapping": None, "account_number": OWN,
        "actor": "lan@kitehub.test", "at": NOW,
    }  # fmt: skip
    return import_statement(**(asked | options))  # type: ignore[arg-type]


def outcomes(result: ImportResult) -> list[str]:
    return [line.outcome.value for line in result.lines]


def told(number: int = 1, **changes: Any) -> BankTransfer:
    """A line that SePay told of the day."""
    payload = published("SePay", 1)["payload"] | {
        "id": number, "transferAmount": 500_000, "transactionDate": "2024-09-04 14:02:37",
        "content": "NGUYEN VAN A chuyen tien", "referenceCode": "", "accumulated": 0, **changes,
    }  # fmt: skip
    (line,) = sepay.parse(body(payload))
    return BankTransfer.objects.get(pk=record(line, at=NOW).transfer_id)


def test_a_new_statement_is_booked_and_its_money_settled_in_the_background() -> None:
    result = run(FIRST, FEE)
    assert outcomes(result) == ["BOOKED", "BOOKED"]
    credit, debit = BankTransfer.objects.order_by("transferred_at")
    assert (credit.provider, credit.state, credit.amount) == ("STATEMENT", "RECEIVED", 500_000)
    assert (debit.state, debit.reason, debit.direction) == ("IGNORED", "OUTGOING", "OUT")
    assert credit.statement_key == credit.provider_id
    assert credit.raw == {
        "file": "thang 9.csv", "by": "lan@kitehub.test", "row": 2,
        "cells": dict(zip((HEADERS[0], *HEADERS[2:]), (FIRST[0], *FIRST[2:]), strict=True)),
    }  # fmt: skip
    assert [job.args for job in Job.objects.all()] == [{"transfer_id": str(credit.pk)}]
    # A statement is no feed that could fall silent.
    assert not BankFeed.objects.exists()
    assert [line.transfer_id for line in result.lines] == [credit.pk, debit.pk]


def test_a_file_that_comes_again_or_overlaps_books_nothing_twice() -> None:
    run(FIRST, BLANK, BLANK)
    assert outcomes(run(FIRST, BLANK, BLANK)) == ["KNOWN"] * 3
    assert outcomes(run(BLANK, BLANK, BLANK, FEE)) == ["KNOWN", "KNOWN", "BOOKED", "BOOKED"]
    # The same lines as another of the bank's files has them: with hours, without the reference.
    headers = ["Ngày giao dịch", "Số tiền", "Nội dung"]
    rows = [["04/09/2024 14:02:37", "+500,000", row[4]] for row in (FIRST, BLANK, BLANK, BLANK)]
    assert outcomes(run(data=xlsx([headers, *rows]), filename="a.xlsx")) == ["KNOWN"] * 4
    assert BankTransfer.objects.count() == 5


def test_a_statement_is_the_same_however_the_account_is_spelled_by_then(settings: Any) -> None:
    run(FIRST, FEE)
    settings.KITEHUB_BANK_ACCOUNT = OWN.lstrip("0")
    assert outcomes(run(FIRST, FEE, account_number=OWN.lstrip("0"))) == ["KNOWN", "KNOWN"]


def test_lines_that_a_feed_told_are_named_and_not_booked() -> None:
    one, two = told(1), told(2)
    result = run(BLANK, BLANK, BLANK)
    assert outcomes(result) == ["TOLD", "TOLD", "BOOKED"]
    assert {line.transfer_id for line in result.lines[:2]} == {one.pk, two.pk}
    one.refresh_from_db()
    assert one.statement_key
    assert one.state == TransferState.RECEIVED
    assert outcomes(run(BLANK, BLANK, BLANK)) == ["KNOWN"] * 3
    assert BankTransfer.objects.count() == 3


@pytest.mark.parametrize(
    "said",
    [
        {"referenceCode": "FT1", "content": "x", "transactionDate": "2024-09-02 10:00:00"},
        {"accumulated": 1_500_000, "content": "x"},
        {"content": "CT tu 012 nguyen van a kh7q2m4x9a tai VCB"},
    ],
    ids=["reference", "balance", "memo"],
)
def test_a_line_is_known_by_reference_balance_or_memo(said: dict[str, Any]) -> None:
    told(**said)
    assert outcomes(run(FIRST)) == ["TOLD"]


def test_another_line_is_booked() -> None:
    told(content="TRAN B", referenceCode="FT9")
    told(2, transactionDate="2024-09-03 14:02:37")
    assert outcomes(run(FIRST, BLANK)) == ["BOOKED", "BOOKED"]


def test_what_a_feed_tells_after_the_statement_is_a_duplicate() -> None:
    run(BLANK)
    late = told()
    assert late.state == TransferState.DUPLICATE
    assert late.duplicate_of == BankTransfer.objects.get(provider="STATEMENT")
    assert told(2).state == TransferState.RECEIVED


def open_one(at: datetime = NOW) -> PaymentOrder:
    return open_order(instance=InstanceFactory(), tier=Tier.STANDARD, actor="lan", at=at)


def paid_by_hand_of(order: PaymentOrder) -> list[str]:
    return ["09/09/2024", "", f"{order.amount}", "", f"CK {order.memo}", "FT77"]


@pytest.mark.parametrize("alive", [True, False])
def test_what_a_living_feed_didnt_tell_waits_for_somebody_else(alive: bool) -> None:
    order = open_one(NOW - timedelta(days=3))
    PaymentOrder.objects.update(expires_at=NOW + timedelta(days=1))
    told()
    at = NOW if alive else NOW + timedelta(days=30)
    BankFeed.objects.update(last_seen_at=NOW - timedelta(minutes=1))
    result = run(paid_by_hand_of(order), FEE, at=at, alone=True)
    line = BankTransfer.objects.get(provider="STATEMENT", direction="IN")
    assert result.waits == alive
    assert BankTransfer.objects.get(direction="OUT").state == "IGNORED"
    if not alive:
        assert (line.state, settle_transfer(transfer_id=line.pk, at=at)) == ("RECEIVED", "MATCHED")
        return
    assert (line.state, line.reason) == ("UNMATCHED", "ONLY_STATEMENT")
    assert settle_transfer(transfer_id=line.pk, at=at) == "UNMATCHED"
    # Nor does another file bring it through, or the one who imported it.
    run(["09/09/2024", "", f"{order.amount}", "", f"{order.memo}", "FT77"], at=at, alone=True)
    said: Any = {"transfer_id": line.pk, "reason": "x", "at": at}
    parts = [(order.pk, order.amount)]
    with pytest.raises(inbox.CannotMatch, match="người khác"):
        inbox.match_transfer(**said, parts=parts, actor="lan@kitehub.test")
    with pytest.raises(inbox.CannotMatch, match="người khác"):
        inbox.keep_transfer_as_credit(**said, instance=order.instance, actor="lan@kitehub.test")
    with pytest.raises(inbox.CannotMatch, match="người khác"):
        planned.plan_match(transfer_id=line.pk, order_id=order.pk, actor="lan@kitehub.test", at=at)
    assert inbox.match_transfer(**said, parts=parts, actor="minh@kitehub.test").state == "MATCHED"


def test_what_the_feed_tells_after_all_is_settled_by_itself() -> None:
    order = open_one(NOW - timedelta(days=3))
    PaymentOrder.objects.update(expires_at=NOW + timedelta(days=1))
    told()
    BankFeed.objects.update(last_seen_at=NOW)
    run(paid_by_hand_of(order), alone=True)
    line = BankTransfer.objects.get(provider="STATEMENT")
    late = told(
        2, content=f"CK {order.memo}", transferAmount=order.amount, referenceCode="FT77",
        transactionDate="2024-09-09 08:00:00",
    )  # fmt: skip
    line.refresh_from_db()
    assert (late.duplicate_of_id, line.state, line.reason) == (line.pk, "RECEIVED", None)
    assert settle_transfer(transfer_id=line.pk, at=NOW) == "MATCHED"


def test_a_memo_that_only_the_statement_has_is_read() -> None:
    order = open_order(instance=InstanceFactory(), tier=Tier.STANDARD, actor="lan", at=NOW)
    line = told(content="", referenceCode="FT1", transferAmount=order.amount)
    assert settle_transfer(transfer_id=line.pk, at=NOW) == TransferState.UNMATCHED
    row = ["04/09/2024", "", str(order.amount), "", order.order_id, "FT1"]
    assert outcomes(run(row)) == ["TOLD"]
    assert settle_transfer(transfer_id=line.pk, at=NOW) == TransferState.MATCHED
    assert BankTransfer.objects.filter(duplicate_of=line, provider="STATEMENT").count() == 1
    assert outcomes(run(row)) == ["KNOWN"]
    assert BankTransfer.objects.count() == 2


def test_rows_that_cant_be_read_are_reported_and_the_others_booked() -> None:
    result = run(
        FIRST, ["32/13/2024", "", "1", "", "", ""], FEE, ["04/09/2024", "", "0,5", "", "", ""]
    )
    assert outcomes(result) == ["BOOKED", "BOOKED"]
    assert [(each.row, each.column) for each in result.problems] == [
        (3, "Ngày giao dịch"), (5, "Ghi có"),
    ]  # fmt: skip


def test_a_line_of_a_day_to_come_is_reported_and_not_booked() -> None:
    early = ["12/09/2024", "", "600.000", "", "KH7Q2M4X9A", "FT9"]
    result = run(FIRST, early, FEE)
    assert outcomes(result) == ["BOOKED", "BOOKED"]
    assert [each.row for each in result.problems] == [3]
    with override("en"):
        assert "future" in str(result.problems[0].reason)
    assert not BankTransfer.objects.filter(amount=600_000).exists()


def test_a_dry_run_says_the_same_and_changes_nothing() -> None:
    told()
    result = run(BLANK, FIRST, dry_run=True)
    assert outcomes(result) == ["TOLD", "BOOKED"]
    assert result.count(Outcome.BOOKED) == 1
    assert BankTransfer.objects.get().statement_key is None
    assert Job.objects.count() == 1


def test_a_statement_of_another_account_is_refused() -> None:
    named = csv_text([["Số tài khoản: 9990001112"], HEADERS, FIRST]).encode()
    with pytest.raises(StatementRefused) as refused:
        run(data=named)
    assert refused.value.code == "other_account"
    with pytest.raises(StatementRefused) as refused:
        run(FIRST, account_number="9990001112")
    assert refused.value.code == "unknown_account"
    with pytest.raises(Unreadable) as unreadable:
        run(data=b"a,b\n1,2\n")
    assert unreadable.value.code == "headers_unknown"
    assert not BankTransfer.objects.exists()


def test_an_instances_statement_is_its_own() -> None:
    school = InstanceFactory(bank_code="970422", account_number="0001234567")
    # The spreadsheet has lost the zeros.
    result = run(FIRST, account_number="1234567")
    assert result.account_number == "0001234567"
    assert BankTransfer.objects.get().instance == school


# --- The command, and formats -------------------------------------------------------------------


def test_the_command_imports_and_keeps_the_format(tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(simple(FIRST, FEE))
    call_command("import_statement", file, account=OWN, dry_run=True, save_mapping="VCB")
    assert "Nothing was changed." in capsys.readouterr().out
    assert not StatementMapping.objects.exists()
    call_command("import_statement", file, account=OWN, save_mapping="VCB")
    assert "credit: Ghi có" in capsys.readouterr().out
    call_command("import_statement", file, account=OWN, mapping="VCB")
    assert "0 new, 0 that a feed told before, 2 of an earlier" in capsys.readouterr().out
    assert BankTransfer.objects.count() == 2
    file.write_bytes(simple(FIRST, ["x", "", "5", "", "", ""]))
    with pytest.raises(CommandError, match="1 row"):
        call_command("import_statement", file, account=OWN, mapping="VCB")
    assert "Row 3, Ngày giao dịch" in capsys.readouterr().err
    for wrong in ({"account": "9"}, {"account": OWN, "mapping": "ACB"}):
        with pytest.raises(CommandError):
            call_command("import_statement", file, **wrong)
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_statement", tmp_path / "b.csv", account=OWN)


def test_the_command_speaks_english_and_warns_of_missing_memos(tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(simple(FIRST))
    with override("vi"):
        call_command("import_statement", file, account=OWN, dry_run=True)
        assert "memo" not in capsys.readouterr().err
        file.write_bytes(simple(FIRST).replace("Nội dung".encode(), b"Xyz"))
        call_command("import_statement", file, account=OWN, dry_run=True)
        assert "no column was taken for the memo" in capsys.readouterr().err
        with pytest.raises(CommandError, match="account"):
            call_command("import_statement", file, account="9")


def test_a_format_is_kept_under_its_name() -> None:
    mapping = Mapping(columns={Role.DATE: "Ngày", Role.AMOUNT: "#2"}, month_first=True)
    save_mapping(name="X", mapping=Mapping(columns={Role.DATE: "a", Role.CREDIT: "b"}), actor="lan")
    saved = save_mapping(name="X", mapping=mapping, actor="minh")
    assert (saved.created_by, mapping_named("X")) == ("lan", mapping)
    assert json.dumps(saved.mapping)
    StatementMapping.objects.filter(name="X").update(mapping={"columns": 5})
    with pytest.raises(BadMapping):
        mapping_named("X")
    assert saved.created_at <= timezone.now()
