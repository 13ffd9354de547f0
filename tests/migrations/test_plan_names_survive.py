"""Everything that the plan names is still there under its name after the last migration."""

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper

from kitehub.db import catalog
from kitehub.db.catalog import Catalog, Key
from tests.migrations.databases import execute

# What PostgreSQL has a name for. A comment has none, and V10 corrects one.
NAMED = ("table", "column", "constraint", "index", "trigger", "enum", "function")


def named_by_the_plan(reference: dict[int, Catalog]) -> dict[str, list[Key]]:
    """The keys of the plan's last version, by kind."""
    return {kind: reference[8].of_kind(kind) for kind in NAMED}


def test_the_plan_names_as_much_as_we_think(reference: dict[int, Catalog]) -> None:
    found = {kind: len(keys) for kind, keys in named_by_the_plan(reference).items()}
    assert found == {
        "table": 10,
        "column": 130,
        "constraint": 26,
        "index": 60,
        "trigger": 7,
        "enum": 4,
        "function": 3,
    }


@pytest.mark.parametrize("kind", NAMED)
def test_name_survives(
    kind: str, reference: dict[int, Catalog], migrated: BaseDatabaseWrapper
) -> None:
    now = catalog.read(migrated)
    assert [key for key in named_by_the_plan(reference)[kind] if key not in now] == []


def test_columns_keep_their_type_but_for_their_time_zone(
    reference: dict[int, Catalog], migrated: BaseDatabaseWrapper
) -> None:
    now = catalog.read(migrated)
    for key in reference[8].of_kind("column"):
        before, after = reference[8][key]["type"], now[key]["type"]
        assert after == before.replace("without time zone", "with time zone"), key


def test_labels_of_enums_survive_in_their_order(
    reference: dict[int, Catalog], migrated: BaseDatabaseWrapper
) -> None:
    now = catalog.read(migrated)
    for key in reference[8].of_kind("enum"):
        kept = [label for label in _labels(now[key]) if label in _labels(reference[8][key])]
        assert kept == _labels(reference[8][key])


def test_control_lost_name_is_seen(
    reference: dict[int, Catalog], current: BaseDatabaseWrapper
) -> None:
    execute(current, "ALTER INDEX idx_payment_orders_user RENAME TO idx_payment_orders_person")
    lost = [key for key in reference[8] if key not in catalog.read(current)]
    assert [key.name for key in lost] == ["idx_payment_orders_user"]


def _labels(definition: object) -> list[str]:
    assert isinstance(definition, dict)
    return definition["labels"].split(", ")
