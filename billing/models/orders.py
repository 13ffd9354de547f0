"""Payment orders: what somebody is asked to pay, and what of it has come."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from billing.enums import PaymentStatus, PaymentType
from billing.querysets import PaymentOrderQuerySet
from kitehub.db.base import Record
from kitehub.db.constraints import deletion_agrees
from kitehub.db.fields import EnumField, LooseForeignKey
from kitehub.db.indexes import Index
from kitehub.db.querysets import AliveManager
from kitehub.enums import Tier


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

    objects = AliveManager.from_queryset(PaymentOrderQuerySet)()
    all_objects = PaymentOrderQuerySet.as_manager()

    class Meta:
        db_table = "payment_orders"
        db_table_comment = "VietQR payment orders"
        verbose_name = _("payment order")
        verbose_name_plural = _("payment orders")
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
        ]
        indexes: ClassVar = [
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
        ]

    def __str__(self) -> str:
        return self.order_id
