"""Each lifecycle is said once: SQL file, database and documentation are equal to it."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import Field
from django.utils.module_loading import import_module

from kitehub.db.lifecycle import Lifecycle
from tests.kitehub.db.records import execute

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "lifecycles.md"
OURS = ("kitehub", "billing", "analytics", "branding", "storage")


def lifecycles() -> Iterator[tuple[str, Lifecycle]]:
    """Those of all our apps, each with the app."""
    for app in OURS:
        if find_spec(f"{app}.lifecycles"):
            for each in vars(import_module(f"{app}.lifecycles")).values():
                if isinstance(each, Lifecycle):
                    yield app, each


EVERY = {each.table: (app, each) for app, each in lifecycles()}
every_lifecycle = pytest.mark.parametrize(("app", "lifecycle"), EVERY.values(), ids=EVERY)


def test_every_column_of_states_has_a_lifecycle() -> None:
    guarded = {"payment_orders", "subscriptions", "branding_jobs"}
    assert guarded <= set(EVERY)


@every_lifecycle
def test_every_state_has_its_line(app: str, lifecycle: Lifecycle) -> None:
    (model,) = (each for each in apps.get_models() if each._meta.db_table == lifecycle.table)
    status = model._meta.get_field("status")
    assert isinstance(status, Field)
    assert set(lifecycle.follows) == {value for value, _name in status.flatchoices}


@every_lifecycle
def test_trigger_in_the_newest_sql_file_is_the_lifecycles(app: str, lifecycle: Lifecycle) -> None:
    opening = f"CREATE TRIGGER guard_{lifecycle.table}_status\n"
    files = sorted((ROOT / app / "migrations" / "sql").glob("*.up.sql"))
    newest = [text for file in files if opening in (text := file.read_text("utf-8"))][-1]
    start = newest.index(opening)
    assert newest[start : newest.index(";\n", start) + 2] == lifecycle.trigger()


@pytest.mark.django_db
@every_lifecycle
def test_trigger_in_the_database_is_the_lifecycles(app: str, lifecycle: Lifecycle) -> None:
    ((definition,),) = execute(
        "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = %s::regclass"
        " AND tgname = %s AND tgenabled = 'O'",
        lifecycle.table,
        f"guard_{lifecycle.table}_status",
    )
    labels = re.findall(r"'(\w+)'::", definition)
    assert list(zip(labels[::2], labels[1::2], strict=True)) == list(lifecycle.pairs())
    assert "AFTER UPDATE ON" in definition


def test_diagrams_on_the_page_are_the_lifecycles() -> None:
    drawn = re.findall(r"```mermaid\n(.*?)\n```", PAGE.read_text("utf-8"), re.DOTALL)
    assert drawn == [lifecycle.diagram() for _app, lifecycle in EVERY.values()]
