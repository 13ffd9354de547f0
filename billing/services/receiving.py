"""Whose account a bank line is on."""

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
    rest.
    """
    plain = {each: None for number in numbers if (each := plain_number(number))}
    if not plain:
        return None
    try:
        own = own_account()
    except NoReceivingAccount:
        pass
    else:
        if plain_number(own.number) in plain and _same_bank(own.bank_bin, bank_name):
            return Owner(own.number)
    for pk, number, bin_ in (
        Instance.objects.filter(account_number__isnull=False)
        .annotate(plain=_plain_column())
        .filter(plain__in=list(plain))
        .order_by("created_at", "pk")
        .values_list("pk", "account_number", "bank_code")
    ):
        if _same_bank(bin_ or "", bank_name):
            return Owner(number or "", pk)
    return None


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
    if not told or bank(bin_) is None:
        return True
    meant = [bank(told)] if bank(told) else find_banks(told)
    return not meant or bin_ in [each.bin for each in meant if each]
