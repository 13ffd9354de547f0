"""Flyway's history: what it claims, and each reason not to believe it."""

import pytest

from kitehub.db.versions import PLAN
from kitehub.management.schema import flyway
from kitehub.management.schema.flyway import Row
from kitehub.management.schema.outcome import Refused


def history(*rows: tuple[str | None, str] | str, failed: str = "") -> list[Row]:
    """Rows in order; a bare version is one that Flyway applied from a file."""
    pairs = [row if isinstance(row, tuple) else (row, "SQL") for row in rows]
    return [
        Row(rank, version, f"step {rank}", kind, f"V{version}__step.sql", version != failed)
        for rank, (version, kind) in enumerate(pairs, start=1)
    ]


@pytest.mark.parametrize(
    ("rows", "version"),
    [
        (history("1", "2", "3"), 3),
        (history("1", "2", "3", "4", "5", "6", "7", "8"), 8),
        (history((None, "SCHEMA"), "1"), 1),
        (history(("0", "BASELINE"), "1", "2"), 2),
        (history(("3", "BASELINE"), "4"), 4),
        (history(("5", "SQL_BASELINE")), 5),
        (history("1.0", "02", "3_0"), 3),
        (history("1", ("2", "JDBC"), ("3", "SPRING_JDBC")), 3),
        (history("1", "2", ("2", "UNDO_SQL")), 1),
        (history("1", "2", ("2", "UNDO_SQL"), "2", "3"), 3),
        (history("1", (None, "SQL"), "2"), 2),
    ],
    ids=lambda value: (
        " ".join(f"{row.type}:{row.version}" for row in value) if isinstance(value, list) else None
    ),
)
def test_an_orderly_history_claims_its_last_version(rows: list[Row], version: int) -> None:
    assert flyway.claim(rows, PLAN).version == version


def test_repeatable_migrations_are_named_but_claim_nothing() -> None:
    claim = flyway.claim(history("1", (None, "SQL")), PLAN)

    assert (claim.version, claim.repeatable) == (1, ("step 2",))


@pytest.mark.parametrize(
    ("rows", "reasons"),
    [
        (history("1", "2", failed="2"), ["row 2 (V2, V2__step.sql) failed"]),
        (history("1", "3", "2"), ["row 2", "leaves a gap: V2", "row 3", "V3 was applied before"]),
        (history("1", "2", "5"), ["leaves a gap: V3, V4 were not applied"]),
        (history("2"), ["leaves a gap: V1 was not applied"]),
        (history("1", "9"), ["row 2 (V9, V9__step.sql) is not in the plan, which has V1 to V8"]),
        (history("1", "1.1"), ["V1.1", "not in the plan"]),
        (history("0"), ["V0", "not in the plan"]),
        (history("1", "1"), ["applies V1 once more"]),
        (history("1", "2", ("1", "UNDO_SQL")), ["undoes a version that was not the last"]),
        (history("1", ("1", "DELETE")), ["has the type DELETE"]),
        (history("1", ("3", "BASELINE")), ["is a baseline after V1"]),
        (history(("0", "BASELINE")), ["no version is recorded as applied"]),
        (history((None, "SCHEMA")), ["no version is recorded as applied"]),
        (history("1", ("1", "UNDO_SQL")), ["no version is recorded as applied"]),
    ],
    ids=lambda value: value[0] if isinstance(value[0], str) else "",
)
def test_a_history_in_disorder_is_refused_with_the_reason(
    rows: list[Row], reasons: list[str]
) -> None:
    with pytest.raises(Refused) as refused:
        flyway.claim(rows, PLAN)

    details = " ".join(refused.value.details)
    assert all(reason in details for reason in reasons), details


def test_every_reason_is_given_at_once() -> None:
    with pytest.raises(Refused) as refused:
        flyway.claim(history("1", "2", "4", "11", failed="2"), PLAN)

    assert [detail.split(" ")[1] for detail in refused.value.details] == ["2", "3", "4"]


def test_an_empty_history_says_nothing() -> None:
    with pytest.raises(Refused, match="history is empty"):
        flyway.claim([], PLAN)
