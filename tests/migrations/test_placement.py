"""Every operation says which tables it is about, and none is about platform and tenant tables."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.apps import apps
from django.db import connection, router
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import RunPython, RunSQL, SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from kitehub.db.versions import Versions
from tests.migrations.test_exactness import OURS

# Where tables live: docs/schema.md. A new model needs a line here.
PLATFORM = {
    *("kitehub.user", "kitehub.instance", "kitehub.apikey", "kitehub.tombstone"),
    *("kitehub.instancemove", "kitehub.instancesuspension", "kitehub.instancewatch"),
    *("kitehub.email", "kitehub.note", "kitehub.signinattempts", "kitehub.securityevent"),
    *("kitehub.signedinsession", "kitehub.secondfactor", "kitehub.staffrole"),
    *("billing.paymentorder", "billing.subscription", "billing.subscriptionhistory"),
    *("billing.banktransfer", "billing.paymentallocation", "billing.bankfeed"),
    *("billing.feedsilence", "billing.statementmapping", "billing.orderview"),
    *("billing.subscriptionperiod", "billing.subscriptionadjustment"),
    *(
        "billing.creditbalance",
        "billing.creditentry",
        "billing.refund",
        "billing.manualpayment",
        "billing.goodwill",
        "billing.plannedmatch",
    ),
    *("billing.receipt", "billing.receiptcounter"),
    *("billing.figureentry", "billing.dailyfigure"),
    "branding.brandingjob",
    *("jobs.job", "jobs.jobfailure"),
}
TENANT = {
    *("kitehub.instanceconfig", "analytics.guestsession", "analytics.guestevent"),
    # Of each database that has tenants' rows.
    *("kitehub.archiverun", "kitehub.instancegate", "kitehub.instancechange", "storage.tierlimit"),
    *("storage.storageusage", "storage.storageevent", "storage.reservation"),
}


class Step(NamedTuple):
    """An operation, and the models as they are before and after it."""

    migration: str
    app: str
    operation: Operation
    before: ProjectState
    after: ProjectState

    def __str__(self) -> str:
        return f"{self.migration}: {self.operation.describe()}"


def walk() -> Iterator[Step]:
    """The operations of our apps that touch a database, in the order that they run."""
    loader = MigrationLoader(None)
    state = ProjectState()
    for app, name in Versions(loader).order:
        for operation in loader.graph.nodes[app, name].operations:
            before, state = state, state.clone()
            operation.state_forwards(app, state)
            if app in OURS:
                for each in touching(operation):
                    yield Step(f"{app}.{name}", app, each, before, state)


def touching(operation: Operation) -> Iterator[Operation]:
    if isinstance(operation, SeparateDatabaseAndState):
        for inner in operation.database_operations:
            yield from touching(inner)
    else:
        yield operation


def is_djangos(operation: Operation) -> bool:
    return type(operation).__module__.startswith("django.")


@pytest.fixture(scope="module")
def steps() -> list[Step]:
    return list(walk())


class Nowhere:
    """A router by which no table lives in the database, and what it was asked about."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        named = [model._meta.label_lower for model in [hints.get("model")] if model]
        self.asked |= {*named, *(label.lower() for label in hints.get("models", ()))}
        return False


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> Nowhere:
    found = Nowhere()
    monkeypatch.setattr(router, "routers", [found])
    return found


def run(step: Step, *, backwards: bool) -> None:
    """Runs an operation where it may not connect."""
    offline = connection.copy()
    offline.connect = lambda: pytest.fail(f"{step} asks the database before the router")
    # What comes before or after a step makes no difference to those that ask the router alone.
    states = (step.after, step.before) if backwards else (step.before, step.after)
    with offline.schema_editor(atomic=False) as editor:
        if backwards:
            step.operation.database_backwards(step.app, editor, *states)
        else:
            step.operation.database_forwards(step.app, editor, *states)


def tables_in(sql: object) -> set[str]:
    """Labels of our models whose tables are words of the SQL."""
    words = set("".join(c if c.isalnum() or c == "_" else " " for c in str(sql)).split())
    models = (model for app in OURS for model in apps.get_app_config(app).get_models())
    return {model._meta.label_lower for model in models if model._meta.db_table in words}


def test_each_model_lives_in_one_kind_of_database() -> None:
    models = {
        model._meta.label_lower for app in OURS for model in apps.get_app_config(app).get_models()
    }
    assert models == PLATFORM | TENANT
    assert not PLATFORM & TENANT


def test_sql_and_code_name_the_models_whose_tables_they_touch(steps: list[Step]) -> None:
    found = [step for step in steps if isinstance(step.operation, RunSQL | RunPython)]
    assert {type(step.operation).__name__ for step in found} >= {"RunSQLFile", "RunPython"}
    for step in found:
        named = {label.lower() for label in step.operation.hints.get("models", ())}
        assert named, str(step)
        assert named <= PLATFORM | TENANT, str(step)
        if isinstance(step.operation, RunSQL):
            touched = tables_in(step.operation.sql) | tables_in(step.operation.reverse_sql)
            assert touched <= named, str(step)


def test_no_operation_is_about_platform_and_tenant_tables(
    steps: list[Step], nowhere: Nowhere
) -> None:
    for step in steps:
        nowhere.asked.clear()
        run(step, backwards=False)
        assert not (nowhere.asked & PLATFORM and nowhere.asked & TENANT), str(step)
        assert nowhere.asked or is_djangos(step.operation), str(step)


@pytest.mark.parametrize("backwards", [False, True], ids=["forward", "back"])
def test_operations_of_our_own_leave_a_database_alone_that_lacks_their_tables(
    steps: list[Step], nowhere: Nowhere, backwards: bool
) -> None:
    ours = [step for step in steps if not is_djangos(step.operation)]
    assert {type(step.operation).__name__ for step in ours} == {
        *(
            "RunSQLFile",
            "BuildIndex",
            "BuildUnique",
            "MendRows",
            "ValidateWhereClean",
            "EncryptRows",
        )
    }
    for step in ours:
        run(step, backwards=backwards)
