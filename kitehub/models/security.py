"""Who came in, from where, and what became of their ways in. Platform tables."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kitehub.db.acting import ACTOR_LENGTH, REASON_LENGTH
from kitehub.db.base import Identified
from kitehub.db.fields import LooseForeignKey
from kitehub.db.functions import Now
from kitehub.db.indexes import Index
from kitehub.db.secrets import EncryptedField
from kitehub.enums import SecurityEventKind

ADDRESS_LENGTH = 50
BROWSER_LENGTH = 100


class SecurityEvent(models.Model):
    """Something that happened to somebody's account (V18).

    Append-only by trigger; what is older than two years may be deleted. Changes of e-mail address
    and powers are written by triggers, whoever makes them.
    """

    id = models.BigAutoField(primary_key=True, verbose_name=_("ID"))
    at = models.DateTimeField(_("when"), db_default=Now())
    kind = models.CharField(_("what"), max_length=30, choices=SecurityEventKind.choices)
    user = LooseForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        related_name="security_events",
        verbose_name=_("whose account"),
    )
    login = models.CharField(
        _("e-mail address"),
        max_length=254,
        blank=True,
        db_default="",
        db_comment="As it was at the time; of failed attempts, what was typed",
    )
    actor = models.CharField(
        pgettext_lazy("security", "who"), max_length=ACTOR_LENGTH, blank=True, db_default=""
    )
    reason = models.CharField(_("reason"), max_length=REASON_LENGTH, blank=True, db_default="")
    address = models.CharField(
        _("IP address"), max_length=ADDRESS_LENGTH, blank=True, db_default=""
    )
    browser = models.CharField(_("browser"), max_length=BROWSER_LENGTH, blank=True, db_default="")
    details = models.JSONField(_("details"), default=dict, db_default={}, blank=True)

    class Meta:
        db_table = "security_events"
        db_table_comment = "Sign-ins, changes of passwords, addresses and powers: append-only"
        verbose_name = _("security event")
        verbose_name_plural = _("security log")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind__in=SecurityEventKind.values), name="security_events_kind_check"
            )
        ]
        indexes: ClassVar = [
            Index(fields=["-at", "-id"], name="idx_security_events_at"),
            Index(fields=["user", "-at", "-id"], name="idx_security_events_user"),
            Index(fields=["login", "-at", "-id"], name="idx_security_events_login"),
            Index(fields=["address", "-at", "-id"], name="idx_security_events_address"),
            Index(fields=["kind", "-at", "-id"], name="idx_security_events_kind"),
        ]

    def __str__(self) -> str:
        return f"{SecurityEventKind(self.kind).label} · {self.login or self.actor}"


class SignedInSession(Identified):
    """A browser in which somebody is signed in (V18). Gone once they are signed out."""

    key_digest = models.CharField(
        _("digest of the session key"),
        max_length=64,
        editable=False,
        db_comment="SHA-256 in hexadecimal: the key itself would sign in whoever reads it",
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        db_index=False,
        related_name="signed_in_sessions",
        verbose_name=_("user"),
    )
    since = models.DateTimeField(_("since"), db_default=Now())
    last_seen = models.DateTimeField(
        _("last seen"), db_default=Now(), db_comment="To some minutes: not written at each request"
    )
    address = models.CharField(
        _("IP address"), max_length=ADDRESS_LENGTH, blank=True, db_default=""
    )
    browser = models.CharField(_("browser"), max_length=BROWSER_LENGTH, blank=True, db_default="")

    class Meta:
        db_table = "signed_in_sessions"
        db_table_comment = "Browsers in which somebody is signed in"
        verbose_name = _("open session")
        verbose_name_plural = _("open sessions")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key_digest"], name="signed_in_sessions_key_digest_key")
        ]
        indexes: ClassVar = [
            Index(fields=["user", "-last_seen"], name="idx_signed_in_sessions_user"),
            Index(fields=["-last_seen", "-id"], name="idx_signed_in_sessions_seen"),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.browser}"


class SecondFactor(models.Model):
    """What makes somebody's one-time codes, by RFC 6238 (V18). In force once it is confirmed."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="second_factor",
        verbose_name=_("user"),
    )
    secret = EncryptedField(_("secret"), max_length=255)
    created_at = models.DateTimeField(_("created at"), db_default=Now())
    confirmed_at = models.DateTimeField(_("in force since"), null=True, blank=True)
    last_step = models.BigIntegerField(
        _("last step"),
        db_default=0,
        default=0,
        db_comment="The step of 30 seconds whose code was used last; none up to it is good again",
    )
    backup_codes = models.JSONField(
        _("backup codes"),
        default=list,
        db_default=[],
        db_comment="SHA-256 of the codes that are not used yet, in hexadecimal",
    )

    class Meta:
        db_table = "second_factors"
        db_table_comment = "Secrets of the one-time codes that some people sign in with"
        verbose_name = _("second factor")
        verbose_name_plural = _("second factors")
        indexes: ClassVar = [Index(fields=["-created_at", "-user"], name="idx_second_factors_made")]

    def __str__(self) -> str:
        return str(self.user)
