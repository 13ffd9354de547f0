"""People who sign in: staff and the owners of instances."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from kitehub.db.base import Identified
from kitehub.db.fields import EmailLoginField
from kitehub.db.functions import Now
from kitehub.db.indexes import Index
from kitehub.db.words import FoldedWords


class UserManager(BaseUserManager["User"]):
    """Creates users by e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user with this login; without a password nobody can sign in as them."""
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user who may do everything in the admin."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def with_perm(self, *args: Any, **kwargs: Any) -> Any:
        """Users who hold a permission, as Django's own manager answers it."""
        from django.contrib.auth.models import UserManager as DjangoUserManager

        return DjangoUserManager.with_perm(self, *args, **kwargs)  # type: ignore[arg-type]


class User(Identified, AbstractBaseUser, PermissionsMixin):
    """A person. The e-mail address is the login, in lower case."""

    email = EmailLoginField(_("e-mail address"), max_length=254)
    full_name = models.CharField(_("full name"), max_length=200, blank=True)
    is_staff = models.BooleanField(
        _("staff"), default=False, help_text=_("May sign in to the back office.")
    )
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Take this off instead of deleting the account.")
    )
    language = models.CharField(
        _("language"),
        max_length=5,
        blank=True,
        db_default="",
        db_comment="What the person last chose to read, for their mail; empty: the site's first",
    )
    asks_for_code = models.BooleanField(
        _("signs in with a code"),
        default=False,
        db_default=False,
        editable=False,
        db_comment="Whether a second factor is in force, known without looking it up",
    )
    date_joined = models.DateTimeField(_("joined"), db_default=Now(), editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        db_table = "kitehub_users"
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["email"], name="kitehub_users_email_key"),
        ]
        indexes: ClassVar = [
            GinIndex(FoldedWords("email", "full_name"), name="idx_kitehub_users_words"),
            # Few of all people, each of them found by the address.
            Index(fields=["email"], name="idx_kitehub_users_staff", condition=Q(is_staff=True)),
            Index(
                fields=["email"],
                name="idx_kitehub_users_superusers",
                condition=Q(is_superuser=True),
            ),
            Index(
                fields=["email"], name="idx_kitehub_users_inactive", condition=Q(is_active=False)
            ),
        ]

    def __str__(self) -> str:
        return self.full_name or self.email

    @property
    def mail_language(self) -> str:
        """The language to write to them in: what they last chose, or the site's first."""
        return (
            self.language if self.language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        )

    def get_full_name(self) -> str:
        """The name people use, or the login where none is known."""
        return str(self)

    def get_short_name(self) -> str:
        """The last word: Vietnamese put the given name last."""
        return str(self).split()[-1]
