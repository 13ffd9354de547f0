"""What a bank's message says to people who look: without secrets, and others' accounts in part.

An account is known by its name, by the word before it, or as the payer's. Any other number stands:
in a memo nobody can tell an account from a reference of the bank, which explains the payment.

Nothing here is needed to understand a payment. What is hidden is hidden by its name, by its look,
and where it is one of our own secrets by its value, so that one of the three may fail. A message is
read as JSON, as XML or as a form, also where one is written into another, and else as text.
"""

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_plus
from xml.etree.ElementTree import Element

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring, tostring

from billing.secret_text import HIDDEN, OwnSecrets, is_secret, without_secrets

# Of an account number that is hidden in part.
_LEFT = 4
# In characters: what is read of a message, and what is shown.
MOST_READ = 200_000
MOST_SHOWN = 20_000
# Messages in messages: what is written deeper is not shown.
_DEEPEST = 4

_ACCOUNT_NAME = re.compile(r"acc(?:ount|_id|id|no)?|stk|taikhoan|tai_khoan", re.IGNORECASE)
# In something that is an account: `{"from_account": {"number": …}}`.
_NUMBER_NAME = re.compile(r"number|num|no|nr|id|value|so", re.IGNORECASE)
# "tk 0123456789", "STK: 0123…", "tai khoan 0123…"
_ACCOUNT_SAID = re.compile(
    r"((?:\bs?tk|\btai khoan|\btài khoản|\baccount)[\s:.#]{1,3})([0-9]{6,19})\b", re.IGNORECASE
)
_DIGITS = re.compile(r"[0-9]{6,19}")
_FORM_NAME = re.compile(r"[\w.%\[\]+-]+")
# A field of these has a secret's name; then the fields of those have the secret.
_NAMES = {"name", "key", "field", "param", "parameter", "header", "k", "n"}
_LONGEST_NAME = 60
_VALUES = {"value", "values", "val", "v", "content", "data", "text"}


def masked(text: str, *, secrets: Iterable[str] = (), own: str = "", others: str = "") -> str:
    """A message as staff may read it: JSON indented, anything else as it came, secrets hidden.

    `secrets` are hidden wherever they stand and however they are escaped; `own` is our account,
    which stays whole, `others` one that is cut wherever it stands. At most `MOST_SHOWN` characters;
    a longer one ends in `…`.
    """
    cut = len(text) > MOST_READ
    text = text[:MOST_READ].lstrip("\ufeff")
    known = OwnSecrets(secrets)
    shown = known.hidden_in(_Reader(own).message(known.hidden_in(text)))
    if len(others) > _LEFT and others != own:
        shown = shown.replace(others, _in_part(others))
    if len(shown) > MOST_SHOWN or cut:
        shown = f"{shown[:MOST_SHOWN]}…"
    # Half a surrogate may stand escaped in a message, and no page can be written with one.
    return shown.encode("utf-8", "replace").decode()


class _Reader:
    """Reads one message, with all that is written into it."""

    def __init__(self, own: str) -> None:
        self.own = own
        self.depth = 0

    def message(self, text: str) -> str:
        """Indented, where it is JSON."""
        try:
            return self._json(text, indent=2) or self._text(text)
        except RecursionError:
            return self._plain(text)

    def value(self, told: Any, name: str = "") -> Any:
        """One value of JSON, under its name."""
        if told is None or isinstance(told, bool):
            return told
        if is_secret(name):
            return HIDDEN
        if isinstance(told, dict):
            return self._object(told, name)
        if isinstance(told, list):
            if len(told) == 2 and isinstance(told[0], str) and is_secret(told[0]):
                return [self._text(told[0]), HIDDEN]
            return [self.value(each, name) for each in told]
        if _ACCOUNT_NAME.search(name) and str(told) != self.own and _DIGITS.fullmatch(str(told)):
            return _in_part(str(told))
        return self._text(told) if isinstance(told, str) else told

    def _object(self, told: dict[str, Any], within: str) -> dict[str, Any]:
        pair = _names_a_secret(told.items())
        shown: dict[str, Any] = {}
        for key, value in told.items():
            name = self._plain(key)
            if name in shown:
                name = f"{name} {len(shown)}"
            hidden = pair and key.lower() in _VALUES
            shown[name] = HIDDEN if hidden else self.value(value, _name_in(within, key))
        return shown

    def _text(self, text: str) -> str:
        """A text, which may be a message itself."""
        if self.depth == _DEEPEST:
            return HIDDEN if text.lstrip().startswith(("{", "[", '"', "<")) else self._plain(text)
        self.depth += 1
        try:
            return self._json(text) or self._xml(text) or self._form(text) or self._plain(text)
        finally:
            self.depth -= 1

    def _json(self, text: str, indent: int | None = None) -> str:
        if not text.lstrip().startswith(("{", "[", '"')):
            return ""
        try:
            told = json.loads(text)
        except ValueError:
            return ""
        shown = self.value(told)
        if shown == told and not indent:
            return ""
        return json.dumps(shown, ensure_ascii=False, indent=indent)

    def _xml(self, text: str) -> str:
        if not text.lstrip().startswith("<"):
            return ""
        try:
            root = fromstring(text.strip(), forbid_dtd=True)
        except (ParseError, DefusedXmlException, ValueError):
            return ""
        before = tostring(root)
        self._element(root)
        return "" if tostring(root) == before else str(tostring(root, encoding="unicode"))

    def _element(self, element: Element, hidden: bool = False, within: str = "") -> None:
        name = _name_in(within, _local(element))
        hidden = hidden or is_secret(name) or _names_a_secret(element.attrib.items())
        pair = _names_a_secret((_local(each), each.text) for each in element)
        for key, value in element.attrib.items():
            gone = hidden and _last(key).lower() not in _NAMES
            element.set(key, HIDDEN if gone else str(self.value(value, _name_in(name, _last(key)))))
        if element.text and element.text.strip():
            element.text = HIDDEN if hidden else str(self.value(element.text, name))
        for each in element:
            secret = hidden or (pair and _local(each).lower() in _VALUES)
            self._element(each, secret, within=name)
            if each.tail and each.tail.strip():
                each.tail = HIDDEN if hidden else self._text(each.tail)

    def _form(self, text: str) -> str:
        parts = [part.partition("=") for part in text.split("&")]
        if not all(equals and _FORM_NAME.fullmatch(name.strip()) for name, equals, _ in parts):
            return ""
        shown = []
        for name, equals, value in parts:
            plain = unquote_plus(value)
            read = str(self.value(plain, unquote_plus(name.strip())))
            shown.append(f"{self._plain(name)}{equals}{value if read == plain else read}")
        return "&".join(shown)

    def _plain(self, text: str) -> str:
        return _ACCOUNT_SAID.sub(
            lambda said: said[0] if said[2] == self.own else said[1] + _in_part(said[2]),
            without_secrets(text),
        )


def _names_a_secret(fields: Iterable[tuple[str, Any]]) -> bool:
    """Whether one field says that another is a secret: `{"name": "token", "value": …}`."""
    return any(
        _last(key).lower() in _NAMES
        and isinstance(value, str)
        and len(value) <= _LONGEST_NAME
        and is_secret(value)
        for key, value in fields
    )


def _name_in(within: str, name: str) -> str:
    """A name, with that of the account whose number it is."""
    number = _ACCOUNT_NAME.search(within) and _NUMBER_NAME.fullmatch(name)
    return f"{within} {name}" if number else name


def _local(element: Element) -> str:
    return _last(str(element.tag))


def _last(name: str) -> str:
    return name.rpartition("}")[2]


def _in_part(account: str) -> str:
    return HIDDEN + account[-_LEFT:]
