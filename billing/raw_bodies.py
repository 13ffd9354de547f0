"""What a bank's message says to people who look: without secrets, and others' accounts in part.

Nothing here is needed to understand a payment. What is hidden is hidden by its name, by its look,
and where it is one of our own secrets by its value, so that one of the three may fail.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

HIDDEN = "•••"
# Of an account number that is hidden in part.
_LEFT = 4
# In characters: what is read of a message, and what is shown.
MOST_READ = 200_000
MOST_SHOWN = 20_000
# A shorter secret would hide half of what it is in; nobody has one.
_SHORTEST_SECRET = 4

_NAMES = (
    "password|passwd|passcode|pwd|secret|token|api[-_]?key|signature|checksum|authorization|cookie"
    "|credential|private[-_]?key|signing[-_]?key|access[-_]?key"
)
_SECRET_NAME = re.compile(_NAMES, re.IGNORECASE)
_SECRET_WORDS = {"sign", "sig", "otp", "pin", "cvv", "key", "hash", "mac", "hmac", "jwt"}
_ACCOUNT_NAME = re.compile(r"acc(?:ount|_id|id|no)?|stk|taikhoan|tai_khoan", re.IGNORECASE)
_NAMED = re.compile(
    rf"((?:{_NAMES})\w{{0,30}}[\"']?\s{{0,5}}[:=]\s{{0,5}}[\"']?(?:(?:bearer|apikey|basic)\s+)?)[^\"'&,;\s}}]+",
    re.IGNORECASE,
)
_LOOKS = (
    # A signed token, a scheme with its key, a digest in hexadecimal, one in base 64.
    re.compile(r"\beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?"),
    re.compile(r"(?<=\bbearer )\S+|(?<=\bapikey )\S+|(?<=\bbasic )\S+", re.IGNORECASE),
    re.compile(r"\b[0-9a-f]{32,}\b", re.IGNORECASE),
    re.compile(r"(?<![\w+/])(?=[\w+/-]*[0-9])(?=[\w+/-]*[A-Z])(?=[\w+/-]*[a-z])[\w+/-]{40,}={0,2}"),
    re.compile(r"\bkh_[\w-]{8,}"),
)
# "tk 0123456789", "STK: 0123…", "tai khoan 0123…"
_ACCOUNT_SAID = re.compile(
    r"((?:\bs?tk|\btai khoan|\btài khoản|\baccount)[\s:.#]{1,3})([0-9]{6,19})\b", re.IGNORECASE
)
_DIGITS = re.compile(r"[0-9]{6,19}")


def masked(text: str, *, secrets: Iterable[str] = (), own: str = "", others: str = "") -> str:
    """A message as staff may read it: JSON indented, anything else as it came, secrets hidden.

    `secrets` are hidden wherever they stand; `own` is our account, which stays whole, `others` one
    that is cut wherever it stands. At most `MOST_SHOWN` characters; a longer one ends in `…`.
    """
    cut = len(text) > MOST_READ
    text = text[:MOST_READ]
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        shown = _text(text, own)
    else:
        shown = _dumped(told, own) or _text(text, own)
    for secret in sorted(set(secrets), key=len, reverse=True):
        for spelled in _spellings(secret) if len(secret) >= _SHORTEST_SECRET else ():
            shown = shown.replace(spelled, HIDDEN)
    if len(others) > _LEFT and others != own:
        shown = shown.replace(others, _in_part(others))
    if len(shown) > MOST_SHOWN or cut:
        shown = f"{shown[:MOST_SHOWN]}…"
    return shown


def _spellings(secret: str) -> set[str]:
    """A secret as it is, and as JSON writes it."""
    return {secret, *(json.dumps(secret, ensure_ascii=ascii)[1:-1] for ascii in (True, False))}


def _dumped(told: Any, own: str) -> str:
    try:
        return json.dumps(_value(told, own), ensure_ascii=False, indent=2)
    except RecursionError:
        return ""


def _value(told: Any, own: str, name: str = "") -> Any:
    if told is None or isinstance(told, bool):
        return told
    if _is_secret(name):
        return HIDDEN
    if isinstance(told, dict):
        return {key: _value(value, own, key) for key, value in told.items()}
    if isinstance(told, list):
        return [_value(each, own, name) for each in told]
    if _ACCOUNT_NAME.search(name) and str(told) != own and _DIGITS.fullmatch(str(told)):
        return _in_part(str(told))
    return _text(told, own) if isinstance(told, str) else told


def _is_secret(name: str) -> bool:
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)
    return bool(_SECRET_NAME.search(name)) or any(word.lower() in _SECRET_WORDS for word in words)


def _text(text: str, own: str) -> str:
    text = _NAMED.sub(rf"\g<1>{HIDDEN}", text)
    for look in _LOOKS:
        text = look.sub(HIDDEN, text)
    return _ACCOUNT_SAID.sub(
        lambda found: found[0] if found[2] == own else found[1] + _in_part(found[2]), text
    )


def _in_part(account: str) -> str:
    return HIDDEN + account[-_LEFT:]
