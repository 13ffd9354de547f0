"""Secrets in text: found by the name before them, by their look, and by their value.

Whoever reads a message in parts asks `is_secret` of each name; what is no part of anything is read
by `without_secrets`. Both know the same names.
"""

import base64
import html
import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import unquote

HIDDEN = "•••"
# A shorter secret would hide half of what it is in; nobody has one.
_SHORTEST_SECRET = 4
# How deep a text is escaped that is read.
_ESCAPED = 3

# Anywhere in a name, whatever stands between its words; and as words of their own.
_PART = re.compile(
    "password|passwd|passcode|passphrase|passkey|pwd|secret|token|apikey|signature|checksum"
    "|authorization|cookie|credential|privatekey|signingkey|accesskey|bearer|sessionid|sessid"
    "|matkhau|maxacthuc|chukyso"
)
_SECRET_WORD = re.compile(
    "sign|sig|otp|pin|cvv|cvc|keys?|hash|h?mac|jwt|pass|pw|auth|session|sid|salt", re.IGNORECASE
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
# Those of the names above that people write as two words.
_NAME = (
    r"(?:(?:m\S{1,3}t[ ]kh|api[ ]k|pass[ ](?:ph|c|k)|secret[ ]k|private[ ]k|access[ ]k)[^\W_]+"
    r"|[\w-]++)"
)
_NAMED = re.compile(
    rf"(?<![\w-])(?P<name>{_NAME})\\{{0,8}}[\"']?"
    r"(?:\s{0,5}(?:=>|[:=])\s{0,5}|\s{1,5}(?:là|la|is)\s{1,5})",
    re.IGNORECASE,
)
_VALUE = re.compile(
    r"""(?P<quote>\\{0,8}["'])(?s:.*?)(?:(?<!\\)(?P=quote)|\Z)"""
    # Where a list or an object ends only a parser knows, and there is none for this.
    r"|[\[{](?s:.*)"
    r"|(?:(?:bearer|apikey|basic|digest)\s+)?"
    r"(?:[^\"'&,;\s}<\\]|\\(?![\"'])|[,;](?!\s|[\w-]++\\{0,8}[\"']?\s{0,5}[:=]))++",
    re.IGNORECASE,
)
# "ma OTP cua ban la 123456", "OTP 123456", "mã xác thực giao dịch: 123456"
_CODE_SAID = re.compile(
    r"(\b(?:otp|m[aã] x[aá]c (?:th[uự]c|nh[aậ]n)|verification code)\b[^0-9]{0,40}?\b)[0-9]{4,8}\b",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"(\b(?:proxy-)?authorization|\b(?:set-)?cookie)(\s{0,5}:\s{0,5})(?![\s\"'])[^\r\n]+",
    re.IGNORECASE,
)
_TAG = re.compile(r"<(?P<name>[\w:.-]++)[^<>]*+(?<!/)>")
_IN_ADDRESS = re.compile(r"(?<=://)[^\s/?#\"'<>]{1,300}@")
_LOOKS = (
    # A signed token, a scheme with its key, a digest in hexadecimal, one in base 64, one of ours.
    # Each is found in one pass: where one begins nothing before it could have begun, or its part
    # has an end.
    re.compile(r"\beyJ[\w-]{5,4000}+\.[\w-]{5,}(?:\.[\w-]*)?"),
    re.compile(r"(?<=\bbearer )\S+|(?<=\bapikey )\S+|(?<=\bbasic )\S+", re.IGNORECASE),
    re.compile(r"\b[0-9a-f]{32,}\b", re.IGNORECASE),
    re.compile(
        r"(?<![\w+/-])(?=[\w+/-]*[0-9])(?=[\w+/-]*[A-Z])(?=[\w+/-]*[a-z])[\w+/-]{40,}={0,2}"
    ),
    re.compile(r"\bkh_[\w-]{8,}"),
)
_UNIT = re.compile(r"\\{1,8}u([0-9a-f]{4})", re.IGNORECASE)
_BASE_64 = {"+": r"(?:[+-]|%2[Bb])", "/": r"(?:\\{0,8}/|_|%2[Ff])"}
# Only with its semicolon: `&section=` is no paragraph sign.
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|apos|#[0-9]{1,7}|#x[0-9a-f]{1,6});", re.IGNORECASE)


def is_secret(name: str) -> bool:
    """Whether what goes by this name is nobody's to read."""
    plain = _folded(name)
    if any(_SECRET_WORD.fullmatch(word) for word in _WORD.findall(plain)):
        return True
    together = re.sub(r"[\W_]", "", plain).lower()
    return bool(_PART.search(together))


def without_secrets(text: str) -> str:
    """A text without what its names and looks say is secret.

    It is shown as it came, and unescaped where only that shows what there is to hide.
    """
    shown = plain = _hide(text)
    for _ in range(_ESCAPED):
        plain = _unescaped(plain)
        hidden = _hide(plain)
        if hidden != plain:
            shown = plain = hidden
    return shown


class OwnSecrets:
    """Secrets that are known by their value: found however they are escaped, or in base 64."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Those of fewer than four characters are left out: they would hide all sorts of things."""
        known = {secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}
        # The longest first: another may be a part of it.
        spelled = [
            spelling
            for secret in sorted(known, key=len, reverse=True)
            for spelling in ("".join(_characters(secret)), *_in_base_64(secret))
        ]
        self._spelled = re.compile("|".join(spelled)) if spelled else None

    def hidden_in(self, text: str) -> str:
        """The text with a mark where one of them stands."""
        return self._spelled.sub(HIDDEN, text) if self._spelled else text


def _folded(name: str) -> str:
    apart = unicodedata.normalize("NFD", name.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _hide(text: str) -> str:
    text = _HEADER.sub(rf"\1\2{HIDDEN}", text)
    text = _hidden_elements(text)
    text = _hidden_values(text)
    text = _CODE_SAID.sub(rf"\1{HIDDEN}", text)
    text = _IN_ADDRESS.sub(f"{HIDDEN}@", text)
    for look in _LOOKS:
        text = look.sub(HIDDEN, text)
    return text


def _hidden_values(text: str) -> str:
    """Behind a name and `:` or `=`, up to where the value ends."""
    kept, at = [], 0
    for named in _NAMED.finditer(text):
        if named.start() < at or not is_secret(named["name"]):
            continue
        value = _VALUE.match(text, named.end())
        if value is None:
            continue
        quote = value["quote"] or ""
        kept += [text[at : named.end()], quote, HIDDEN, quote]
        at = value.end()
    return "".join([*kept, text[at:]])


def _hidden_elements(text: str) -> str:
    """Between a tag and its end, or the text's where it has none."""
    kept, at = [], 0
    for tag in _TAG.finditer(text):
        if tag.start() < at or not is_secret(tag["name"]):
            continue
        end = text.find(f"</{tag['name']}", tag.end())
        kept += [text[at : tag.end()], HIDDEN]
        at = len(text) if end < 0 else end
    return "".join([*kept, text[at:]])


def _unescaped(text: str) -> str:
    text = _UNIT.sub(lambda found: _character(found[1], found[0]), text)
    return unquote(_ENTITY.sub(lambda found: html.unescape(found[0]), text))


def _character(code: str, otherwise: str) -> str:
    """Halves of a pair stay as they are: no text can have one."""
    letter = chr(int(code, 16))
    return letter if letter.isprintable() else otherwise


def _characters(secret: str) -> Iterable[str]:
    """For each character whatever stands for it in JSON, in an address, a form and XML."""
    for letter in secret:
        ways = [rf"\\{{0,8}}{re.escape(letter)}"]
        units = letter.encode("utf-16-be")
        pairs = (units[at : at + 2].hex() for at in range(0, len(units), 2))
        ways.append("".join(rf"\\{{1,8}}u(?i:{pair})" for pair in pairs))
        ways.append("".join(f"(?i:%(?:25){{0,3}}{byte:02x})" for byte in letter.encode()))
        ways.append(f"(?i:&(?:amp;){{0,3}}#(?:0*{ord(letter)}|x0*{ord(letter):x});)")
        name = {"<": "lt", ">": "gt", "&": "amp", '"': "quot", "'": "apos"}.get(letter)
        if name:
            ways.append(f"(?i:&(?:amp;){{0,3}}{name};)")
        if letter == " ":
            ways.append(r"\+")
        yield f"(?:{'|'.join(ways)})"


def _in_base_64(secret: str) -> Iterable[str]:
    """As a part of something in base 64: what of it is the same whatever stands around it."""
    raw = secret.encode()
    for before in range(3):
        told = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        start = -(-before * 8 // 6)
        end = (before + len(raw)) * 8 // 6
        sure = told[start:end]
        if len(sure) >= _SHORTEST_SECRET:
            letters = "".join(_BASE_64.get(letter, letter) for letter in sure)
            # And the one behind, which has its last bits.
            yield rf"{letters}(?:[\w+/-]?={{0,2}})"
