"""What is broken in the books by now."""

from django.db import connection

from billing.invariants import money, time
from kitehub.db.invariants import Check

CHECKS: list[Check] = [
    money.line_totals,
    money.line_states,
    money.order_totals,
    money.order_states,
    money.order_times,
    money.balances,
    money.goodwill_paid_out,
    money.spent_credit,
    money.books,
    money.receipt_numbers,
    money.receipts,
    time.gaps,
    time.unpaid,
    time.dates,
    time.instances,
    time.facts,
]


def broken() -> dict[str, tuple[str, ...]]:
    """What billing's own checks find, with the rows."""
    return {finding.what: finding.rows for check in CHECKS for finding in check(connection)}
