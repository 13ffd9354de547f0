"""Events of mails: asked for, and what became of them."""

from django.db.models import QuerySet
from django.utils.translation import gettext

from kitehub.backoffice.references import To
from kitehub.backoffice.timeline import ASKED, FOLLOWED, Event
from kitehub.enums import EmailState
from kitehub.models import Email


def mail_events(mails: QuerySet[Email]) -> list[Event]:
    """The newest mails: when each was asked for, when it went out, or why it didn't."""
    return [
        event
        for mail in mails.defer("text_body", "html_body").order_by("-queued_at", "-id")[:ASKED]
        for event in _mail(mail)
    ]


def _mail(mail: Email) -> list[Event]:
    said = {"whom": mail.recipient, "what": mail.subject or mail.template}
    to = To(Email, mail.pk)
    failed = mail.state == EmailState.FAILED
    asked = Event(
        at=mail.queued_at,
        what=gettext("Mail to %(whom)s asked for") % said,
        key=f"mail:{mail.pk}:1",
        icon="schedule_send",
        rank=FOLLOWED,
        more=gettext("It could not be sent: %(why)s") % {"why": mail.error} if failed else "",
        to=to,
    )
    if not mail.sent_at:
        return [asked]
    return [
        asked,
        Event(
            at=mail.sent_at,
            what=gettext("Mail to %(whom)s sent") % said,
            key=f"mail:{mail.pk}:2",
            icon="mail",
            rank=FOLLOWED,
            more=mail.subject,
            to=to,
        ),
    ]
