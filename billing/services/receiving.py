"""Whose account a bank line is on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db.models import F, Func, Value
from django.db.models.functions import Upper

from billing.accounts import NoReceivingAccount, own_account, plain_number
from billing.banks import bank, find_banks
from kitehub.models import Instance


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose an account is, by the number that they know it by; no instance is KiteHub itself."""

    account_number: str
    instance_id: UUID | None = None


def owner_of(*numbers: str, bank_name: str = "") -> Owner | None:
    """Whose account one of the numbers is: KiteHub's, an instance's, or None for nobody's.

    Services and spreadsheets lose leading zeros and dots. A bank that we know has to be the
    owner's. Of several instances with one account it is the oldest's: an order's code says the
    rest. A number that KiteHub and, at another bank, an instance have is nobody's unless the bank
    is told.
    """
    plain = {each: None for number in numbers if (each := plain_number(number))}
    if not plain:
        return None
    try:
        own = own_account()
    except NoReceivingAccount:
        own = None
    if own and plain_number(own.number) in plain and _same_bank(own.bank_bin, bank_name):
        others = not _meant(bank_name) and any(
            bin_ != own.bank_bin for _pk, _number, bin_ in _instances(plain, bank_name)
        )
        return None if others else Owner(own.number)
    for pk, number, _bin in _instances(plain, bank_name):
        return Owner(number, pk)
    return None


def _instances(plain: Iterable[str], bank_name: str) -> Iterator[tuple[UUID, str, str]]:
    """The instances with one of some numbers and a bank, the oldest first: number and BIN."""
    rows = (
        Instance.objects.filter(account_number__isnull=False)
        .annotate(plain=_plain_column())
        .filter(plain__in=list(plain))
        .order_by("created_at", "pk")
    )
    for pk, number, bin_ in rows.values_list("pk", "account_number", "bank_code"):
        if _same_bank(bin_ or "", bank_name):
            yield pk, number or "", bin_ or ""


def _plain_column() -> Func:
    letters = Func(
        Upper(F("account_number")),
        Value("[^0-9A-Z]"),
        Value(""),
        Value("g"),
        function="regexp_replace",
    )
    return Func(letters, Value("0"), function="ltrim")


def _same_bank(bin_: str, told: str) -> bool:
    """Whether a bank as it was told, BIN or name, may be the one with a BIN."""
    meant = _meant(told)
    return not meant or bank(bin_) is None or bin_ in meant


def _meant(told: str) -> list[str]:
    """The BINs of the banks that may be meant; none where nothing that we know was told."""
    if not told:
        return []
    known = bank(told)
    return [each.bin for each in ([known] if known else find_banks(told))]
