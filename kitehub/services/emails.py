"""Mail to people: queued in the transaction of what it is about, sent by a job, at most once.

A template `x` is `email/x.txt`, whose first line is the subject, and `email/x.html` where the text
in plain paragraphs is not enough. Both are rendered when the message is sent, in its language.
"""

import smtplib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.validators import validate_email
from django.db import connection, transaction
from django.db.models import F
from django.template import Context, loader
from django.utils import timezone, translation

from kitehub.enums import EmailState
from kitehub.jobs.services import enqueue
from kitehub.models import Email, Instance
from kitehub.services.secret_links import password_reset

TASK = "kitehub.tasks.send_email"
# A message that couldn't be sent for so long is no news any more.
GIVE_UP = timedelta(days=3)
KEPT = timedelta(days=180)
FAILURES_KEPT = timedelta(days=365)
FORGET_BATCH = 1_000
ERROR_LENGTH = 500
REASON_LENGTH = 200
ADDRESS_LENGTH = 254
SUBJECT_LENGTH = 500

# What is made at the moment of sending because it opens a door: neither the queue nor the table of
# mail ever holds it.
_SECRETS: dict[str, Callable[[Mapping[str, Any]], dict[str, str] | None]] = {
    "password_reset": password_reset
}

INTERRUPTED = "It was interrupted while it was being sent, so it may have arrived."
OUTDATED = "There is nobody or nothing any more that it is for."


class NotSentYet(Exception):
    """The mail server can't be reached or asks for patience; the job tries again."""


def queue(
    *,
    to: str,
    reason: str,
    template: str,
    context: Mapping[str, Any],
    language: str = "",
    instance: Instance | None = None,
) -> bool:
    """Asks for a message, in the caller's transaction; False if it was asked for before.

    `reason` says what it is about, so that the same address gets no second message for it:
    `renewal:KH7Q2M4X9A:-3`. `context` is plain values; moments and dates come out of it as ISO
    text, which the filters of `kitehub_display` read. Without `language` it is the site's first.

    An address that is none is kept as a failed message, for staff to see, and is False too: a bad
    row must not stop a nightly round. Raises TemplateDoesNotExist, and ValueError for a reason that
    is empty or too long and for a language that the site doesn't speak.
    """
    language = language or settings.LANGUAGE_CODE
    if language not in dict(settings.LANGUAGES):
        raise ValueError(f"There is no mail in {language!r}.")
    if not 0 < len(reason) <= REASON_LENGTH or not reason.isprintable():
        raise ValueError(f"A reason has 1 to {REASON_LENGTH} characters, on one line.")
    loader.get_template(f"email/{template}.txt")
    recipient, fault = _address(to)
    made = Email(
        recipient=recipient,
        reason=reason,
        template=template,
        language=language,
        context=_clean(dict(context)),
        instance=instance,
        state=EmailState.FAILED if fault else EmailState.QUEUED,
        error=fault,
    )
    with transaction.atomic():
        if not _insert(made):
            return False
        if not fault:
            enqueue(TASK, email_id=str(made.pk))
    return not fault


def send(*, email_id: UUID, at: datetime | None = None) -> EmailState | None:
    """Sends a queued message; returns its state, None where there is no such message.

    At most once: it is marked before the mail server hears of it, so of two workers one sends, and
    one that was killed in between is not sent again but left as failed, to be looked at. Only what
    the server surely hasn't taken is tried again: then NotSentYet is raised, for up to 3 days after
    the message was queued. Raises RuntimeError within a transaction, which the mail server's
    answer would keep open.
    """
    at = at or timezone.now()
    if connection.in_atomic_block and not _within_a_test():
        raise RuntimeError("Mail is sent outside of transactions.")
    claimed = Email.objects.queued().filter(pk=email_id)
    if not claimed.update(state=EmailState.SENDING, attempts=F("attempts") + 1):
        return _left_behind(email_id)
    email = Email.objects.get(pk=email_id)
    try:
        message = _render(email)
    except Exception as error:
        _fail(email, f"The template can't be rendered: {type(error).__name__}: {error}")
        raise
    if message is None:
        return _fail(email, OUTDATED)
    return _deliver(email, message, at=at)


def send_again(*, email_id: UUID) -> bool:
    """Queues a message once more that failed; False if it isn't a failed one any more."""
    with transaction.atomic():
        failed = Email.objects.filter(pk=email_id, state=EmailState.FAILED)
        if not failed.update(state=EmailState.QUEUED, error="", queued_at=timezone.now()):
            return False
        enqueue(TASK, email_id=str(email_id))
    return True


def forget(*, at: datetime) -> int:
    """Deletes messages that were sent 180 days ago, or have failed for a year; returns how many.

    With them go the addresses and the words. Nobody asks for a message again so late. In
    transactions of at most 1,000 messages.
    """
    old = (
        # By the moment that has an index; a message is sent after it was queued.
        Email.objects.filter(queued_at__lt=at - KEPT, sent_at__lt=at - KEPT),
        Email.objects.exclude(state=EmailState.SENT).filter(queued_at__lt=at - FAILURES_KEPT),
    )
    forgotten = 0
    for rows in old:
        while keys := list(rows.values_list("pk", flat=True)[:FORGET_BATCH]):
            Email.objects.filter(pk__in=keys).delete()
            forgotten += len(keys)
    return forgotten


# --- Queuing ------------------------------------------------------------------------------------


def _address(to: str) -> tuple[str, str]:
    """An address as it is kept, and what is wrong with it."""
    address = to.strip()
    try:
        validate_email(address)
        fits = len(address) <= ADDRESS_LENGTH
    except ValidationError:
        fits = False
    if not fits:
        shown = "".join(letter if letter.isprintable() else "?" for letter in address)
        return shown[:ADDRESS_LENGTH], "This is no e-mail address."
    return address, ""


def _clean(value: Any) -> Any:
    """Values without NUL characters, which PostgreSQL's JSON can't hold."""
    match value:
        case str():
            return value.replace("\x00", "")
        case dict():
            return {str(key): _clean(each) for key, each in value.items()}
        case list() | tuple():
            return [_clean(each) for each in value]
    return value


def _insert(made: Email) -> bool:
    """Whether this row is the one that keeps the promise of its reason and recipient."""
    Email.objects.bulk_create([made], ignore_conflicts=True)
    return Email.objects.filter(pk=made.pk).exists()


# --- Sending ------------------------------------------------------------------------------------


def _render(email: Email) -> EmailMultiAlternatives | None:
    """The message in its language; None where what it was about is no more."""
    data = {**email.context, "site_url": settings.KITEHUB_BASE_URL, "language": email.language}
    secret = _SECRETS.get(email.template)
    if secret is not None:
        made = secret(email.context)
        if made is None:
            return None
        data |= made
    with translation.override(email.language):
        written = _plain(loader.get_template(f"email/{email.template}.txt"), data)
        first, _newline, rest = written.strip().partition("\n")
        # A line break in a subject would be another header.
        subject = " ".join(first.split())[:SUBJECT_LENGTH]
        text = rest.strip() + "\n"
        data |= {"subject": subject, "text": text}
        html = loader.select_template([f"email/{email.template}.html", "email/plain.html"])
        message = EmailMultiAlternatives(subject=subject, body=text, to=[email.recipient])
        message.attach_alternative(html.render(data), "text/html")
    # Programs that answer by themselves (holidays, unknown boxes) leave such mail alone.
    message.extra_headers["Auto-Submitted"] = "auto-generated"
    message.extra_headers["Message-ID"] = f"<{email.pk}@{_host()}>"
    return message


def _plain(template: Any, data: Mapping[str, Any]) -> str:
    """A text template; nobody reads `&amp;` in a text."""
    rendered: str = template.template.render(Context(dict(data), autoescape=False))
    return rendered


def _host() -> str:
    name = urlsplit(settings.KITEHUB_BASE_URL).hostname or ""
    return f"[{name}]" if ":" in name else name  # IPv6


def _deliver(email: Email, message: EmailMultiAlternatives, *, at: datetime) -> EmailState:
    server = get_connection()
    try:
        server.open()
    except (OSError, smtplib.SMTPException) as error:
        # Nothing was handed over yet; a refused login may be mended too.
        return _later(email, error, at=at)
    try:
        server.send_messages([message])
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _said in error.recipients.values()]
        if all(400 <= code < 500 for code in codes):
            return _later(email, error, at=at)
        return _fail(email, _said(error))
    except smtplib.SMTPResponseException as error:
        if 400 <= error.smtp_code < 500:
            return _later(email, error, at=at)
        return _fail(email, _said(error))
    except (OSError, smtplib.SMTPException) as error:
        # It may have been taken before the line broke.
        return _fail(email, f"It may have arrived: {_said(error)}")
    except ValueError as error:  # a header or an address that can't be written
        return _fail(email, _said(error))
    finally:
        _close(server)
    kept = {"subject": message.subject}
    if email.template not in _SECRETS:
        html = message.alternatives[0]
        kept |= {"text_body": str(message.body), "html_body": str(html[0])}
    Email.objects.filter(pk=email.pk).update(state=EmailState.SENT, sent_at=at, error="", **kept)
    return EmailState.SENT


def _close(server: Any) -> None:
    """Hangs up. That it failed says nothing of the message."""
    try:
        server.close()
    except (OSError, smtplib.SMTPException):
        return


def _left_behind(email_id: UUID) -> EmailState | None:
    """What to do with a message that can't be claimed."""
    email = Email.objects.filter(pk=email_id).first()
    if email is None:
        return None
    if email.state == EmailState.SENDING:
        # Only where its worker was killed does a job come by again; should that one be alive after
        # all, it writes what became of the message over this.
        return _fail(email, INTERRUPTED)
    return EmailState(email.state)


def _later(email: Email, error: Exception, *, at: datetime) -> EmailState:
    if at - email.queued_at >= GIVE_UP:
        return _fail(email, f"Given up: {_said(error)}")
    sending = Email.objects.filter(pk=email.pk, state=EmailState.SENDING)
    sending.update(state=EmailState.QUEUED, error=_said(error)[:ERROR_LENGTH])
    raise NotSentYet(_said(error)) from error


def _fail(email: Email, why: str) -> EmailState:
    Email.objects.filter(pk=email.pk, state=EmailState.SENDING).update(
        state=EmailState.FAILED, error=why.replace("\x00", "")[:ERROR_LENGTH]
    )
    return EmailState.FAILED


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _within_a_test() -> bool:
    """Whether the only transaction is the one that a test runner wraps around a test."""
    blocks: list[Any] = connection.atomic_blocks
    return all(getattr(block, "_from_testcase", False) for block in blocks)
