"""API keys: by what an instance's own programs are known. A platform table."""

from datetime import datetime
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from kitehub.db.acting import ACTOR_LENGTH, REASON_LENGTH
from kitehub.db.base import Identified
from kitehub.db.fields import ReadBackCharField, ReadBackUUIDField
from kitehub.db.functions import Now
from kitehub.db.indexes import Index
from kitehub.enums import ApiKeyState, ApiScope
from kitehub.key_format import MARK, PREFIX_LENGTH
from kitehub.querysets import ApiKeyQuerySet


class ApiKey(Identified):
    """A key of an instance (V13). Its secret is not here, only what recognizes it.

    A key stays what it was issued as: triggers let nobody change more than when it was last used,
    an earlier end, and its revocation, which is for good.
    """

    # An archive opens nothing.
    archived = False

    # A real reference, unlike the plan's tables: a key must not outlive its instance, or open the
    # next one that gets its id. Who loses an instance for good loses its keys with it.
    instance = models.ForeignKey(
        "kitehub.Instance",
        on_delete=models.CASCADE,
        related_name="api_keys",
        db_index=False,
        verbose_name=_("instance"),
    )
    name = models.CharField(_("name"), max_length=100, help_text=_("Who or what uses the key."))
    prefix = models.CharField(_("prefix"), max_length=PREFIX_LENGTH, editable=False)
    secret_hash = models.CharField(
        _("digest"),
        max_length=64,
        editable=False,
        db_comment="SHA-256 of the secret, in hexadecimal",
    )
    scopes = ArrayField(
        models.CharField(max_length=50, choices=ApiScope.choices), verbose_name=_("scopes")
    )
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    created_by = ReadBackCharField(_("created by"), max_length=ACTOR_LENGTH, editable=False)
    last_used_at = models.DateTimeField(
        _("last used"),
        null=True,
        blank=True,
        editable=False,
        db_comment="To the minute or so: written at most once a minute",
    )
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True, editable=False)
    revoked_by = ReadBackCharField(
        _("revoked by"), max_length=ACTOR_LENGTH, null=True, blank=True, editable=False
    )
    revoked_reason = ReadBackCharField(
        _("reason of revocation"), max_length=REASON_LENGTH, null=True, blank=True, editable=False
    )
    replaces = models.ForeignKey(
        "self",
        on_delete=models.CASCADE,
        related_name="replaced_by",
        db_index=False,
        null=True,
        blank=True,
        editable=False,
        verbose_name=_("replaces"),
    )
    line_id = ReadBackUUIDField(
        _("line"),
        editable=False,
        db_comment="The first key of those that replaced each other",
    )

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        db_table = "api_keys"
        db_table_comment = "Keys by which the programs of instances are known"
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["prefix"], name="api_keys_prefix_key"),
            # Two rotations at once: one of them wins.
            models.UniqueConstraint(fields=["replaces"], name="api_keys_replaces_key"),
            models.CheckConstraint(
                condition=Q(prefix__regex=rf"^[0-9a-z]{{{PREFIX_LENGTH}}}$"),
                name="api_keys_prefix_check",
            ),
            models.CheckConstraint(
                # As a pair, because the linter takes the keyword for a password.
                condition=Q(("secret_hash__regex", r"^[0-9a-f]{64}$")),
                name="api_keys_secret_hash_check",
            ),
            models.CheckConstraint(
                condition=Q(scopes__len__gt=0, scopes__contained_by=ApiScope.values),
                name="api_keys_scopes_check",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=False, revoked_by__isnull=False)
                | Q(revoked_at__isnull=True, revoked_by__isnull=True, revoked_reason__isnull=True),
                name="api_keys_revoked_check",
            ),
        ]
        indexes: ClassVar = [
            Index(fields=["instance", "-created_at"], name="idx_api_keys_instance"),
            Index(fields=["line_id"], name="idx_api_keys_line"),
            Index(fields=["-created_at", "-id"], name="idx_api_keys_list"),
            Index(
                fields=["-created_at", "-id"],
                condition=Q(revoked_at__isnull=False),
                name="idx_api_keys_list_revoked",
            ),
            Index(
                fields=["expires_at"],
                condition=Q(revoked_at__isnull=True, expires_at__isnull=False),
                name="idx_api_keys_expires",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} · {self.shown_prefix}"

    @property
    def shown_prefix(self) -> str:
        """The beginning of the key, by which people name it."""
        return f"{MARK}{self.prefix}"

    def state(self, *, at: datetime) -> ApiKeyState:
        """Whether it is live, expired or revoked at a moment."""
        if self.revoked_at is not None:
            return ApiKeyState.REVOKED
        if self.expires_at is not None and self.expires_at <= at:
            return ApiKeyState.EXPIRED
        return ApiKeyState.LIVE
