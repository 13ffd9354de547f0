"""Which column of a statement is what, by the words above it."""

import re
from collections.abc import Mapping as ReadOnly
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from billing import plain_text
from billing.statements.files import Cell, Row
from billing.statements.values import text_of

# Banks put their name, the account and the period above the table.
PREAMBLE_ROWS = 60
_LONGEST_HEADER = 120
_ROW_NUMBER = "stt"
# Between the languages of one header.
_BETWEEN = re.compile(r"[/|\n(;]")
# Words that are parts of too many others.
_SHORT = 4


class Role(StrEnum):
    """What a column may be; the value is its name in a saved mapping."""

    DATE = "date"
    CREDIT = "credit"
    DEBIT = "debit"
    AMOUNT = "amount"
    SIGN = "sign"
    MEMO = "memo"
    REFERENCE = "reference"
    BALANCE = "balance"
    COUNTERPARTY_NAME = "counterparty_name"
    COUNTERPARTY_ACCOUNT = "counterparty_account"
    COUNTERPARTY_BANK = "counterparty_bank"


# Folded words, the best first. Those of the counterparty come before the plain ones they contain.
_WORDS: ReadOnly[Role, tuple[str, ...]] = {
    Role.COUNTERPARTY_ACCOUNT: (
        "tai khoan doi ung", "so tai khoan doi ung", "tk doi ung", "corresponsive account",
        "corresponding account", "counter account", "tai khoan nguoi chuyen",
        "tai khoan doi tac", "remitter account", "from account", "tai khoan account",
        "so tai khoan nguoi chuyen", "beneficiary account",
    ),
    Role.COUNTERPARTY_NAME: (
        "ten tai khoan doi ung", "ten tk doi ung", "corresponsive name", "corresponding name",
        "ten nguoi chuyen", "don vi thu huong don vi chuyen", "nguoi thu huong nguoi chuyen",
        "don vi thu huong", "don vi chuyen", "beneficiary remitter", "doi tac", "doi ung",
        "nguoi chuyen", "remitter", "ten doi tac", "counterparty", "payer",
    ),
    Role.COUNTERPARTY_BANK: (
        "ngan hang doi ung", "nh doi tac", "ngan hang doi tac", "remitter bank",
        "corresponsive bank", "ngan hang", "bank",
    ),
    Role.DATE: (
        "ngay giao dich", "ngay gio giao dich", "thoi gian giao dich", "transaction date",
        "transaction time", "tnx date", "ngay gd", "ngay ct", "thoi gian", "date time",
        "posting date", "ngay hach toan", "accounting date", "ngay", "date",
        "value date", "effective date", "ngay hieu luc",
    ),
    Role.CREDIT: (
        "so tien ghi co", "phat sinh co", "ps co", "ghi co", "co tktt", "tien gui vao",
        "gui vao", "tien vao", "so tien vao", "credit amount", "credit", "thu vao", "co",
        "money in", "deposit", "gui", "thu",
    ),
    Role.DEBIT: (
        "so tien ghi no", "phat sinh no", "ps no", "ghi no", "no tktt", "tien rut ra",
        "rut ra", "tien ra", "so tien ra", "debit amount", "debit", "chi ra", "no",
        "money out", "withdrawal", "rut", "chi",
    ),
    Role.BALANCE: (
        "so du", "so du cuoi", "so du tai khoan", "so du sau giao dich", "so du luy ke", "balance",
        "running balance", "account balance", "available balance",
    ),
    Role.SIGN: (
        "loai giao dich", "no co", "ghi no ghi co", "debit credit", "dr cr", "d c", "c d",
        "transaction type", "thu chi", "type",
    ),
    Role.AMOUNT: (
        "so tien giao dich", "so tien", "transaction amount", "amount", "gia tri giao dich",
        "gia tri",
    ),
    Role.REFERENCE: (
        "so tham chieu", "ma tham chieu", "so but toan", "so giao dich", "ma giao dich", "so gd",
        "ma gd", "so chung tu", "so ct", "transaction no", "transaction number", "transaction id",
        "doc no", "reference no", "reference number", "reference", "ref no", "ma but toan", "ref",
    ),
    Role.MEMO: (
        "noi dung giao dich", "mo ta giao dich", "noi dung chi tiet", "dien giai giao dich",
        "dien giai", "noi dung", "mo ta", "transaction description", "transactions in detail",
        "description", "details", "narrative", "remark", "ghi chu", "detail", "content", "memo",
    ),
}  # fmt: skip


def fold(text: str) -> str:
    """A text without accents, case and punctuation, words apart by one blank."""
    return plain_text.fold(text).lower()


@dataclass(frozen=True, slots=True)
class Guess:
    """Where a row of headers puts each role, and how sure that is, from 0 to 1."""

    places: ReadOnly[Role, int]
    confidence: ReadOnly[Role, float]

    @property
    def whole(self) -> bool:
        """Whether lines can be read: a date, and money in."""
        return Role.DATE in self.places and (
            Role.CREDIT in self.places or Role.AMOUNT in self.places
        )

    @property
    def score(self) -> float:
        """More for each column that is known, the surer the more."""
        return sum(self.confidence.values())


def guess(headers: Sequence[str]) -> Guess:
    """What the columns below some headers are. Every column has at most one role."""
    found: list[tuple[float, int, Role, int]] = []
    for place, header in enumerate(headers):
        if not header or len(header) > _LONGEST_HEADER:
            continue
        for order, (role, phrases) in enumerate(_WORDS.items()):
            sure = _fit(header, phrases)
            if sure:
                found.append((-sure, order, role, place))
    places: dict[Role, int] = {}
    confidence: dict[Role, float] = {}
    for sure, _order, role, place in sorted(found):
        if role not in places and place not in places.values():
            places[role] = place
            confidence[role] = round(-sure, 3)
    # A column "Amount" beside credit and debit is theirs once more; debit without credit is the
    # English "No." of a number.
    surplus = (Role.AMOUNT, Role.SIGN) if Role.CREDIT in places else (Role.DEBIT,)
    for role in surplus:
        places.pop(role, None)
        confidence.pop(role, None)
    return Guess(places, confidence)


def _fit(header: str, phrases: Sequence[str]) -> float:
    """How well a header says one of the phrases: it alone, as one of two languages, or inside."""
    folded = fold(header)
    pieces = [fold(piece) for piece in _BETWEEN.split(header)]
    if _ROW_NUMBER in pieces or folded.startswith(_ROW_NUMBER + " "):
        return 0.0
    best = 0.0
    for rank, phrase in enumerate(phrases):
        if phrase == folded:
            fit = 1.0
        elif phrase in pieces:
            fit = 0.95
        elif len(phrase) > _SHORT and f" {phrase} " in f" {folded} ":
            # The more of the header the phrase is, the surer.
            fit = 0.4 + 0.4 * len(phrase) / len(folded)
        else:
            continue
        # "Nợ" is surer than "No".
        best = max(best, fit - rank / 1000 - (0.03 if header.isascii() else 0))
    return best


def find_headers(rows: Sequence[Row]) -> tuple[int, Guess] | None:
    """The place of the row of headers, and the guess; None where no row is one.

    Of several the one that names most columns. A header may go on in the row below it, as those
    of two languages do.
    """
    best: tuple[float, int, Guess] | None = None
    for place, row in enumerate(rows[:PREAMBLE_ROWS]):
        found = guess([_header(cell) for cell in row])
        if found.whole and (best is None or found.score > best[0]):
            best = (found.score, place, found)
    return best[1:] if best else None


def _header(cell: Cell) -> str:
    """A header's text, its line breaks kept."""
    return cell.strip() if isinstance(cell, str) else text_of(cell)
