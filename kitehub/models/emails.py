"""Mail that the platform sends: what was asked for, and what became of it. A platform table."""

from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kitehub.db.base import Identified
from kitehub.db.fields import LooseForeignKey
from kitehub.db.functions import Now
from kitehub.db.indexes import Index
from kitehub.enums import EmailState
from kitehub.querysets.emails import EmailQuerySet


class Email(Identified):
    """A message to one address for one reason, which is sent at most once (V17).

    `reason` and `recipient` together are the promise: whoever asks again for the same is told that
    it is in hand. Words are made when the message is sent, so a correction of a template reaches
    what still waits; subject and bodies are kept then, but for messages that hold a secret.
    """

    # An archive is of a school's own rows.
    archived = False

    recipient = models.CharField(_("recipient"), max_length=254)
    reason = models.CharField(
        _("reason"),
        max_length=200,
        db_comment="What it is about, by which it is sent once: renewal:KH7Q2M4X9A:-3",
    )
    template = models.CharField(_("template"), max_length=100)
    language = models.CharField(_("language"), max_length=10)
    context = models.JSONField(_("context"), default=dict, encoder=DjangoJSONEncoder)
    instance = LooseForeignKey(
        "kitehub.Instance", null=True, related_name="emails", verbose_name=_("instance")
    )
    state = models.CharField(
        _("status"),
        max_length=10,
        choices=EmailState.choices,
        db_default=EmailState.QUEUED.value,
    )
    attempts = models.PositiveIntegerField(_("attempts"), db_default=0)
    error = models.CharField(_("error"), max_length=500, blank=True, db_default="")
    subject = models.CharField(_("subject"), max_length=500, blank=True, db_default="")
    text_body = models.TextField(_("text"), blank=True, db_default="")
    html_body = models.TextField(_("HTML text"), blank=True, db_default="")
    queued_at = models.DateTimeField(_("queued at"), db_default=Now())
    sent_at = models.DateTimeField(pgettext_lazy("email", "sent at"), null=True)

    objects = EmailQuerySet.as_manager()

    class Meta:
        db_table = "emails"
        db_table_comment = "Mail to people, at most one a reason and recipient"
        verbose_name = _("e-mail")
        verbose_name_plural = _("e-mails")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["reason", "recipient"], name="emails_reason_recipient_key"
            ),
            models.CheckConstraint(
                condition=Q(state__in=EmailState.values), name="emails_state_check"
            ),
            models.CheckConstraint(
                condition=Q(state=EmailState.SENT.value, sent_at__isnull=False)
                | (~Q(state=EmailState.SENT.value) & Q(sent_at__isnull=True)),
                name="emails_sent_at_check",
            ),
        ]
        indexes: ClassVar = [
            # Lists of the back office: the order of each, behind what it is narrowed by.
            Index(fields=["state", "-queued_at", "-id"], name="idx_emails_list_state"),
            Index(fields=["-queued_at"], name="idx_emails_queued"),
            Index(fields=["instance"], name="idx_emails_instance"),
            Index(fields=["recipient"], name="idx_emails_recipient"),
            Index(
                fields=["queued_at"],
                name="idx_emails_unsent",
                condition=~Q(state=EmailState.SENT.value),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.recipient} · {self.subject or self.template}"
