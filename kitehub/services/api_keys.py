"""Issuing, recognizing, rotating and revoking API keys.

A key's text exists once, in the IssuedKey that `issue` and `rotate` return. The table has a digest.
"""

import hmac
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, ClassVar
from uuid import uuid5

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q, Value
from django.db.models.functions import Least
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from kitehub.db.acting import REASON_LENGTH, acting
from kitehub.enums import ApiKeyState, ApiScope, InstanceStatus
from kitehub.key_format import KeyText
from kitehub.models import ApiKey, Instance

# How long the key that is replaced goes on, unless somebody says otherwise; and at most.
OVERLAP = timedelta(days=1)
LONGEST_OVERLAP = timedelta(days=90)
# The last use is written no more often than that.
USE_PRECISION = timedelta(minutes=1)
FIRST_NAME = _("First key")
# Under the instance's id: the same first key for every run that wants to issue it.
_FIRST = "kitehub:first-api-key"
_NOBODYS_DIGEST = "0" * 64


class KeyRefused(Exception):
    """Why a key isn't taken or can't be changed. Callers tell by `code`, people by `message`."""

    code: ClassVar[str]
    message: ClassVar[Any]

    def __init__(self) -> None:
        super().__init__(self.code)


class NotAuthenticated(KeyRefused):
    """It isn't known who asks (401)."""


class NotAllowed(KeyRefused):
    """It is known who asks, and they may not (403)."""


class MalformedKey(NotAuthenticated):
    """No key is written like this: it has a typo, or was cut off."""

    code = "key_malformed"
    message = _("This is not an API key, or it was not copied whole.")


class UnknownKey(NotAuthenticated):
    """Nobody issued this key."""

    code = "key_unknown"
    message = _("This API key is unknown.")


class RevokedKey(NotAuthenticated):
    """The key was revoked."""

    code = "key_revoked"
    message = _("This API key was revoked.")


class ExpiredKey(NotAuthenticated):
    """The key has expired, or another took its place and the overlap is over."""

    code = "key_expired"
    message = _("This API key has expired.")


class InstanceDeleted(NotAllowed):
    """The key's instance was deleted, or closed for good."""

    code = "instance_deleted"
    message = _("The instance of this API key is closed.")


class InstanceSuspended(NotAllowed):
    """The key's instance is suspended."""

    code = "instance_suspended"
    message = _("The instance of this API key is suspended.")


class MissingScope(NotAllowed):
    """The key was issued for other things."""

    code = "scope_missing"
    message = _("This API key may not do that.")

    def __init__(self, scope: ApiScope) -> None:
        super().__init__()
        self.scope = scope


class AlreadyRotated(KeyRefused):
    """Another key took this one's place already."""

    code = "key_already_rotated"
    message = _("Another key has taken the place of this one already.")


class TwoLiveKeys(KeyRefused):
    """Both the key and one that it took the place of are live."""

    code = "key_two_live"
    message = _(
        "This key and an earlier one are both live. Wait until the earlier one has expired, or "
        "revoke it first."
    )


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key with its text, which is shown to its holder and then forgotten."""

    key: ApiKey
    secret_text: str = field(repr=False)


# --- Issuing ------------------------------------------------------------------------------------


def issue(
    *,
    instance: Instance,
    name: str,
    scopes: Collection[str],
    actor: str,
    expires_at: datetime | None = None,
    at: datetime | None = None,
) -> IssuedKey:
    """A new key of an instance; its text can't be had again.

    Raises ValidationError, by field, for a name, scopes or an end that can't be, and
    InstanceDeleted for an instance that is deleted or closed.
    """
    at = at or timezone.now()
    if instance.is_gone:
        raise InstanceDeleted
    new = ApiKey(
        instance=instance,
        name=clean_name(name),
        scopes=clean_scopes(scopes),
        created_at=at,
        expires_at=clean_end(expires_at, at=at),
    )
    with transaction.atomic(), acting(actor, "issued"):
        return _insert(new)


def issue_first(*, instance: Instance, actor: str) -> IssuedKey | None:
    """A key for everything, unless the instance has or had a key; however often it is called.

    None where there was one, also if nobody kept its text: `rotate` gives another.
    """
    if ApiKey.objects.of_instance(instance.pk).exists():
        return None
    with translation.override(settings.LANGUAGE_CODE):
        name = str(FIRST_NAME)  # Staff's, also where a command in English issues it.
    new = ApiKey(
        id=uuid5(instance.pk, _FIRST),
        instance=instance,
        name=name,
        scopes=clean_scopes(ApiScope.values),
        created_at=timezone.now(),
    )
    try:
        with transaction.atomic(), acting(actor, "first key"):
            return _insert(new)
    except IntegrityError as error:
        if _constraint(error) != "api_keys_pkey":
            raise
        return None  # another run was faster


def clean_scopes(scopes: Collection[str]) -> list[str]:
    """The scopes, each once and in the order of ApiScope.

    Raises ValidationError for none, and for one that isn't there.
    """
    unknown = sorted(set(scopes) - set(ApiScope.values))
    if unknown:
        raise ValidationError(
            {"scopes": _("There is no scope “%(scope)s”.") % {"scope": unknown[0]}}
        )
    if not scopes:
        raise ValidationError({"scopes": _("A key needs at least one scope.")})
    return [scope for scope in ApiScope.values if scope in scopes]


def clean_name(name: str) -> str:
    """The name without blanks around it. Raises ValidationError."""
    name = name.strip()
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise ValidationError({"name": _("A name has 1 to 100 characters, on one line.")})
    return name


def clean_end(expires_at: datetime | None, *, at: datetime) -> datetime | None:
    """The end of a key, which may be none. Raises ValidationError for one that isn't to come."""
    if expires_at is not None and expires_at <= at:
        raise ValidationError({"expires_at": _("The end of a key is still to come.")})
    return expires_at


# --- Recognizing --------------------------------------------------------------------------------


def authenticate(
    secret_text: str,
    *,
    at: datetime | None = None,
    scope: ApiScope | None = None,
    allow_suspended: bool = False,
) -> ApiKey:
    """The key that somebody sent, with its instance, in one query.

    Also notes the use, at most once a minute, and never waits for a locked row. Raises a
    NotAuthenticated: MalformedKey, UnknownKey, RevokedKey, ExpiredKey; or a NotAllowed:
    InstanceDeleted, InstanceSuspended (unless allowed), MissingScope.
    """
    at = at or timezone.now()
    sent = KeyText.read(secret_text)
    if sent is None:
        raise MalformedKey
    key = ApiKey.objects.select_related("instance").filter(prefix=sent.prefix).first()
    # Compared also where there is no such prefix, and in a time that tells nothing of the digest.
    stored = _NOBODYS_DIGEST if key is None else key.secret_hash
    if not hmac.compare_digest(stored, _digest(sent.secret)) or key is None:
        raise UnknownKey
    _check_state(key, at=at)
    _check_instance(key.instance, allow_suspended=allow_suspended)
    if scope is not None and scope not in key.scopes:
        raise MissingScope(scope)
    _note_use(key, at=at)
    return key


# --- Rotating and revoking ----------------------------------------------------------------------


def rotate(
    *,
    key: ApiKey,
    actor: str,
    overlap: timedelta = OVERLAP,
    expires_at: datetime | None = None,
    at: datetime | None = None,
) -> IssuedKey:
    """A key in place of another, which goes on for `overlap` and then expires.

    The new one has the name, the scopes and, unless `expires_at` says otherwise, the end of the
    old one. Raises RevokedKey, ExpiredKey, AlreadyRotated, TwoLiveKeys where the old one's own
    predecessor is still live, and ValidationError for an overlap below 0 or over 90 days and for an
    end that isn't to come. Of two rotations at once one wins: the database refuses a second key in
    the same place, and a third live one.
    """
    at = at or timezone.now()
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise ValidationError({"overlap": _("An overlap is between 0 and 90 days.")})
    new = ApiKey(
        instance=key.instance,
        name=key.name,
        scopes=key.scopes,
        created_at=at,
        expires_at=clean_end(expires_at, at=at) or key.expires_at,
        replaces=key,
    )
    try:
        with transaction.atomic(), acting(actor, "rotated"):
            _end(key, at=at, by=at + overlap)
            issued = _insert(new)
    except IntegrityError as error:
        if _constraint(error) not in {"api_keys_replaces_key", "api_keys_two_live"}:
            raise
        taken = ApiKey.objects.filter(replaces=key).exists()
        raise (AlreadyRotated if taken else TwoLiveKeys) from error
    key.refresh_from_db(fields=["expires_at"])
    return issued


def revoke(*, key: ApiKey, actor: str, reason: str = "", at: datetime | None = None) -> bool:
    """Ends a key at once and for good; returns whether it was this call that did.

    Raises ValidationError for a reason of more than 500 characters.
    """
    if len(reason) > REASON_LENGTH or "\x00" in reason:
        raise ValidationError({"reason": _("A reason has at most 500 characters.")})
    with transaction.atomic(), acting(actor, reason):
        revoked = ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(
            revoked_at=at or timezone.now(), revoked_by=actor, revoked_reason=reason
        )
    key.refresh_from_db(fields=["revoked_at", "revoked_by", "revoked_reason"])
    return bool(revoked)


# --- Parts --------------------------------------------------------------------------------------


def _insert(new: ApiKey) -> IssuedKey:
    text = KeyText.random()
    new.prefix = text.prefix
    new.secret_hash = _digest(text.secret)
    # Of its own, so that what the database refuses leaves the caller's transaction whole.
    with transaction.atomic():
        new.save(force_insert=True)
    return IssuedKey(new, text.write())


def _digest(secret: str) -> str:
    """A plain, fast hash is right here: nobody guesses 256 random bits, however fast they try.

    A slow one would be for passwords, and would cost every request its time.
    """
    return sha256(secret.encode("ascii")).hexdigest()


def _check_state(key: ApiKey, *, at: datetime) -> None:
    state = key.state(at=at)
    if state == ApiKeyState.REVOKED:
        raise RevokedKey
    if state == ApiKeyState.EXPIRED:
        raise ExpiredKey


def _check_instance(instance: Instance, *, allow_suspended: bool) -> None:
    if instance.is_gone:
        raise InstanceDeleted
    if instance.status == InstanceStatus.SUSPENDED and not allow_suspended:
        raise InstanceSuspended


def _note_use(key: ApiKey, *, at: datetime) -> None:
    """Writes the last use, unless that was done within a minute or somebody has the row locked."""
    if key.last_used_at is not None and key.last_used_at > at - USE_PRECISION:
        return
    due = Q(last_used_at__isnull=True) | Q(last_used_at__lte=at - USE_PRECISION)
    free = ApiKey.objects.filter(due, pk=key.pk, revoked_at__isnull=True).select_for_update(
        skip_locked=True, no_key=True
    )
    with transaction.atomic():
        if ApiKey.objects.filter(pk__in=free.values("pk")).update(last_used_at=at):
            key.last_used_at = at


def _end(key: ApiKey, *, at: datetime, by: datetime) -> None:
    """Lets a live key expire at a moment, if it doesn't do so earlier."""
    # PostgreSQL's LEAST passes over NULL, an end that never comes.
    ended = (
        ApiKey.objects.live(at=at)
        .filter(pk=key.pk)
        .update(expires_at=Least("expires_at", Value(by)))
    )
    if not ended:
        now = ApiKey.objects.get(pk=key.pk)
        if now.revoked_at is None and now.replaced_by.exists():
            raise AlreadyRotated
        _check_state(now, at=at)
        raise UnknownKey


def _constraint(error: IntegrityError) -> str:
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None) or ""
