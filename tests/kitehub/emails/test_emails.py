"""Mail is queued with its rows, sent once, in the recipient's language; no header is split."""

import smtplib
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import transaction
from django.template import TemplateDoesNotExist
from django.utils import timezone

from kitehub.models import Email, User
from kitehub.services import emails
from kitehub.services.emails import NotSentYet
from tests.concurrency.threads import together
from tests.factories.kitehub import UserFactory
from tests.kitehub.jobs.working import run_due, states

pytestmark = pytest.mark.django_db


def queue(**said: Any) -> bool:
    user = said.pop("user", None) or UserFactory()
    given = {
        "to": user.email,
        "reason": f"test:{uuid4()}",
        "template": "password_reset",
        "context": {"user_id": str(user.pk)},
        "language": "vi",
    }
    return emails.queue(**(given | said))


class Server(EmailBackend):
    """A mail server that answers with an error, on opening or on sending."""

    on_open: BaseException | None = None
    on_send: BaseException | None = None

    def open(self) -> None:
        if self.on_open:
            raise self.on_open

    def send_messages(self, messages: Any) -> int:
        if self.on_send:
            raise self.on_send
        return super().send_messages(messages)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> type[Server]:
    made = type("OwnServer", (Server,), {})
    monkeypatch.setattr(emails, "get_connection", made)
    return made


@pytest.mark.django_db(transaction=True)
def test_a_message_comes_and_goes_with_its_transaction_and_a_worker_sends_it_once() -> None:
    user = UserFactory(email="an@example.vn")
    with transaction.atomic():
        queue(user=user)
        transaction.set_rollback(True)
    assert (Email.objects.count(), states("kitehub.tasks.send_email")) == (0, [])

    with transaction.atomic():
        assert queue(user=user, reason="same")
        assert not queue(user=user, reason="same")
        assert queue(user=user, reason="same", to="binh@example.vn", language="en")
    run_due()

    assert states("kitehub.tasks.send_email") == ["succeeded", "succeeded"]
    subjects = {message.to[0]: message.subject for message in mail.outbox}
    assert subjects == {
        "an@example.vn": "Đặt mật khẩu mới cho KiteHub",
        "binh@example.vn": "Set a new password for KiteHub",
    }
    sent = Email.objects.get(recipient="an@example.vn")
    assert (sent.state, sent.attempts, sent.sent_at is None) == ("SENT", 1, False)
    text, (html, kind) = mail.outbox[0].body, mail.outbox[0].alternatives[0]
    assert "http://127.0.0.1:8000/password/" in text
    assert kind == "text/html"
    assert 'href="http://127.0.0.1:8000/password/' in html
    assert "password/" not in f"{sent.text_body}{sent.html_body}{sent.context}"


@pytest.mark.django_db(transaction=True)
def test_of_eight_workers_one_sends() -> None:
    queue()
    pk = Email.objects.get().pk
    together(*[lambda: emails.send(email_id=pk)] * 8)
    assert len(mail.outbox) == 1
    assert Email.objects.get().attempts == 1
    assert emails.send(email_id=pk) == "SENT"
    assert emails.send(email_id=uuid4()) is None


def test_what_was_killed_while_it_was_sent_is_not_sent_again(server: type[Server]) -> None:
    queue()
    server.on_send = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        emails.send(email_id=Email.objects.get().pk)
    server.on_send = None
    assert emails.send(email_id=Email.objects.get().pk) == "FAILED"
    assert mail.outbox == []
    assert "may have arrived" in Email.objects.get().error
    assert emails.send_again(email_id=Email.objects.get().pk)
    assert not emails.send_again(email_id=Email.objects.get().pk)
    assert emails.send(email_id=Email.objects.get().pk) == "SENT"


REFUSED = smtplib.SMTPRecipientsRefused({"an@example.vn": (550, b"no such user")})
GREYLISTED = smtplib.SMTPRecipientsRefused({"an@example.vn": (450, b"later")})


@pytest.mark.parametrize(
    ("where", "error", "state"),
    [
        ("on_open", ConnectionRefusedError("refused"), "QUEUED"),
        ("on_open", TimeoutError("slow"), "QUEUED"),
        ("on_open", smtplib.SMTPAuthenticationError(535, b"who are you"), "QUEUED"),
        ("on_send", GREYLISTED, "QUEUED"),
        ("on_send", smtplib.SMTPDataError(451, b"later"), "QUEUED"),
        ("on_send", REFUSED, "FAILED"),
        ("on_send", smtplib.SMTPDataError(554, b"spam"), "FAILED"),
        ("on_send", smtplib.SMTPServerDisconnected("gone"), "FAILED"),
        ("on_send", TimeoutError("slow"), "FAILED"),
    ],
)
def test_only_what_was_surely_not_taken_is_tried_again(
    where: str, error: Exception, state: str, server: type[Server]
) -> None:
    queue()
    pk = Email.objects.get().pk
    setattr(server, where, error)
    if state == "QUEUED":
        with pytest.raises(NotSentYet):
            emails.send(email_id=pk)
    else:
        assert emails.send(email_id=pk) == "FAILED"
    kept = Email.objects.get()
    assert kept.state == state
    assert type(error).__name__ in kept.error
    setattr(server, where, None)
    assert emails.send(email_id=pk) == ("SENT" if state == "QUEUED" else "FAILED")
    assert len(mail.outbox) == (state == "QUEUED")


def test_a_server_that_is_away_for_days_is_given_up_on(server: type[Server]) -> None:
    queue()
    server.on_open = ConnectionRefusedError("refused")
    late = timezone.now() + timedelta(days=3)
    assert emails.send(email_id=Email.objects.get().pk, at=late) == "FAILED"
    assert "Given up" in Email.objects.get().error


@pytest.mark.parametrize(
    "address",
    [
        "",
        "an",
        "an@",
        "an@example.vn\nBcc: all@example.vn",
        "a\x00n@example.vn",
        "x" * 300 + "@a.vn",
    ],
)
def test_a_bad_address_is_kept_as_failed_and_stops_nobody(address: str) -> None:
    assert queue(to=address) is False
    kept = Email.objects.get()
    assert (kept.state, kept.error) == ("FAILED", "This is no e-mail address.")
    assert states("kitehub.tasks.send_email") == []


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"reason": ""}, ValueError),
        ({"reason": "a\nb"}, ValueError),
        ({"reason": "x" * 201}, ValueError),
        ({"language": "fr"}, ValueError),
        ({"template": "nothing"}, TemplateDoesNotExist),
    ],
)
def test_what_no_message_can_be_made_of_is_refused(said: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        queue(**said)
    assert not Email.objects.exists()


def test_a_line_break_in_a_subject_makes_no_header(settings: Any, tmp_path: Any) -> None:
    (tmp_path / "email").mkdir()
    written = "Chào {{ name }}\n\nXin chào {{ name }}"
    (tmp_path / "email" / "greeting.txt").write_text(written, "utf-8")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    name = "A\r\n\x00 Bcc: all@example.vn & <b>B</b>"
    assert queue(template="greeting", context={"name": name})
    assert emails.send(email_id=Email.objects.get().pk) == "SENT"
    (message,) = mail.outbox
    assert message.subject == "Chào A"
    assert "Bcc" not in message.message()
    assert message.recipients() == [Email.objects.get().recipient]
    assert "Bcc: all@example.vn & <b>B</b>" in message.body
    assert "<b>B</b>" not in message.alternatives[0][0]
    assert Email.objects.get().text_body == message.body


def test_nobody_who_may_not_sign_in_any_more_gets_a_link() -> None:
    user = UserFactory()
    queue(user=user)
    User.objects.update(is_active=False)
    assert emails.send(email_id=Email.objects.get().pk) == "FAILED"
    assert mail.outbox == []


def test_nothing_is_sent_within_a_transaction() -> None:
    queue()
    with transaction.atomic(), pytest.raises(RuntimeError):
        emails.send(email_id=Email.objects.get().pk)
