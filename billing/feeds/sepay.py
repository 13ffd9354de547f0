"""SePay's webhook: one line of an account per call.

Source: https://developer.sepay.vn/en/sepay-webhooks (authentication, security, payload).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from billing.enums import FeedProvider, TransferDirection
from billing.feeds.bodies import LONGEST_ACCOUNT, LONGEST_NAME, Fields, read_object
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

NAME = "sepay"
PROVIDER = FeedProvider.SEPAY
# As SePay documents it.
WINDOW = timedelta(minutes=5)
_SCHEME = "apikey"
_SIGNATURE = "sha256="
_DIRECTIONS = {"in": TransferDirection.IN, "out": TransferDirection.OUT}


def verify(headers: Mapping[str, str], raw_body: bytes, secrets: Secrets, at: datetime) -> None:
    """Raises Refused unless SePay sent the body, by its signature or by its API key.

    A signature that is there has to fit, whatever key comes along, unless no key for signatures is
    set. Headers are looked up in their usual spelling, so pass what ignores case.
    """
    if not (secrets.tokens or secrets.signing_keys):
        raise nothing_configured()
    signature = headers.get("X-SePay-Signature", "").strip()
    if signature and secrets.signing_keys:
        _verify_signature(signature, headers, raw_body, secrets, at)
        return
    authorization = headers.get("Authorization", "").strip()
    if not authorization:
        raise nothing_sent()
    scheme, _blank, token = authorization.partition(" ")
    if scheme.lower() != _SCHEME:
        raise Refused("scheme_wrong", _("Send the key as Authorization: Apikey …"), 401)
    if not matches(token.strip(), (each.encode() for each in secrets.tokens)):
        raise wrong_token()


def _verify_signature(
    signature: str,
    headers: Mapping[str, str],
    raw_body: bytes,
    secrets: Secrets,
    at: datetime,
) -> None:
    stamp = headers.get("X-SePay-Timestamp", "").strip()
    if not signature.startswith(_SIGNATURE):
        raise Refused("signature_unreadable", _("The signature can't be read."), 401)
    check_stamp(stamp, at=at, window=WINDOW)
    message = stamp.encode("ascii") + b"." + raw_body
    sent = signature.removeprefix(_SIGNATURE)
    if not signed_by(sent, secrets.signing_keys, [message], hash_name="sha256"):
        raise wrong_signature()


def parse(raw_body: bytes) -> list[Line]:
    """The line that a body tells of. Raises Malformed."""
    fields = Fields(read_object(raw_body))
    sent = fields.text("transferType").lower()
    if sent not in _DIRECTIONS:
        raise Malformed("transferType", _("This is neither “in” nor “out”."))
    at, has_time = fields.moment("transactionDate")
    number = fields.whole("id")
    if number <= 0:
        raise Malformed("id", _("The number is not above 0."))
    return [
        Line(
            provider=PROVIDER,
            provider_id=str(number),
            account_number=fields.text("accountNumber", LONGEST_ACCOUNT),
            virtual_account=fields.optional_text("subAccount", LONGEST_ACCOUNT),
            bank=fields.short_text("gateway"),
            direction=_DIRECTIONS[sent],
            amount=fields.amount("transferAmount"),
            memo=fields.optional_text("content"),
            texts=(fields.optional_text("description"), fields.optional_text("code")),
            reference=fields.optional_text("referenceCode", LONGEST_NAME),
            transferred_at=at,
            has_time=has_time,
            # 0 stands for a bank that doesn't tell.
            balance_after=fields.optional_whole("accumulated") or None,
            raw=fields.raw,
        )
    ]
