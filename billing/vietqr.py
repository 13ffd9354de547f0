"""VietQR payloads: the text inside the QR code that a bank's app reads as a transfer.

Sources: NAPAS, *VietQR code format* 1.0 (09/2021), which narrows EMVCo, *QR Code Specification for
Payment Systems, Merchant-Presented Mode*. A payload is tags of two digits, lengths of two digits
and values; tags are nested in 38 (who is paid) and 62 (what for).

`decode` is strict, because what it lets through is shown to a payer as right. It knows no banks:
ask `billing.banks` whether a BIN is one.
"""

import re
from binascii import crc_hqx
from collections.abc import Iterator
from dataclasses import dataclass, field

# Of NAPAS, registered as an application provider (ISO/IEC 7816-5).
_NAPAS = "A000000727"
_TO_ACCOUNT, _TO_CARD = "QRIBFTTA", "QRIBFTTC"
_REUSABLE, _ONE_TIME = "11", "12"
_VND, _VIETNAM = "704", "VN"
_CRC_START = "6304"

MEMO_LENGTH = 25
MAX_AMOUNT = 10**13 - 1
# EMVCo: what a payload may have.
_PAYLOAD_LENGTH = 512

# EMVCo's character sets, spelled out: `\d` and `str.isdigit` take digits of other scripts too.
_ANS = "[ -~]"
_TEXT_25 = _ANS + "{1,25}"
_RULES: dict[str, tuple[str, str]] = {
    "bank_bin": ("[0-9]{6}", "A bank's BIN is six digits."),
    "account_number": (
        "[0-9A-Za-z]{1,19}",
        "An account number is 1 to 19 letters and digits, without blanks and dots.",
    ),
    "card_number": ("[0-9]{1,19}", "A card number is 1 to 19 digits, without blanks."),
    "amount": (
        "[1-9][0-9]{0,12}",
        "An amount is whole đồng, 1 to 13 digits: no leading zeros, no fraction, not even .00.",
    ),
    "memo": (_TEXT_25, "A memo is 1 to 25 characters of ASCII; None leaves it out."),
    "bill_number": (_TEXT_25, "A bill number is 1 to 25 characters of ASCII."),
    "name": (_TEXT_25, "A merchant's name is 1 to 25 characters of ASCII."),
}

# What may stand beside NAPAS's own tags and changes nothing about the transfer (EMVCo):
# category, city, postal code, the merchant's name in another language, unreserved templates.
_OTHER_TAGS = {"52": "[0-9]{4}", "60": _ANS + "{1,15}", "61": _ANS + "{1,10}", "64": _ANS + "+"}
_OTHER_TAGS |= {f"{tag}": _ANS + "+" for tag in range(80, 100)}
# Mobile number, store, loyalty, reference, customer, terminal, data to ask for.
_OTHER_PURPOSES = {f"{tag:02}": _TEXT_25 for tag in (2, 3, 4, 5, 6, 7, 9)}
_OTHER_PURPOSES |= {f"{tag}": _ANS + "+" for tag in range(50, 100)}


class VietQRError(ValueError):
    """A payload, or what was to become one, is wrong; `reason` names it for code, for good.

    Reasons are the fields' names (`bank_bin`, `account_number`, `card_number`, `amount`, `memo`,
    `bill_number`, `name`, `one_time`, `to_card`) and, of payloads, `text` (not one, too long or not
    ASCII), `crc`, `length`, `order`, `repeated`, `missing`, `unknown` (a tag that isn't for
    transfers), `format`, `scheme`, `service`, `currency`, `country` and `value`.
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


@dataclass(frozen=True, kw_only=True, slots=True)
class VietQR:
    """What a payload says: whom to pay, how many đồng, and why; never one that can't be written.

    `bill_number` and `name` are what some banks put in beside. They are kept, so that what was read
    can be written again to the byte, but two that differ only in them ask for the same transfer and
    are equal. Raises VietQRError.
    """

    bank_bin: str
    account_number: str
    amount: int | None = None
    memo: str | None = None
    one_time: bool = False
    to_card: bool = False
    bill_number: str | None = field(default=None, compare=False)
    name: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        for flag in ("one_time", "to_card"):
            if not isinstance(getattr(self, flag), bool):
                raise VietQRError(flag, f"{flag} is True or False.")
        _check("bank_bin", self.bank_bin)
        _check("card_number" if self.to_card else "account_number", self.account_number)
        if self.amount is not None:
            _check_amount(self.amount)
        for name in ("memo", "bill_number", "name"):
            if getattr(self, name) is not None:
                _check(name, getattr(self, name))


def encode(
    *,
    bank_bin: str,
    account_number: str,
    amount: int | None = None,
    memo: str | None = None,
    one_time: bool = False,
    to_card: bool = False,
    bill_number: str | None = None,
    name: str | None = None,
) -> str:
    """The payload that asks for a transfer to an account, or to a card (`to_card`).

    `amount` is in đồng and `memo` in ASCII; without them the payer fills them in. `one_time` says
    that the code is for one payment; no bank enforces that. Raises VietQRError.
    """
    qr = VietQR(
        bank_bin=bank_bin,
        account_number=account_number,
        amount=amount,
        memo=memo,
        one_time=one_time,
        to_card=to_card,
        bill_number=bill_number,
        name=name,
    )
    whom = _tag("00", qr.bank_bin) + _tag("01", qr.account_number)
    service = _TO_CARD if qr.to_card else _TO_ACCOUNT
    payload = (
        _tag("00", "01")
        + _tag("01", _ONE_TIME if qr.one_time else _REUSABLE)
        + _tag("38", _tag("00", _NAPAS) + _tag("01", whom) + _tag("02", service))
        + _tag("53", _VND)
        + _tag("54", None if qr.amount is None else f"{qr.amount:d}")
        + _tag("58", _VIETNAM)
        + _tag("59", qr.name)
        + _tag("62", (_tag("01", qr.bill_number) + _tag("08", qr.memo)) or None)
        + _CRC_START
    )
    return payload + _crc(payload)


def decode(payload: str) -> VietQR:
    """What a payload asks for; raises VietQRError for whatever the specifications don't allow.

    Tags come once each and in rising order, the CRC is upper-case and last, and no value is empty.
    An amount with a fraction is refused, also `1000.00`: đồng have none. Tags that change nothing
    about a transfer (category, city, postal code, store, terminal and the like) are checked for
    form and left out; those that would (other schemes' accounts, tips and fees) are refused.
    """
    _check_text(payload)
    tags = _read(payload[: -len(_CRC_START) - 4], "the payload")
    _expect(tags, "00", "01", "format")
    method = _take(tags, "01", "the payload")
    if method not in (_REUSABLE, _ONE_TIME):
        raise VietQRError("one_time", f"Tag 01 is 11 (reusable) or 12 (one-time), not {method!r}.")
    bank_bin, account_number, to_card = _read_account(_take(tags, "38", "the payload"))
    _expect(tags, "53", _VND, "currency")
    amount = tags.pop("54", None)
    if amount is not None:
        _check("amount", amount)
    _expect(tags, "58", _VIETNAM, "country")
    name = tags.pop("59", None)
    bill_number, memo = _read_purpose(tags.pop("62", None))
    _check_others(tags, _OTHER_TAGS, "the payload")
    return VietQR(
        bank_bin=bank_bin,
        account_number=account_number,
        amount=None if amount is None else int(amount),
        memo=memo,
        one_time=method == _ONE_TIME,
        to_card=to_card,
        bill_number=bill_number,
        name=name,
    )


def _check_text(payload: str) -> None:
    if not isinstance(payload, str):
        raise VietQRError("text", "A payload is text.")
    if not re.fullmatch(_ANS + f"{{1,{_PAYLOAD_LENGTH}}}", payload):
        raise VietQRError(
            "text", f"A payload is 1 to {_PAYLOAD_LENGTH} ASCII characters, without line breaks."
        )
    body, crc = payload[:-4], payload[-4:]
    if not body.endswith(_CRC_START):
        raise VietQRError("crc", "A payload ends with 6304 and its CRC of four characters.")
    if crc != (right := _crc(body)):
        raise VietQRError("crc", f"The CRC is {right}, in upper case, not {crc!r}.")


def _read_account(value: str) -> tuple[str, str, bool]:
    """BIN, number, and whether that is a card's."""
    where = "tag 38"
    tags = _read(value, where)
    _expect(tags, "00", _NAPAS, "scheme", where)
    whom = _read(_take(tags, "01", where), "tag 38-01")
    service = _take(tags, "02", where)
    if service not in (_TO_ACCOUNT, _TO_CARD):
        raise VietQRError("service", f"Tag 38-02 is {_TO_ACCOUNT} or {_TO_CARD}, not {service!r}.")
    _check_others(tags, {}, where)
    bank_bin, number = _take(whom, "00", "tag 38-01"), _take(whom, "01", "tag 38-01")
    _check_others(whom, {}, "tag 38-01")
    return bank_bin, number, service == _TO_CARD


def _read_purpose(value: str | None) -> tuple[str | None, str | None]:
    """Bill number and memo."""
    if value is None:
        return None, None
    tags = _read(value, "tag 62")
    bill_number, memo = tags.pop("01", None), tags.pop("08", None)
    _check_others(tags, _OTHER_PURPOSES, "tag 62")
    return bill_number, memo


def _read(text: str, where: str) -> dict[str, str]:
    """The tags of a payload or a template, in rising order."""
    tags: dict[str, str] = {}
    last = "00"
    for tag, value in _pairs(text, where):
        if tag in tags:
            raise VietQRError("repeated", f"Tag {tag} comes twice in {where}.")
        if tag < last:
            raise VietQRError("order", f"Tag {tag} comes after {last} in {where}.")
        tags[tag] = value
        last = tag
    return tags


def _pairs(text: str, where: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        head = text[at : at + 4]
        if not re.fullmatch("[0-9]{4}", head):
            raise VietQRError("length", f"{where.capitalize()} has {head!r} for a tag and length.")
        length = int(head[2:])
        value = text[at + 4 : at + 4 + length]
        if not length or len(value) < length:
            raise VietQRError("length", f"Tag {head[:2]} in {where} hasn't {head[2:]} characters.")
        yield head[:2], value
        at += 4 + length


def _take(tags: dict[str, str], tag: str, where: str) -> str:
    if tag not in tags:
        raise VietQRError("missing", f"Tag {tag} is missing in {where}.")
    return tags.pop(tag)


def _expect(
    tags: dict[str, str], tag: str, right: str, reason: str, where: str = "the payload"
) -> None:
    if (value := _take(tags, tag, where)) != right:
        raise VietQRError(reason, f"Tag {tag} in {where} is {right}, not {value!r}.")


def _check_others(tags: dict[str, str], known: dict[str, str], where: str) -> None:
    for tag, value in tags.items():
        if tag not in known:
            raise VietQRError("unknown", f"Tag {tag} in {where} is not for a VietQR transfer.")
        if not re.fullmatch(known[tag], value):
            raise VietQRError("value", f"Tag {tag} in {where} can't be {value!r}.")


def _check(name: str, value: object) -> None:
    pattern, sentence = _RULES[name]
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise VietQRError(name, sentence)


def _check_amount(amount: object) -> None:
    # True is an int as well, and 1.0 == 1.
    if isinstance(amount, bool) or not isinstance(amount, int) or not 1 <= amount <= MAX_AMOUNT:
        raise VietQRError("amount", _RULES["amount"][1])


def _tag(tag: str, value: str | None) -> str:
    return "" if value is None else f"{tag}{len(value):02}{value}"


def _crc(text: str) -> str:
    """CRC-16, polynomial 1021, start FFFF, over all before it, `6304` too (EMVCo)."""
    return f"{crc_hqx(text.encode('ascii'), 0xFFFF):04X}"
