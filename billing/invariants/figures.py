"""The daily figures are those of what they are about."""

from collections.abc import Iterator

from django.db.backends.base.base import BaseDatabaseWrapper

from kitehub.db.invariants import Finding, invariant, rows


@invariant("billing.DailyFigure", "billing.FigureEntry")
def figures(connection: BaseDatabaseWrapper) -> Iterator[Finding]:
    """Every figure is the sum of what it counts; `rebuild_figures` mends those that aren't."""
    count, found = rows(
        connection,
        "SELECT day, measure, tier, amount, quantity FROM figure_differences()",
    )
    if count:
        lines = tuple(
            f"{day} {measure} {tier or '-'}: {amount:+,} ₫, {quantity:+,} to be right"
            for day, measure, tier, amount, quantity in found
        )
        yield Finding("daily_figures", "not what they count: run rebuild_figures", count, lines)
