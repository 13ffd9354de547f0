"""Banks: the accounts that schools are paid into, and the references that banks give transfers."""

from dataclasses import dataclass
from datetime import datetime
from random import Random

from kitehub.demo.moments import VIETNAM


@dataclass(frozen=True, slots=True)
class Bank:
    """A bank by its BIN (State Bank of Vietnam's list), and how its account numbers look."""

    bin: str
    name: str
    prefix: str
    digits: int


BANKS = (
    Bank("970436", "Vietcombank", "0071", 13),
    Bank("970415", "VietinBank", "10", 12),
    Bank("970422", "MB Bank", "0801", 13),
    Bank("970407", "Techcombank", "190", 14),
    Bank("970418", "BIDV", "2151", 14),
    Bank("970405", "Agribank", "1500", 13),
    Bank("970416", "ACB", "2", 9),
    Bank("970423", "TPBank", "0", 11),
    Bank("970403", "Sacombank", "0601", 12),
    Bank("970432", "VPBank", "1", 9),
)


def account_number(bank: Bank, serial: int) -> str:
    """A number of the bank's length, with too many zeros in it to be anybody's."""
    return bank.prefix + str(serial).zfill(bank.digits - len(bank.prefix))


def reference(paid_at: datetime, rng: Random) -> str:
    """A transfer's reference, in one of the forms that banks and payment services use."""
    local = paid_at.astimezone(VIETNAM)
    return rng.choice(
        (
            f"FT{local:%y%j}{rng.randrange(10**9):09}",
            f"MBVCB.{rng.randrange(10**9, 10**10)}.{rng.randrange(10**6):06}",
            f"TF{local:%y%m%d%H%M%S}{rng.randrange(100):02}",
        )
    )
