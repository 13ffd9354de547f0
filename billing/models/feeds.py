"""Where bank lines come from: providers that tell of them, and statements of banks."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from billing.enums import FeedProvider
from kitehub.db.base import Identified
from kitehub.db.functions import Now
from kitehub.db.indexes import Index


class BankFeed(Identified):
    """One account at one provider: when it was last heard of, and what was refused.

    Refused calls name an account that nobody has proven, so they are counted under none.
    """

    provider = models.CharField(_("provider"), max_length=20, choices=FeedProvider.choices)
    account_number = models.CharField(_("account number"), max_length=50, blank=True)
    first_seen_at = models.DateTimeField(_("first heard of"), null=True, blank=True)
    last_seen_at = models.DateTimeField(_("last heard of"), null=True, blank=True)
    received = models.BigIntegerField(_("messages"), db_default=0)
    refused = models.BigIntegerField(_("refused messages"), db_default=0)
    refused_at = models.DateTimeField(_("last refused at"), null=True, blank=True)
    refused_reason = models.CharField(_("last refused because"), max_length=100, blank=True)

    class Meta:
        db_table = "bank_feeds"
        db_table_comment = "Accounts at providers, and when they were last heard of"
        verbose_name = _("bank feed")
        verbose_name_plural = _("bank feeds")
        # Of the lines that came by it: it holds more than their columns do.
        permissions: ClassVar = [("view_raw_body", "Can view what the bank sent as it came")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["provider", "account_number"], name="bank_feeds_account_key"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_provider_display()} {self.account_number}"


class FeedSilence(Identified):
    """A time in which a bank feed said nothing; nobody loses grace by it."""

    feed = models.ForeignKey(
        BankFeed, models.CASCADE, db_index=False, related_name="silences", verbose_name=_("feed")
    )
    starts_at = models.DateTimeField(_("since"))
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        db_table = "bank_feed_silences"
        db_table_comment = "Times in which a bank feed said nothing"
        verbose_name = _("silence of a bank feed")
        verbose_name_plural = _("silences of bank feeds")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["feed"],
                condition=Q(ends_at__isnull=True),
                name="bank_feed_silences_open_key",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="bank_feed_silences_ends_check",
            ),
        ]
        indexes: ClassVar = [
            Index(fields=["feed", "starts_at"], name="idx_bank_feed_silences_feed"),
            Index(fields=["-starts_at", "-id"], name="idx_bank_feed_silences_list"),
        ]

    def __str__(self) -> str:
        return f"{self.feed} {self.starts_at:%Y-%m-%d}"


class StatementMapping(Identified):
    """Which column of a bank's statement is what, by name, for the next file of the same bank."""

    name = models.CharField(_("name"), max_length=100)
    mapping: Any = models.JSONField(_("columns"))
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    created_by = models.CharField(_("created by"), max_length=100, blank=True, editable=False)

    class Meta:
        db_table = "statement_mappings"
        db_table_comment = "Columns of banks' statements"
        verbose_name = _("statement format")
        verbose_name_plural = _("statement formats")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["name"], name="statement_mappings_name_key"),
        ]

    def __str__(self) -> str:
        return self.name
