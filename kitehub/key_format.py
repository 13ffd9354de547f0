"""How an API key is written: `kh_live_<prefix>_<secret><checksum>`.

The prefix names the key in lists and logs. The secret is 256 random bits, the checksum a CRC-32 of
all that is before it: a key that was cut off or mistyped is told from one that nobody has issued,
without asking the database, and scanners for leaked secrets find few false ones.
"""

import re
import secrets
from dataclasses import dataclass, field
from typing import Self
from zlib import crc32

MARK = "kh_live_"
PREFIX_LENGTH = 10
_SECRET_BYTES = 32

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PREFIX_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_SECRET_LENGTH = 43  # 62 ** 43 > 2 ** 256
_CHECKSUM_LENGTH = 6  # 62 ** 6 > 2 ** 32
# What a scanner looks for; docs/api.md quotes it.
PATTERN = r"kh_live_[0-9a-z]{10}_[0-9A-Za-z]{49}"
_KEY = re.compile(PATTERN, re.ASCII)
_PREFIX = re.compile(rf"(?:{MARK})?([0-9a-z]{{10}})", re.ASCII)


@dataclass(frozen=True, slots=True)
class KeyText:
    """The parts of a key. Only `write()` tells the secret."""

    prefix: str
    secret: str = field(repr=False)

    @classmethod
    def random(cls) -> Self:
        """A new key."""
        prefix = "".join(secrets.choice(_PREFIX_DIGITS) for _ in range(PREFIX_LENGTH))
        number = int.from_bytes(secrets.token_bytes(_SECRET_BYTES))
        return cls(prefix, _base62(number, _SECRET_LENGTH))

    @classmethod
    def read(cls, secret_text: str) -> Self | None:
        """The parts of what somebody sent, or None where it isn't a key or has a typo."""
        if not _KEY.fullmatch(secret_text):
            return None
        body, checksum = secret_text[:-_CHECKSUM_LENGTH], secret_text[-_CHECKSUM_LENGTH:]
        if _checksum(body) != checksum:
            return None
        prefix, _, secret = body.removeprefix(MARK).partition("_")
        return cls(prefix, secret)

    def write(self) -> str:
        """The key as its holder keeps it."""
        body = f"{MARK}{self.prefix}_{self.secret}"
        return body + _checksum(body)


def read_prefix(text: str) -> str | None:
    """The prefix that somebody names: bare, with the mark before it, or in a whole key."""
    text = text.strip()
    if _KEY.fullmatch(text):
        text = text[: len(MARK) + PREFIX_LENGTH]
    found = _PREFIX.fullmatch(text)
    return found[1] if found else None


def _checksum(body: str) -> str:
    return _base62(crc32(body.encode("ascii")), _CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
