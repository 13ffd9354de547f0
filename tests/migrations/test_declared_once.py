"""The schema is said in one place: models, or the SQL files beside the migrations."""

import re
from collections import Counter
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from pytest_django import Settings

from kitehub.db import catalog
from kitehub.db.catalog import Catalog
from kitehub.db.fields import EnumField
from tests.migrations.test_exactness import OURS, THEIRS

IN_SQL = re.compile(
    r"\b(?:CREATE (?:UNIQUE )?INDEX(?: CONCURRENTLY)?|CREATE TRIGGER|ADD CONSTRAINT|CREATE TYPE)"
    r"\s+(\w+)"
)


def our_models() -> list[type[models.Model]]:
    return [model for app in OURS for model in apps.get_app_config(app).get_models()]


def in_models() -> Counter[str]:
    """The names that models give, those included that PostgreSQL derives from a column."""
    found: Counter[str] = Counter()
    for model in our_models():
        meta = model._meta
        found.update(each.name for each in (*meta.indexes, *meta.constraints))
        found.update([f"{meta.db_table}_pkey"])
        found.update(
            f"{meta.db_table}_{column.column}_key"
            for column in meta.local_fields
            if column.unique and not column.primary_key
        )
    return found


def in_sql() -> Counter[str]:
    """The names that the SQL files of V1 to V8 give."""
    folders = [Path(apps.get_app_config(app).path) / "migrations" / "sql" for app in OURS]
    files = [file for folder in folders for file in folder.glob("*.up.sql")]
    plan = [file for file in files if re.search(r"_v[1-8]_", file.name)]
    return Counter(name for file in plan for name in IN_SQL.findall(file.read_text("utf-8")))


@pytest.mark.django_db
def test_no_model_has_changes_without_a_migration(settings: Settings) -> None:
    # With a router Django asks every database for its records, also those of other tests.
    settings.DATABASE_ROUTERS = []
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.parametrize("kind", ["index", "constraint", "trigger", "enum"])
def test_each_name_of_the_plan_is_declared_exactly_once(
    kind: str, reference: dict[int, Catalog]
) -> None:
    declared = in_models() + in_sql()
    names = {key.name for key in reference[8].of_kind(kind)}

    assert names
    assert {name: declared[name] for name in names} == dict.fromkeys(names, 1)


def test_enums_in_python_have_the_labels_of_the_database_in_its_order(
    migrated: BaseDatabaseWrapper,
) -> None:
    made = {
        key.name: items["labels"]
        for key, items in catalog.read(migrated).items()
        if key.kind == "enum" and not key.name.startswith(THEIRS)
    }
    columns = [
        column
        for model in our_models()
        for column in model._meta.local_fields
        if isinstance(column, EnumField)
    ]

    assert {column.enum_type for column in columns} == made.keys()
    for column in columns:
        assert column.enum is not None
        labels = ", ".join(f"'{label}'" for label in column.enum.values)
        assert made[column.enum_type] == labels, column
