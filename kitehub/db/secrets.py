"""Columns that are encrypted at rest: the keys, the value in Python, the field, its errors."""

import hmac
import re
from collections.abc import Sequence
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured, ValidationError
from django.db import models
from django.db.models import lookups
from django.db.models.expressions import Combinable
from django.db.models.query_utils import DeferredAttribute
from django.utils.translation import gettext_lazy as _

MASK = "********"
# Version 0x80 and a moment before the year 4147, then at least one block and the signature.
_TOKEN = re.compile(r"gAAAAA[A-Za-z0-9_-]{92,}={0,2}")
_KEY = re.compile(r"[A-Za-z0-9_+/-]{43}=")


class UnreadableSecret(Exception):
    """A stored value that can't be decrypted; says where it is and why, and nothing of it."""

    def __init__(self, place: str, *, is_token: bool) -> None:
        why = (
            "none of the keys in KITEHUB_FIELD_KEYS decrypts it, or it is damaged"
            if is_token
            else "it is not encrypted"
        )
        super().__init__(f"{place} can't be read: {why}.")
        self.place = place


class SecretTooLong(ValueError):
    """A text whose token doesn't fit into its column."""


class KeyState(Enum):
    """Which key a stored value needs."""

    EMPTY = "empty"
    NEWEST = "newest"
    OLDER = "older"
    UNREADABLE = "unreadable"


# --- Keys ---------------------------------------------------------------------------------------


def is_key(text: str) -> bool:
    """Whether `text` is a Fernet key: 32 bytes in base64, and nothing else.

    Fernet itself reads two keys that a blank or a semicolon keeps apart as the first of them.
    """
    return _KEY.fullmatch(text) is not None


class Keyring:
    """The keys of KITEHUB_FIELD_KEYS: the first encrypts, each decrypts."""

    def __init__(self, keys: Sequence[str]) -> None:
        for number, key in enumerate(keys, start=1):
            if not is_key(key):
                raise ImproperlyConfigured(
                    f"KITEHUB_FIELD_KEYS: key {number} of {len(keys)} is not a Fernet key."
                )
        if not keys:
            raise ImproperlyConfigured("KITEHUB_FIELD_KEYS holds no key.")
        self._newest = Fernet(keys[0])
        self._all = MultiFernet([Fernet(key) for key in keys])

    def seal(self, text: str) -> str:
        """A token of the text under the newest key; another one each time."""
        return self._newest.encrypt(text.encode()).decode("ascii")

    def open(self, token: str) -> str | None:
        """The text, or None where no key fits or the token was changed."""
        return _open(self._all, token)

    def renew(self, token: str) -> str:
        """The same text under the newest key; the token must be one that `open` reads."""
        return self._all.rotate(token).decode("ascii")

    def state(self, token: str) -> KeyState:
        """Which key the token needs."""
        if not token:
            return KeyState.EMPTY
        if _open(self._newest, token) is not None:
            return KeyState.NEWEST
        return KeyState.UNREADABLE if self.open(token) is None else KeyState.OLDER


def _open(keys: Fernet | MultiFernet, token: str) -> str | None:
    try:
        return keys.decrypt(token).decode()
    except (InvalidToken, ValueError):
        return None


def keyring() -> Keyring:
    """The keys that the settings hold now.

    Raises ImproperlyConfigured, with the number of the key, where one isn't a Fernet key.
    """
    return _keyring(tuple(settings.KITEHUB_FIELD_KEYS))


_keyring = lru_cache(maxsize=4)(Keyring)


def looks_like_token(text: str) -> bool:
    """Whether `text` has the shape of a token, under whatever key. No password is typed so."""
    return len(text) % 4 == 0 and _TOKEN.fullmatch(text) is not None


def longest_that_fits(column: int) -> int:
    """How many bytes of UTF-8 have a token of at most `column` characters (127 for 255).

    A token is base64 over 57 bytes of frame and the text, padded by 1 to 16 bytes to whole blocks.
    """
    blocks = (column // 4 * 3 - 57) // 16
    return blocks * 16 - 1


# --- The value ----------------------------------------------------------------------------------


class Secret:
    """A text that is only ever held encrypted; `reveal()` decrypts it, all else shows a mask.

    An empty one is false and nothing is encrypted. Secrets are equal if their texts are, and not if
    one can't be read; a secret never equals a plain text. Copied or pickled, it stays
    encrypted.

    Raises TypeError for what is not text and ValueError for text that UTF-8 can't write.
    """

    __slots__ = ("_place", "_token")

    def __init__(self, text: str) -> None:
        fault = _fault(text)
        if fault is not None:
            del text  # an error report shows what a function still holds
            raise fault
        self._token = keyring().seal(text) if text else ""
        self._place = "A secret"

    @classmethod
    def stored(cls, token: str, place: str) -> "Secret":
        """What a column holds; `place` says which, for errors."""
        secret = cls.__new__(cls)
        secret._token = token
        secret._place = place
        return secret

    def reveal(self) -> str:
        """The text. Raises UnreadableSecret where no key decrypts it."""
        if not self._token:
            return ""
        text = keyring().open(self._token)
        if text is None:
            raise self._unreadable()
        return text

    # Templates call what they can, and take this mark for a reason not to.
    reveal.alters_data = True  # type: ignore[attr-defined]

    def _unreadable(self) -> UnreadableSecret:
        return UnreadableSecret(self._place, is_token=looks_like_token(self._token))

    @property
    def state(self) -> KeyState:
        """Which key it needs."""
        return keyring().state(self._token)

    def at(self, place: str) -> "Secret":
        """The same secret, found at `place`."""
        return Secret.stored(self._token, place)

    def __bool__(self) -> bool:
        return bool(self._token)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        if self._token == other._token:
            return True
        ours, theirs = (keyring().open(secret._token) for secret in (self, other))
        if not self or not other or ours is None or theirs is None:
            return False
        return hmac.compare_digest(ours.encode(), theirs.encode())

    def __hash__(self) -> int:
        # Equal texts have different tokens, and a hash of the text would tell something of it.
        return hash(Secret)

    def __str__(self) -> str:
        return MASK if self._token else ""

    def __repr__(self) -> str:
        return f"Secret({str(self)!r})"


def _fault(text: object) -> Exception | None:
    """Why this can't be a secret, in words that don't hold it."""
    if not isinstance(text, str):
        return TypeError(f"A secret is text, not {type(text).__name__}.")
    try:
        text.encode()
    except UnicodeEncodeError:
        return ValueError("A secret must be text that UTF-8 can write.")
    return None


# --- The field ----------------------------------------------------------------------------------

if TYPE_CHECKING:
    _Field = models.Field[str | Secret | Combinable, Secret]
else:
    _Field = models.Field


class _Attribute(DeferredAttribute):
    """Keeps a Secret in the row's object, whoever assigns what."""

    field: "EncryptedField"

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if instance is None or not isinstance(value, Secret):
            return value
        return value.at(f"{self.field.place} of {instance.pk}")

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = _secret(value)


class EncryptedField(_Field):
    """A VARCHAR of Fernet tokens, read as Secret and written from Secret or str.

    `max_length` is the column's, so the text may have `longest_that_fits(max_length)` bytes: more
    is a ValidationError in full_clean() and SecretTooLong in a write. The empty text stays empty.

    Rows can be listed and saved without the key: only `reveal()` raises UnreadableSecret, and
    save() leaves a value alone that it can't read. Every write goes under the newest key. No form
    takes the field, and filters are refused but for `isnull` and the empty text.
    """

    description = _("Encrypted text")
    descriptor_class = _Attribute

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)

    @property
    def place(self) -> str:
        """Names the column in errors."""
        model = getattr(self, "model", None)
        return f"{model._meta.label}.{self.name}" if model else "An encrypted value"

    @property
    def longest(self) -> int:
        """How many bytes of UTF-8 a text may have."""
        return longest_that_fits(self.max_length or 0)

    def deconstruct(self) -> Any:
        """Leaves `editable` out, which is always False."""
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("editable", None)
        return name, path, args, kwargs

    def get_internal_type(self) -> str:
        """The column is a CharField's."""
        return "CharField"

    # --- From outside and back

    def to_python(self, value: Any) -> Any:
        """A Secret. Of a fixture, a token is what dumpdata wrote and anything else plain text."""
        if isinstance(value, str) and looks_like_token(value):
            return Secret.stored(value, self.place)
        return _secret(value)

    def validate(self, value: Any, model_instance: Any) -> None:
        """Raises ValidationError for a text that is too long for the column."""
        super().validate(value, model_instance)
        if isinstance(value, Secret) and len(value._token) > (self.max_length or 0):
            raise ValidationError(
                _("Takes at most %(limit)d bytes; a letter with marks has two or three."),
                code="max_length",
                params={"limit": self.longest},
            )

    def value_to_string(self, obj: Any) -> str:
        """The token, for dumpdata. Raises UnreadableSecret for a row that holds plain text."""
        secret = self.value_from_object(obj)
        if secret and not looks_like_token(secret._token):
            raise UnreadableSecret(secret._place, is_token=False)
        return secret._token if secret else ""

    # --- To the database and back

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """What the column holds, as a Secret."""
        return None if value is None else Secret.stored(value, self.place)

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        """The secret; on an update of a row whose value can't be read, the column as it is."""
        value = super().pre_save(model_instance, add)
        if isinstance(value, Secret):
            leave = not add and value.state is KeyState.UNREADABLE
            return models.F(self.attname) if leave else value
        if add and hasattr(value, "resolve_expression"):
            raise _NotSecret(self)
        return value

    def get_prep_value(self, value: Any) -> Any:
        """The token under the newest key.

        Raises UnreadableSecret where no key decrypts the value, and SecretTooLong.
        """
        value = super().get_prep_value(value)
        if value is None or hasattr(value, "resolve_expression"):
            return value
        secret = _secret(value)
        del value
        state = secret.state
        if state is KeyState.UNREADABLE:
            raise secret._unreadable()
        token = keyring().renew(secret._token) if state is KeyState.OLDER else secret._token
        if len(token) > (self.max_length or 0):
            raise SecretTooLong(f"{self.place} takes at most {self.longest} bytes of UTF-8.")
        return token

    def get_placeholder(self, value: Any, compiler: Any, connection: Any) -> str:
        """A plain one. Raises FieldError for an expression that isn't of encrypted columns."""
        if hasattr(value, "as_sql") and not isinstance(value.output_field, EncryptedField):
            raise _NotSecret(self)
        return "%s"

    # --- Filters

    def get_lookup(self, lookup_name: str) -> Any:
        """`isnull`, and `exact` for the empty text; FieldError for all that compares tokens."""
        if lookup_name == "isnull":
            return lookups.IsNull
        if lookup_name == "exact":
            return _IsEmpty
        raise _NotFilterable(self)

    def get_transform(self, lookup_name: str) -> Any:
        """None: a token has no parts."""
        raise _NotFilterable(self)


def _secret(value: Any) -> Any:
    """A Secret of plain text; None, expressions and Secrets as they are."""
    if value is None or isinstance(value, Secret) or hasattr(value, "resolve_expression"):
        return value
    return Secret(value)


class _IsEmpty(lookups.Exact):
    """Equality with the empty text."""

    def __init__(self, lhs: Any, rhs: Any) -> None:
        if isinstance(rhs, Secret) and not rhs:
            rhs = ""
        if not (rhs is None or (isinstance(rhs, str) and not rhs)):
            del rhs
            raise _NotFilterable(lhs.output_field)
        super().__init__(lhs, rhs)


class _NotFilterable(FieldError):
    """A filter on what the database can't read."""

    def __init__(self, field: EncryptedField) -> None:
        super().__init__(
            f"{field.place} is encrypted: filter it by isnull or by the empty text only."
        )


class _NotSecret(FieldError):
    """An expression whose result the database would have to encrypt."""

    def __init__(self, field: EncryptedField) -> None:
        super().__init__(
            f"{field.place} is encrypted: write a text, a Secret, or another encrypted column."
        )
