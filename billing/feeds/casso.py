"""Casso's webhooks: V1 sends a list of lines and a secret, V2 one line that is signed.

Source: https://github.com/CassoHQ/casso-webhook-v2-verify-signature and its V1 handler sample.
"""

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from billing.enums import FeedProvider, TransferDirection
from billing.feeds.bodies import LONGEST_ACCOUNT, LONGEST_NAME, LONGEST_PERSON, Fields, read_object
from billing.feeds.lines import Line, Malformed, Refused, Secrets
from billing.feeds.signatures import (
    check_stamp,
    matches,
    nothing_configured,
    nothing_sent,
    signed_by,
    wrong_signature,
    wrong_token,
)

NAME = "casso"
PROVIDER = FeedProvider.CASSO
# Casso doesn't say that what it sends again is signed anew. What comes twice is known by its id.
WINDOW = timedelta(hours=1)
_SIGNATURE = re.compile(r"t=([0-9]{1,13}), ?v1=([0-9a-fA-F]{128})", re.ASCII)
# A test call of the settings page.
_TEST = 0


def verify(headers: Mapping[str, str], raw_body: bytes, secrets: Secrets, at: datetime) -> None:
    """Raises Refused unless Casso sent the body, by V2's signature or by V1's secret.

    A signature that is there has to fit, whatever secret comes along, unless no key for signatures
    is set. Headers are looked up in their usual spelling, so pass what ignores case.
    """
    if not (secrets.tokens or secrets.signing_keys):
        raise nothing_configured()
    signature = headers.get("X-Casso-Signature", "").strip()
    if signature and secrets.signing_keys:
        _verify_signature(signature, raw_body, secrets, at)
        return
    token = headers.get("Secure-Token", "").strip()
    if not token:
        raise nothing_sent()
    if not matches(token, (each.encode() for each in secrets.tokens)):
        raise wrong_token()


def _verify_signature(signature: str, raw_body: bytes, secrets: Secrets, at: datetime) -> None:
    found = _SIGNATURE.fullmatch(signature)
    if not found:
        raise Refused("signature_unreadable", _("The signature can't be read."), 401)
    stamp, sent = found.groups()
    check_stamp(stamp, at=at, window=WINDOW)
    try:
        body = _sorted(read_object(raw_body))
    except Malformed:
        raise Refused("body_unreadable", _("The body has no signature to read."), 401) from None
    # Casso's own samples disagree on whether letters with accents are escaped.
    messages = [
        f"{stamp}.{json.dumps(body, ensure_ascii=escaped, separators=(',', ':'))}".encode()
        for escaped in (False, True)
    ]
    if not signed_by(sent, secrets.signing_keys, messages, hash_name="sha512"):
        raise wrong_signature()


def _sorted(value: Any) -> Any:
    """An object with its keys in order, and those of the objects inside."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return value


def parse(raw_body: bytes) -> list[Line]:
    """The lines that a body of either version tells of; none for a test call. Raises Malformed."""
    fields = Fields(read_object(raw_body))
    if fields.optional_whole("error"):
        raise Malformed("error", _("The service reports an error instead of a transfer."))
    if isinstance(fields.raw.get("data"), list):
        lines = [_line_of_v1(each) for each in fields.objects("data")]
    else:
        lines = [_line_of_v2(fields.object("data"))]
    return [line for line in lines if line is not None]


def _line_of_v1(fields: Fields) -> Line | None:
    number = _number(fields)
    if number == _TEST:
        return None
    amount = fields.signed_amount("amount")
    at, has_time = fields.moment("when")
    return Line(
        provider=PROVIDER,
        provider_id=str(number),
        account_number=fields.optional_text("bank_sub_acc_id", LONGEST_ACCOUNT)
        or fields.text("subAccId", LONGEST_ACCOUNT),
        virtual_account=fields.optional_text("virtualAccount", LONGEST_ACCOUNT),
        bank=fields.short_text("bankAbbreviation") or fields.short_text("bankName"),
        direction=TransferDirection.IN if amount > 0 else TransferDirection.OUT,
        amount=abs(amount),
        memo=fields.optional_text("description"),
        counterparty_name=fields.short_text("corresponsiveName", LONGEST_PERSON),
        counterparty_account=fields.short_text("corresponsiveAccount", LONGEST_ACCOUNT),
        counterparty_bank=fields.short_text("corresponsiveBankId")
        or fields.short_text("corresponsiveBankName"),
        reference=fields.optional_text("tid", LONGEST_NAME),
        transferred_at=at,
        has_time=has_time,
        balance_after=fields.optional_whole("cusum_balance"),
        raw=fields.raw,
    )


def _line_of_v2(fields: Fields) -> Line | None:
    number = _number(fields)
    if number == _TEST:
        return None
    amount = fields.signed_amount("amount")
    at, has_time = fields.moment("transactionDateTime")
    return Line(
        provider=PROVIDER,
        provider_id=str(number),
        account_number=fields.text("accountNumber", LONGEST_ACCOUNT),
        virtual_account=fields.optional_text("virtualAccountNumber", LONGEST_ACCOUNT),
        bank=fields.short_text("bankAbbreviation") or fields.short_text("bankName"),
        direction=TransferDirection.IN if amount > 0 else TransferDirection.OUT,
        amount=abs(amount),
        memo=fields.optional_text("description"),
        counterparty_name=fields.short_text("counterAccountName", LONGEST_PERSON),
        counterparty_account=fields.short_text("counterAccountNumber", LONGEST_ACCOUNT),
        counterparty_bank=fields.short_text("counterAccountBankId")
        or fields.short_text("counterAccountBankName"),
        reference=fields.optional_text("reference", LONGEST_NAME),
        transferred_at=at,
        has_time=has_time,
        balance_after=fields.optional_whole("runningBalance"),
        raw=fields.raw,
    )


def _number(fields: Fields) -> int:
    number = fields.whole("id")
    if number < 0:
        raise Malformed(fields.path("id"), _("The number is below 0."))
    return number
