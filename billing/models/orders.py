"""Payment orders: what somebody is asked to pay, and what of it has come."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from billing.enums import OrderPurpose, PaymentStatus, PaymentType
from billing.querysets import PaymentOrderQuerySet
from kitehub.db.base import Record
from kitehub.db.constraints import deletion_agrees
from kitehub.db.fields import EnumField, LooseForeignKey
from kitehub.db.indexes import Index
from kitehub.db.querysets import AliveManager
from kitehub.enums import Tier

# Orders that some money came for, and not all: they wait for the rest, or for a person.
PART_PAID = Q(
    status__in=[PaymentStatus.PENDING.value, PaymentStatus.EXPIRED.value], paid_amount__gt=0
)


class PaymentOrder(Record):
    """A request for one bank transfer, shown as a VietQR code (plan, V2). Money is in đồng."""

    order_id = models.CharField(_("order code"), max_length=50)
    type = EnumField(
        _("type"),
        enum=PaymentType,
        enum_type="payment_type",
        db_comment="SUBSCRIPTION (KiteHub) or ENROLLMENT (Instance)",
    )
    user = LooseForeignKey(
        settings.AUTH_USER_MODEL, related_name="payment_orders", verbose_name=_("user")
    )
    instance = LooseForeignKey(
        "kitehub.Instance",
        null=True,
        blank=True,
        related_name="payment_orders",
        verbose_name=_("instance"),
    )
    amount = models.BigIntegerField(_("amount"), db_comment="Amount in VND")
    tier = models.CharField(_("tier"), max_length=20, choices=Tier.choices, null=True, blank=True)
    status = EnumField(
        _("status"),
        enum=PaymentStatus,
        enum_type="payment_status",
        db_default=PaymentStatus.PENDING.value,
    )
    qr_image_url = models.CharField(_("QR image"), max_length=500, null=True, blank=True)
    payment_content = models.CharField(
        _("transfer memo"),
        max_length=200,
        db_comment="VietQR content: KITEHUB {orderId} {email}",
    )
    transaction_reference = models.CharField(
        _("bank reference"), max_length=100, null=True, blank=True
    )
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"), db_comment="24-hour expiry for payment")
    # From here on V17's: what was agreed when the order was opened, and what has come of it. Orders
    # that are older, or another program's, have none of it.
    purpose = models.CharField(
        _("buys"), max_length=20, choices=OrderPurpose.choices, null=True, blank=True
    )
    months = models.SmallIntegerField(_("months"), null=True, blank=True)
    monthly_price = models.BigIntegerField(_("price per month"), null=True, blank=True)
    subject = models.CharField(
        _("for"),
        max_length=300,
        null=True,
        blank=True,
        db_comment="What it is for: an instance has one open order for each",
    )
    course_id = models.CharField(_("course"), max_length=100, null=True, blank=True)
    student_name = models.CharField(_("student"), max_length=200, null=True, blank=True)
    client_reference = models.CharField(
        _("the program's reference"),
        max_length=100,
        null=True,
        blank=True,
        db_comment="The instance's own key: asking twice with it opens one order",
    )
    memo = models.CharField(
        _("memo in the QR code"), max_length=25, null=True, blank=True, db_comment="At most 25"
    )
    bank_bin = models.CharField(_("bank (BIN)"), max_length=6, null=True, blank=True)
    account_number = models.CharField(_("account number"), max_length=19, null=True, blank=True)
    account_name = models.CharField(_("account holder"), max_length=200, null=True, blank=True)
    credit_offered = models.BigIntegerField(
        _("credit to be used"),
        db_default=0,
        db_comment="VND of the instance's credit that the QR's amount leaves out",
    )
    paid_amount = models.BigIntegerField(
        _("paid so far"), db_default=0, editable=False, db_comment="Kept by payment_allocations"
    )
    refunded_amount = models.BigIntegerField(
        _("paid back"), db_default=0, editable=False, db_comment="Kept by payment_allocations"
    )
    superseded_by = LooseForeignKey(
        "self", null=True, blank=True, related_name="supersedes", verbose_name=_("superseded by")
    )
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True, blank=True)
    cancel_reason = models.CharField(_("why cancelled"), max_length=500, null=True, blank=True)

    objects = AliveManager.from_queryset(PaymentOrderQuerySet)()
    all_objects = PaymentOrderQuerySet.as_manager()

    class Meta:
        db_table = "payment_orders"
        db_table_comment = "VietQR payment orders"
        verbose_name = _("payment order")
        verbose_name_plural = _("payment orders")
        permissions: ClassVar = [
            ("cancel_order", "Can cancel payment orders"),
            ("reopen_order", "Can give orders more time, open them anew and send their mail"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order_id"], name="payment_orders_order_id_key"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_orders_amount_check"),
            models.CheckConstraint(
                condition=Q(tier__in=Tier.values), name="payment_orders_tier_check"
            ),
            deletion_agrees("payment_orders"),
            models.CheckConstraint(
                condition=~Q(status=PaymentStatus.PAID.value)
                | Q(
                    paid_at__isnull=False,
                    transaction_reference__isnull=False,
                    transaction_reference__gt="",
                ),
                name="payment_orders_paid_check",
                violation_error_message=_("A paid order has its time and the bank's reference."),
            ),
            models.CheckConstraint(
                condition=Q(paid_amount__gte=0)
                & Q(refunded_amount__gte=0)
                & Q(credit_offered__gte=0)
                & Q(amount__gte=F("paid_amount") + F("refunded_amount")),
                name="payment_orders_paid_amount_check",
            ),
            models.CheckConstraint(
                condition=Q(purpose__in=OrderPurpose.values), name="payment_orders_purpose_check"
            ),
            models.CheckConstraint(
                condition=Q(months__range=(1, 36)), name="payment_orders_months_check"
            ),
            models.UniqueConstraint(
                fields=["instance", "subject"],
                condition=Q(
                    status=PaymentStatus.PENDING.value, deleted=False, subject__isnull=False
                ),
                name="payment_orders_open_subject_key",
            ),
            models.UniqueConstraint(
                fields=["instance", "client_reference"],
                condition=Q(client_reference__isnull=False),
                name="payment_orders_client_reference_key",
            ),
        ]
        indexes: ClassVar = [
            # Lists of the back office: the order of each, behind what it is narrowed by.
            Index(
                fields=["-created_at", "-id"],
                name="idx_payment_orders_list",
                condition=Q(deleted=False),
            ),
            Index(
                fields=["status", "-created_at", "-id"],
                name="idx_payment_orders_list_status",
                condition=Q(deleted=False),
            ),
            Index(
                fields=["type", "-created_at", "-id"],
                name="idx_payment_orders_list_type",
                condition=Q(deleted=False),
            ),
            Index(
                fields=["instance", "-created_at", "-id"],
                name="idx_payment_orders_list_instance",
                condition=Q(deleted=False),
            ),
            Index(
                fields=["-amount", "-created_at", "-id"],
                name="idx_payment_orders_list_amount",
                condition=Q(deleted=False),
            ),
            Index(
                fields=["tier", "-created_at", "-id"],
                name="idx_payment_orders_list_tier",
                condition=Q(deleted=False, tier__isnull=False),
            ),
            Index(
                fields=["-paid_at", "-id"],
                name="idx_payment_orders_list_paid_at",
                condition=Q(deleted=False, paid_at__isnull=False),
            ),
            Index(
                fields=["-created_at", "-id"],
                name="idx_payment_orders_list_part_paid",
                condition=Q(PART_PAID, deleted=False),
            ),
            Index(
                fields=["-created_at", "-id"],
                name="idx_payment_orders_deleted",
                condition=Q(deleted=True),
            ),
            Index(fields=["order_id"], name="idx_payment_orders_order_id"),
            Index(fields=["user"], name="idx_payment_orders_user"),
            Index(fields=["instance"], name="idx_payment_orders_instance"),
            Index(fields=["status"], name="idx_payment_orders_status"),
            Index(fields=["-created_at"], name="idx_payment_orders_created"),
            Index(
                fields=["expires_at"],
                name="idx_payment_orders_expires",
                condition=Q(status=PaymentStatus.PENDING.value),
            ),
            Index(
                fields=["status", "-created_at"],
                name="idx_payment_orders_status_created",
                condition=Q(status=PaymentStatus.PENDING.value),
            ),
            Index(
                fields=["id"],
                name="idx_payment_orders_active",
                condition=Q(deleted=models.Value(False)),
            ),
            # Not the plan's: staff look orders up by what the bank's line says.
            Index(
                fields=["transaction_reference"],
                name="idx_payment_orders_transaction_reference",
                condition=Q(transaction_reference__isnull=False),
            ),
            Index(
                fields=["instance", "subject"],
                name="idx_payment_orders_part_paid",
                condition=Q(status=PaymentStatus.EXPIRED.value, paid_amount__gt=0, deleted=False),
            ),
            # What the back office counts: orders that a person should look at.
            Index(
                fields=["-paid_at", "-id"],
                name="idx_payment_orders_late",
                condition=Q(
                    status=PaymentStatus.PAID.value, paid_at__gt=F("expires_at"), deleted=False
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.order_id

    @property
    def rest(self) -> int:
        """What is still to be paid, in đồng, whether by transfer or by credit."""
        if self.status == PaymentStatus.PAID:
            return 0  # also where another program took the money
        return self.amount - self.paid_amount - self.refunded_amount
