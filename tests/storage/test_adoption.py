"""The step to V10 on a database with rows of the plan's time, and the step back."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from kitehub.db.invariants import findings
from kitehub.db.operations import BuildIndex, BuildUnique
from kitehub.enums import Tier
from kitehub.plans import PLANS
from storage import services
from tests.factories.kitehub import InstanceConfigFactory
from tests.storage.ledger import delete, upload, used, write

# Nothing outlives a test: PostgreSQL takes back changes of the schema with the rest.
pytestmark = pytest.mark.django_db

V9 = ("storage", "0002_v9_timestamptz")
STANDARD = PLANS[Tier.STANDARD].storage_bytes
Said = Callable[[], str]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return lambda: capsys.readouterr().out


@pytest.fixture(autouse=True)
def _no_index_built_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """V11's and V17's indexes are built CONCURRENTLY, which no test's transaction takes."""
    for kind in (BuildIndex, BuildUnique):
        for way in ("database_forwards", "database_backwards"):
            monkeypatch.setattr(kind, way, lambda *args: None)


def go_to(*targets: tuple[str, str]) -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(list(targets) or executor.loader.graph.leaf_nodes())


def row(instance: UUID) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT used_bytes, limit_bytes FROM storage_usage WHERE instance_id = %s", [instance]
        )
        return cursor.fetchone()


def validated() -> dict[str, bool]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname, convalidated FROM pg_constraint WHERE contype = 'c'"
            " AND conrelid IN ('storage_events'::regclass, 'storage_usage'::regclass)"
        )
        return dict(cursor.fetchall())


def test_old_rows_get_their_tiers_limit_and_a_chosen_limit_stays() -> None:
    plain, chosen, unused = (InstanceConfigFactory(tier=Tier.STANDARD) for _ in range(3))
    basic, stranger = InstanceConfigFactory(tier=Tier.BASIC), uuid4()
    go_to(V9)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM storage_usage")
        for instance in (plain.instance_id, chosen.instance_id, basic.instance_id, stranger):
            upload(instance, 5)
        cursor.execute(
            "UPDATE storage_usage SET limit_bytes = 9 WHERE instance_id = %s", [chosen.instance_id]
        )
    go_to()
    assert row(plain.instance_id) == (5, STANDARD)
    assert row(chosen.instance_id) == (5, 9)
    assert row(unused.instance_id) == (0, STANDARD)
    assert row(basic.instance_id) == row(stranger) == (5, 0)


def test_what_the_plan_lost_is_said_and_found_by_reconcile(said: Said) -> None:
    lost, whole = uuid4(), uuid4()
    go_to(V9)
    upload(lost, 100)
    upload(whole, 7)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE storage_usage SET used_bytes = 30 WHERE instance_id = %s", [lost])
    go_to()
    assert "used bytes differ from their events: 1;" in said()
    services.reconcile()
    assert (used(lost), used(whole)) == (100, 7)


def test_clean_rows_leave_every_constraint_validated(said: Said) -> None:
    go_to(V9)
    upload(uuid4(), 100)
    go_to()
    assert set(validated().values()) == {True}
    assert "negative" not in said()


def test_old_sizes_below_nothing_become_the_adjustments_that_they_were(said: Said) -> None:
    go_to(V9)
    instance = uuid4()
    write((instance, "UPLOAD", 100), (instance, "DELETE", -20))
    go_to()
    assert "old rows with a negative size, left as they are: 1 (" in said()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT file_size_bytes, reason FROM storage_events WHERE operation = 'ADJUST'"
            " ORDER BY 1"
        )
        assert cursor.fetchall() == [
            (20, "Written as DELETE of -20 bytes before V10"),
        ]
    assert set(validated().values()) == {True}
    assert used(instance) == 120
    assert services.drifts() == []
    with pytest.raises(IntegrityError, match="size_check"), transaction.atomic():
        upload(instance, -1)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        write_off()


def write_off() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE storage_events SET file_size_bytes = 0")


def test_the_step_back_takes_corrected_sums_along() -> None:
    instance = uuid4()
    upload(instance, 100)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE storage_usage SET used_bytes = 40")
    services.reconcile()
    go_to(V9)
    assert row(instance)[0] == 100
    go_to()
    assert used(instance) == 100
    assert services.drifts() == []


def test_an_override_that_is_no_size_is_found_and_its_config_can_be_deleted() -> None:
    config = InstanceConfigFactory(tier=Tier.STANDARD)
    go_to(V9)
    with connection.cursor() as cursor:
        cursor.execute('UPDATE instance_configs SET limitations = \'{"maxStorageBytes": "500"}\'')
    go_to()
    (found,) = [each for each in findings(connection) if each.table == "instance_configs"]
    assert found.rows == (f"{config.instance_id}: 500",)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE instance_configs SET deleted = true")
    assert [each for each in findings(connection) if each.broken] == []


def test_the_step_back_keeps_the_sum_and_the_plans_function_counts_on() -> None:
    instance = uuid4()
    upload(instance, 100)
    delete(instance, 150)
    upload(instance, 30)
    go_to(V9)
    with connection.cursor() as cursor:
        cursor.execute("SELECT operation, file_size_bytes FROM storage_events ORDER BY 2")
        rows = cursor.fetchall()
    assert rows == [("UPLOAD", 30), ("UPLOAD", 50), ("UPLOAD", 100), ("DELETE", 150)]
    upload(instance, 4)
    delete(instance, 90)
    assert row(instance) == (0, 0)
    go_to()
    services.reconcile()
    assert used(instance) == 0
