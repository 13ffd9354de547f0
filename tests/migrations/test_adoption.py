"""Rows of the plan's time that break several of V10's rules come along, each as far as it can."""

from django.db.backends.base.base import BaseDatabaseWrapper

from kitehub.db.invariants import findings
from tests.migrations.commands import built_by_flyway, manage, schema
from tests.migrations.databases import execute, newest, value

ORDER = (
    "INSERT INTO payment_orders (order_id, type, user_id, amount, payment_content, expires_at,"
    " status, deleted) VALUES ('{name}', 'SUBSCRIPTION', gen_random_uuid(), 1, 'x', now(),"
    " '{status}', true)"
)


def test_row_that_two_rules_forbid_is_listed_and_the_others_are_mended(
    empty: BaseDatabaseWrapper,
) -> None:
    built_by_flyway(empty, 8)
    for number in range(40):
        status = "PAID" if number % 20 == 7 else "EXPIRED"
        execute(empty, ORDER.format(name=f"o{number}", status=status))
    before = value(empty, "SELECT count(*) FROM payment_orders")
    assert schema(empty, "baseline").code == 0

    outcome = manage(empty, "migrate")

    assert (outcome.code, outcome.error) == (0, "")
    assert "payment_orders: mended 38 rows" in outcome.out
    assert "payment_orders: left 2 rows without deleted_at = updated_at" in outcome.out
    assert schema(empty, "info", "--json").json["current"] == f"V{newest()}"
    assert value(empty, "SELECT count(*) FROM payment_orders") == before
    broken = {each.what.split()[0]: each.count for each in findings(empty) if each.broken}
    assert broken["payment_orders_paid_check"] == broken["payment_orders_deleted_check"] == 2


def test_they_are_whole_once_somebody_says_what_is_right(empty: BaseDatabaseWrapper) -> None:
    built_by_flyway(empty, 8)
    execute(empty, ORDER.format(name="o", status="PAID"))
    assert schema(empty, "baseline").code == 0
    assert manage(empty, "migrate").code == 0
    found = manage(empty, "check_invariants")
    assert found.code == 1

    execute(
        empty,
        "UPDATE payment_orders SET paid_at = now(), transaction_reference = 'FT1',"
        " deleted_at = now() WHERE order_id = 'o'",
    )

    assert manage(empty, "check_invariants", "--validate").code == 0
    assert schema(empty, "validate").code == 0
