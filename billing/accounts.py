"""Bank accounts that are paid to: KiteHub's own, and the instances'."""

from dataclasses import dataclass

from django.conf import settings

from billing.banks import bank
from billing.enums import OrderRefusal
from billing.vietqr import VietQRError, encode
from kitehub.models import Instance


@dataclass(frozen=True, slots=True)
class Account:
    """An account that VietQR can name: BIN, number, and the holder in the bank's spelling."""

    bank_bin: str
    number: str
    name: str = ""

    @property
    def bank_name(self) -> str:
        """The bank's short name, or its BIN where we don't know it."""
        known = bank(self.bank_bin)
        return known.short_name if known else self.bank_bin


class NoReceivingAccount(Exception):
    """There is no account to pay to, or one that no QR code can name; `refusal` says whose."""

    def __init__(self, refusal: OrderRefusal, message: str) -> None:
        super().__init__(message)
        self.refusal = refusal


def own_account() -> Account:
    """KiteHub's own account, as the settings name it; raises NoReceivingAccount."""
    return _checked(
        OrderRefusal.NO_OWN_ACCOUNT,
        settings.KITEHUB_BANK_BIN,
        settings.KITEHUB_BANK_ACCOUNT,
        settings.KITEHUB_BANK_ACCOUNT_NAME,
        "KITEHUB_BANK_BIN and KITEHUB_BANK_ACCOUNT",
    )


def account_of(instance: Instance) -> Account:
    """The account that an instance's course fees go to; raises NoReceivingAccount."""
    return _checked(
        OrderRefusal.NO_SCHOOL_ACCOUNT,
        instance.bank_code or "",
        instance.account_number or "",
        instance.account_name or "",
        f"the bank account of {instance.subdomain}",
    )


def same_number(one: str | None, other: str | None) -> bool:
    """Whether two spellings are one account: spreadsheets and banks lose leading zeros and dots."""
    return bool(one and other) and plain_number(one or "") == plain_number(other or "")


def plain_number(number: str) -> str:
    """What all spellings of an account number have in common."""
    kept = "".join(c for c in number.upper() if c.isalnum())
    return kept.lstrip("0") or kept


def _checked(refusal: OrderRefusal, bank_bin: str, number: str, name: str, what: str) -> Account:
    try:
        encode(bank_bin=bank_bin, account_number=number)
    except VietQRError as error:
        raise NoReceivingAccount(refusal, f"{what}: {error}") from None
    return Account(bank_bin, number, name)
