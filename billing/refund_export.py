"""Approved refunds as CSV, for the bank's form of bulk transfers."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from io import StringIO

from django.utils.translation import gettext as _

from billing.plain_text import fold

# A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA = ("=", "+", "-", "@", "|", "%", *"＝＋－＠")
# What spreadsheets need to read a file as UTF-8.
_MARK = "\ufeff"
_MEMO_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Payout:
    """One line of the file: to whom, how much in đồng, and what the payee's bank will show."""

    payee_name: str
    account_number: str
    bank_bin: str
    bank_name: str
    amount: int
    memo: str


def payouts_csv(payouts: Iterable[Payout]) -> bytes:
    """The payouts as CSV in UTF-8 with a byte order mark, amounts as plain digits.

    No cell is a formula: text that a spreadsheet would take for one gets an apostrophe in front.
    Memos are in the letters that banks keep, at most 100.
    """
    written = StringIO(newline="")
    written.write(_MARK)
    rows = csv.writer(written, lineterminator="\r\n")
    rows.writerow(
        [
            _("No."),
            _("Account holder"),
            _("Account number"),
            _("Bank (BIN)"),
            _("Bank"),
            _("Amount (VND)"),
            _("Memo"),
        ]
    )
    for place, payout in enumerate(payouts, 1):
        texts = (
            payout.payee_name,
            payout.account_number,
            payout.bank_bin,
            payout.bank_name,
        )
        rows.writerow(
            [place, *map(_inert, texts), payout.amount, fold(payout.memo)[:_MEMO_LENGTH].rstrip()]
        )
    return written.getvalue().encode()


def _inert(text: str) -> str:
    """A text in one line that no spreadsheet calculates."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f"'{line}" if line.startswith(_FORMULA) else line
