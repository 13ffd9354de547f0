"""Notes of staff: with their author, never changed, withdrawn in sight."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from kitehub.models import Note, User
from kitehub.services.notes import NoteWithdrawn, withdraw_note, write_note
from tests.factories.billing import (
    BankTransferFactory,
    PaymentOrderFactory,
    RefundFactory,
    SubscriptionFactory,
)
from tests.factories.kitehub import InstanceFactory, NoteFactory, UserFactory
from tests.kitehub.backoffice.pages import list_url, messages_of, page_url, signed_in

pytestmark = pytest.mark.django_db
SUBMIT = {"_form_submitted": "True"}


def write(client: Client, row: Any, text: str) -> Any:
    return client.post(page_url(row, "write_note"), {**SUBMIT, "text": text}, follow=True)


def clerk(*permissions: str) -> Client:
    person = UserFactory(staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(person)
    return client


@pytest.mark.parametrize(
    "factory",
    [
        PaymentOrderFactory,
        BankTransferFactory,
        SubscriptionFactory,
        InstanceFactory,
        RefundFactory,
        UserFactory,
    ],
)
def test_note_is_kept_and_shown_with_its_author(
    factory: Any, back_office: Client, staff: User
) -> None:
    row = factory()
    page = write(back_office, row, "  Gọi lại\r\nthứ Hai  ")
    assert messages_of(page) == ["Đã lưu ghi chú."]
    note = Note.objects.get()
    assert (note.text, note.created_by, note.row_id) == (
        "Gọi lại\nthứ Hai",
        staff.email,
        row.pk,
    )
    assert "Gọi lại<br>thứ Hai" in page.content.decode()
    told = [event.what for event, _to in page.context["detail"]["timeline"].rows]
    assert told[0] == "Ghi chú"


def test_text_is_text_and_only_that_of_the_row(back_office: Client) -> None:
    order, other = PaymentOrderFactory.create_batch(2)
    evil = "<script>alert(1)</script>{{ 7|add:1 }} " + "ố" * 4_000
    write(back_office, order, evil)
    page = back_office.get(page_url(order)).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7|add:1 }}" in page
    assert "<script>alert" not in page
    assert "alert(1)" not in back_office.get(page_url(other)).content.decode()


@pytest.mark.parametrize("text", ["", "   \n ", "x" * 5_001, "a\x00b"])
def test_what_is_no_note_is_not_kept(text: str, back_office: Client) -> None:
    order = PaymentOrderFactory()
    answer = back_office.post(page_url(order, "write_note"), {**SUBMIT, "text": text})
    assert answer.status_code == 200
    assert not Note.objects.exists()
    with pytest.raises(ValueError, match="A note has"):
        write_note(about=order, text=text, actor="lan", at=timezone.now())


def test_note_is_withdrawn_with_a_reason_and_stays(back_office: Client, staff: User) -> None:
    order = PaymentOrderFactory()
    note = NoteFactory(about=order, text="Sai đơn", created_by=staff.email)
    withdraw = page_url(note, "withdraw")
    assert withdraw in back_office.get(page_url(order)).content.decode()
    again = back_office.post(withdraw, {**SUBMIT, "reason": " "})
    assert again.status_code == 200
    page = back_office.post(withdraw, {**SUBMIT, "reason": "nhầm đơn"}, follow=True)
    assert page.redirect_chain[-1][0] == page_url(order)
    text = page.content.decode()
    assert "Sai đơn" in text
    assert "nhầm đơn" in text
    assert withdraw not in text
    note.refresh_from_db()
    assert (note.withdrawn_by, note.withdrawn_reason) == (staff.email, "nhầm đơn")
    late = back_office.post(withdraw, {**SUBMIT, "reason": "lần nữa"}, follow=True)
    assert messages_of(late) == ["Ghi chú đã được rút lại trước đó."]
    with pytest.raises(NoteWithdrawn):
        withdraw_note(note_id=note.pk, reason="x", actor="lan", at=timezone.now())


def test_no_statement_changes_a_note(back_office: Client) -> None:
    note = NoteFactory()
    written, withdrawn = Note.objects.filter(pk=note.pk), {"withdrawn_reason": "y"}
    for change in (
        lambda: written.update(text="other"),
        lambda: written.update(created_by="other"),
        lambda: written.update(withdrawn_at=timezone.now()),
        lambda: written.delete(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
    withdraw_note(note_id=note.pk, reason="x", actor="lan", at=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        written.update(**withdrawn)


def test_who_may_not_write_or_read_notes(back_office: Client) -> None:
    order = PaymentOrderFactory()
    NoteFactory(about=order, text="Bí mật")
    reads_orders = clerk("view_paymentorder")
    page = reads_orders.get(page_url(order)).content.decode()
    assert "Bí mật" not in page
    assert page_url(order, "write_note") not in page
    assert reads_orders.post(page_url(order, "write_note"), SUBMIT).status_code == 403
    reads_notes = clerk("view_paymentorder", "view_note")
    assert "Bí mật" in reads_notes.get(page_url(order)).content.decode()
    assert not Note.objects.exclude(text="Bí mật").exists()


def test_only_its_author_and_who_may_change_notes_withdraw_one() -> None:
    note = NoteFactory(created_by="lan@kitehub.test")
    said = {**SUBMIT, "reason": "x"}
    other = clerk("add_note", "view_note", "view_instance")
    answer = other.post(page_url(note, "withdraw"), said, follow=True)
    assert messages_of(answer) == ["Chỉ người viết mới rút lại được ghi chú."]
    assert clerk("view_note").post(page_url(note, "withdraw"), said).status_code == 403
    note.refresh_from_db()
    assert note.withdrawn_at is None
    signed_in("lan@kitehub.test").post(page_url(note, "withdraw"), said)
    note.refresh_from_db()
    assert note.withdrawn_by == "lan@kitehub.test"


def test_who_has_a_long_address_takes_their_own_note_back() -> None:
    person = UserFactory(staff=True, email=f"{'a' * 64}@{'b' * 50}.example.vn")
    codes = ("add_note", "view_note", "view_instance")
    person.user_permissions.set(Permission.objects.filter(codename__in=codes))
    client = Client()
    client.force_login(person)
    write(client, InstanceFactory(), "Nhầm trường")
    note = Note.objects.get()
    assert len(note.created_by) < len(person.email)
    client.post(page_url(note, "withdraw"), {**SUBMIT, "reason": "x"})
    note.refresh_from_db()
    assert note.withdrawn_at is not None


def test_note_about_a_row_that_is_gone_opens(back_office: Client) -> None:
    order = PaymentOrderFactory()
    note = NoteFactory(about=order)
    gone = NoteFactory(table_name="no_such_table", row_id=order.pk, about=None)
    order.hard_delete()
    assert back_office.get(page_url(note)).status_code == 200
    assert "no_such_table" in back_office.get(page_url(gone)).content.decode()


def test_notes_are_for_those_who_may_see_what_they_are_about() -> None:
    about_line = NoteFactory(about=BankTransferFactory(), text="số tài khoản của khách")
    about_school = NoteFactory(about=InstanceFactory(), text="gọi lại thứ Hai")
    reader = clerk("view_note", "change_note", "view_instance")
    page = reader.get(list_url(Note)).content.decode()
    assert about_school.text in page
    assert about_line.text not in page
    assert reader.get(page_url(about_school)).status_code == 200
    assert reader.get(page_url(about_line)).status_code == 302
    reader.post(page_url(about_line, "withdraw"), {**SUBMIT, "reason": "x"})
    assert Note.objects.get(pk=about_line.pk).withdrawn_at is None
    everything = clerk("view_note", "view_instance", "view_banktransfer")
    assert about_line.text in everything.get(list_url(Note)).content.decode()
