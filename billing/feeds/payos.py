"""payOS's webhook: one payment that came in per call.

Source: https://payos.vn/docs/tich-hop-webhook (signature of `data`, registration probe).
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from billing.enums import FeedProvider, TransferDirection
from billing.feeds.bodies import LONGEST_ACCOUNT, LONGEST_PERSON, Fields, read_object
from billing.feeds.lines import Line, Malformed, Refused, Secrets
from billing.feeds.signatures import nothing_configured, nothing_sent, signed_by, wrong_signature

NAME = "payos"
PROVIDER = FeedProvider.PAYOS
# What is sent, signed, when an address is registered: no payment.
_PROBE_ORDER = 123
_PROBE_MEMOS = {"VQRIO123", "Ma giao dich thu nghiem"}
_PAID = "00"


def verify(headers: Mapping[str, str], raw_body: bytes, secrets: Secrets, at: datetime) -> None:
    """Raises Refused unless the body's own signature is that of its `data`.

    Nothing in it tells when it was signed; a line that comes twice is known by its reference.
    """
    if not secrets.signing_keys:
        raise nothing_configured()
    try:
        fields = Fields(read_object(raw_body))
        signature = fields.optional_text("signature")
        signed = fields.object("data").raw if signature else {}
    except Malformed:
        raise Refused("body_unreadable", _("The body has no signature to read."), 401) from None
    if not signature:
        raise nothing_sent()
    if not signed_by(signature, secrets.signing_keys, [signed_text(signed)], hash_name="sha256"):
        raise wrong_signature()


def signed_text(signed: Mapping[str, Any]) -> bytes:
    """What payOS signs: `key=value` of every field that came, sorted by key, joined by `&`.

    Null, and the words "null" and "undefined", are empty; a list is JSON, the keys of its objects
    sorted.
    """
    return "&".join(f"{name}={_written(signed[name])}" for name in sorted(signed)).encode()


def _written(value: Any) -> str:
    """A value as JavaScript, in which payOS signs, puts it into a text."""
    if value is None or value in ("null", "undefined"):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        value = [dict(sorted(each.items())) if isinstance(each, dict) else each for each in value]
    elif isinstance(value, dict):
        value = dict(sorted(value.items()))
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def parse(raw_body: bytes) -> list[Line]:
    """The payment that a body tells of; none for a probe and for what failed. Raises Malformed."""
    fields = Fields(read_object(raw_body)).object("data")
    if fields.optional_text("code") not in ("", _PAID):
        return []
    memo = fields.optional_text("description")
    if fields.optional_whole("orderCode") == _PROBE_ORDER and memo in _PROBE_MEMOS:
        return []
    if fields.optional_text("currency") not in ("", "VND"):
        raise Malformed(fields.path("currency"), _("This is not đồng (VND)."))
    reference = fields.text("reference")
    at, has_time = fields.moment("transactionDateTime")
    return [
        Line(
            provider=PROVIDER,
            provider_id=reference,
            account_number=fields.text("accountNumber", LONGEST_ACCOUNT),
            virtual_account=fields.optional_text("virtualAccountNumber", LONGEST_ACCOUNT),
            direction=TransferDirection.IN,
            amount=fields.amount("amount"),
            memo=memo,
            counterparty_name=fields.short_text("counterAccountName", LONGEST_PERSON),
            counterparty_account=fields.short_text("counterAccountNumber", LONGEST_ACCOUNT),
            counterparty_bank=fields.short_text("counterAccountBankId")
            or fields.short_text("counterAccountBankName"),
            reference=reference,
            transferred_at=at,
            has_time=has_time,
            raw=fields.raw,
        )
    ]
