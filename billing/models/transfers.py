"""Bank transfers, and which order each đồng of them pays.

Three things are apart that look like one. The *contract* is the order: what was agreed, at which
price, to which account. It exists before any money moves and stays when none comes. The *bank line*
is what the bank says happened: it is true whether or not we understand it, so it is never changed,
never deleted, and there may be lines that belong to no order, to several, or to half of one. The
*payment* is our reading of the two, an allocation of some đồng of a line to an order; readings may
be wrong, so one is taken back by a counter-entry and made again, and both stay on record.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing.enums import FeedProvider, TransferDirection, TransferState, UnmatchedReason
from billing.querysets import BankTransferQuerySet
from kitehub import display
from kitehub.db.base import Identified
from kitehub.db.fields import LooseForeignKey
from kitehub.db.functions import Now
from kitehub.db.indexes import Index

# NAPAS: 13 digits.
MOST_DONG = 9_999_999_999_999


class BankTransfer(Identified):
    """One line of a bank account, as a provider or a statement told of it. Money is in đồng.

    What the bank said never changes; `state` and `reason` say what was made of it. The three totals
    are kept by the database from allocations, credit and refunds, and never exceed the amount; what
    they leave is `unmatched`.
    """

    # KiteHub's own books: they stay when a school leaves.
    archived = False

    provider = models.CharField(_("told by"), max_length=20, choices=FeedProvider.choices)
    provider_id = models.CharField(
        _("the provider's id"), max_length=200, db_comment="Unique per provider and account"
    )
    account_number = models.CharField(_("account number"), max_length=50)
    virtual_account = models.CharField(_("virtual account"), max_length=50, blank=True)
    bank = models.CharField(
        _("bank"), max_length=100, blank=True, db_comment="As told: BIN or name"
    )
    instance = LooseForeignKey(
        "kitehub.Instance",
        null=True,
        blank=True,
        related_name="bank_transfers",
        verbose_name=_("instance"),
        db_comment="Whose account it is; none for KiteHub's own",
    )
    direction = models.CharField(
        _("direction"), max_length=3, choices=TransferDirection.choices, db_default="IN"
    )
    amount = models.BigIntegerField(_("amount"), db_comment="Amount in VND")
    memo = models.TextField(_("memo"), blank=True)
    details = models.TextField(
        _("other texts"), blank=True, db_comment="Further fields that may hold an order code"
    )
    counterparty_name = models.CharField(_("from"), max_length=200, blank=True)
    counterparty_account = models.CharField(_("from account"), max_length=50, blank=True)
    counterparty_bank = models.CharField(_("from bank"), max_length=100, blank=True)
    reference = models.CharField(_("bank reference"), max_length=100, blank=True)
    balance_after = models.BigIntegerField(_("balance after"), null=True, blank=True)
    transferred_at = models.DateTimeField(
        _("transferred at"), db_comment="The bank's time, by which periods begin"
    )
    received_at = models.DateTimeField(_("told at"), db_default=Now())
    raw = models.JSONField(_("as told"), default=dict, db_default={})
    raw_body = models.TextField(_("the whole message"), blank=True)
    statement_key = models.CharField(
        _("line of a statement"),
        max_length=200,
        null=True,
        blank=True,
        db_comment="The statement's line that says the same, once there is one",
    )
    state = models.CharField(
        _("state"), max_length=20, choices=TransferState.choices, db_default="RECEIVED"
    )
    reason = models.CharField(
        _("why"), max_length=30, choices=UnmatchedReason.choices, null=True, blank=True
    )
    note = models.CharField(_("note"), max_length=500, blank=True)
    duplicate_of = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="duplicates",
        verbose_name=_("same as"),
    )
    settled_at = models.DateTimeField(_("settled at"), null=True, blank=True)
    allocated_amount = models.BigIntegerField(_("for orders"), db_default=0, editable=False)
    credited_amount = models.BigIntegerField(_("kept as credit"), db_default=0, editable=False)
    refunded_amount = models.BigIntegerField(_("paid back"), db_default=0, editable=False)

    objects = BankTransferQuerySet.as_manager()

    class Meta:
        db_table = "bank_transfers"
        db_table_comment = "Bank lines as told by providers and statements; never changed"
        verbose_name = _("bank transfer")
        verbose_name_plural = _("bank transfers")
        permissions: ClassVar = [
            ("match_transfer", "Can say what bank transfers are for"),
            ("import_statement", "Can import bank statements"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["provider", "account_number", "provider_id"],
                name="bank_transfers_provider_key",
            ),
            models.UniqueConstraint(
                fields=["account_number", "statement_key"],
                condition=Q(statement_key__isnull=False),
                name="bank_transfers_statement_key",
            ),
            models.CheckConstraint(
                condition=Q(provider__in=FeedProvider.values), name="bank_transfers_provider_check"
            ),
            models.CheckConstraint(
                condition=Q(direction__in=TransferDirection.values),
                name="bank_transfers_direction_check",
            ),
            models.CheckConstraint(
                condition=Q(state__in=TransferState.values), name="bank_transfers_state_check"
            ),
            models.CheckConstraint(
                condition=Q(amount__range=(1, MOST_DONG)), name="bank_transfers_amount_check"
            ),
            models.CheckConstraint(
                condition=Q(allocated_amount__gte=0)
                & Q(credited_amount__gte=0)
                & Q(refunded_amount__gte=0)
                & Q(
                    amount__gte=F("allocated_amount") + F("credited_amount") + F("refunded_amount")
                ),
                name="bank_transfers_totals_check",
            ),
            # Only money that came, once, can be for anything.
            models.CheckConstraint(
                condition=Q(direction="IN") & ~Q(state__in=["IGNORED", "DUPLICATE"])
                | Q(allocated_amount=0, credited_amount=0, refunded_amount=0),
                name="bank_transfers_spendable_check",
            ),
            models.CheckConstraint(
                condition=Q(state="DUPLICATE", duplicate_of__isnull=False)
                | ~Q(state="DUPLICATE") & Q(duplicate_of__isnull=True),
                name="bank_transfers_duplicate_check",
            ),
        ]
        indexes: ClassVar = [
            # Lists of the back office: the order of each, behind what it is narrowed by.
            Index(fields=["state", "-received_at", "-id"], name="idx_bank_transfers_list_state"),
            Index(
                fields=["direction", "-received_at", "-id"],
                name="idx_bank_transfers_list_direction",
            ),
            Index(
                fields=["provider", "-received_at", "-id"], name="idx_bank_transfers_list_provider"
            ),
            Index(
                fields=["account_number", "-received_at", "-id"],
                name="idx_bank_transfers_list_account_number",
            ),
            Index(fields=["-amount", "-received_at", "-id"], name="idx_bank_transfers_list_amount"),
            Index(
                fields=["instance", "-received_at", "-id"],
                name="idx_bank_transfers_list_instance",
                condition=Q(instance__isnull=False),
            ),
            Index(fields=["provider_id"], name="idx_bank_transfers_provider_id"),
            Index(fields=["-received_at", "-id"], name="idx_bank_transfers_received"),
            Index(
                fields=["state", "received_at"],
                condition=Q(state__in=["RECEIVED", "UNMATCHED"]),
                name="idx_bank_transfers_waiting",
            ),
            Index(
                fields=["account_number", "amount", "transferred_at"],
                name="idx_bank_transfers_account",
            ),
            Index(
                fields=["reference"],
                condition=~Q(reference=""),
                name="idx_bank_transfers_reference",
            ),
            Index(
                fields=["instance", "-transferred_at"],
                condition=Q(instance__isnull=False),
                name="idx_bank_transfers_instance",
            ),
            Index(
                fields=["duplicate_of"],
                condition=Q(duplicate_of__isnull=False),
                name="idx_bank_transfers_duplicate_of",
            ),
        ]

    def __str__(self) -> str:
        if self.provider == FeedProvider.STATEMENT:
            # Its own id is a hash of the line, which nobody reads.
            day = timezone.localtime(self.transferred_at)
            return f"{gettext('Statement')} {day:%d/%m/%Y} {display.money(self.amount)}"
        return f"{self.get_provider_display()} {self.provider_id}"

    @property
    def unmatched(self) -> int:
        """What of the amount is for nothing yet, in đồng."""
        return self.amount - self.allocated_amount - self.credited_amount - self.refunded_amount

    @property
    def is_tied(self) -> bool:
        """Whether a person has said that another line told its money; of twins nobody asks why."""
        return self.state == TransferState.DUPLICATE and self.reason is not None


class PaymentAllocation(Identified):
    """Some đồng of a bank line, or of an instance's credit, for an order.

    Append-only. A negative row takes (a part of) the one in `reverses` back: to the bank line, to
    credit, or, with a `refund`, to whoever paid.
    """

    archived = False

    transfer = models.ForeignKey(
        BankTransfer,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="allocations",
        verbose_name=_("bank transfer"),
    )
    credit_entry = models.ForeignKey(
        "billing.CreditEntry",
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="allocations",
        verbose_name=_("credit"),
    )
    order = models.ForeignKey(
        "billing.PaymentOrder",
        models.PROTECT,
        db_index=False,
        related_name="allocations",
        verbose_name=_("payment order"),
    )
    amount = models.BigIntegerField(_("amount"), db_comment="VND; negative takes back")
    reverses = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="reversals",
        verbose_name=_("takes back"),
    )
    refund = models.ForeignKey(
        "billing.Refund",
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        related_name="reversals",
        verbose_name=_("refund"),
    )
    created_at = models.DateTimeField(_("booked at"), db_default=Now())
    created_by = models.CharField(_("booked by"), max_length=100, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)

    class Meta:
        db_table = "payment_allocations"
        db_table_comment = "What of which bank line or credit pays which order; append-only"
        verbose_name = _("allocation")
        verbose_name_plural = _("allocations")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(transfer__isnull=False, credit_entry__isnull=True)
                | Q(transfer__isnull=True, credit_entry__isnull=False),
                name="payment_allocations_source_check",
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0, reverses__isnull=True, refund__isnull=True)
                | Q(amount__lt=0, reverses__isnull=False),
                name="payment_allocations_amount_check",
            ),
        ]
        indexes: ClassVar = [
            # Lists of the back office: the order of each, behind what it is narrowed by.
            Index(fields=["-created_at", "-id"], name="idx_payment_allocations_list"),
            Index(fields=["order"], name="idx_payment_allocations_order"),
            Index(
                fields=["transfer"],
                condition=Q(transfer__isnull=False),
                name="idx_payment_allocations_transfer",
            ),
            Index(
                fields=["credit_entry"],
                condition=Q(credit_entry__isnull=False),
                name="idx_payment_allocations_credit",
            ),
            Index(
                fields=["reverses"],
                condition=Q(reverses__isnull=False),
                name="idx_payment_allocations_reverses",
            ),
            Index(
                fields=["refund"],
                condition=Q(refund__isnull=False),
                name="idx_payment_allocations_refund",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} → {self.order_id}"
