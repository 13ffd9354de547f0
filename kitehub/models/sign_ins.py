"""How often somebody has tried to sign in of late. A platform table."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from kitehub.db.indexes import Index


class SignInAttempts(models.Model):
    """Attempts to sign in since a moment, by whom they were for and where they came from (V17).

    The key is a digest, so the table tells nobody which addresses were tried. Rows are gone once
    their window is over.
    """

    archived = False

    key = models.CharField(
        _("key"), primary_key=True, max_length=64, db_comment="SHA-256 of login and address"
    )
    attempts = models.PositiveIntegerField(_("attempts"))
    since = models.DateTimeField(_("since"))

    class Meta:
        db_table = "sign_in_attempts"
        db_table_comment = "Attempts to sign in within the last minutes"
        verbose_name = _("sign-in attempts")
        verbose_name_plural = _("sign-in attempts")
        indexes: ClassVar = [Index(fields=["since"], name="idx_sign_in_attempts_since")]

    def __str__(self) -> str:
        return f"{self.key[:8]}… · {self.attempts}"
