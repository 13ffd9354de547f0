"""V16: what a config has copied from its tier is taken out, exceptions stay, and it can go back."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from kitehub.enums import Tier
from kitehub.models import InstanceConfig

# Nothing outlives a test: PostgreSQL takes back changes of the schema with the rest.
pytestmark = pytest.mark.django_db

V16 = ("kitehub", "0016_v16_exceptions_only")


def go_to(*targets: tuple[str, str]) -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(list(targets) or executor.loader.graph.leaf_nodes())


def before() -> tuple[str, str]:
    """The migration of the same app that comes before."""
    graph = MigrationExecutor(connection).loader.graph
    parents = graph.node_map[V16].parents
    return next(parent.key for parent in parents if parent.key[0] == "kitehub")


def insert(tier: Tier, features: Any, limitations: Any) -> UUID:
    instance = uuid4()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO instance_configs (instance_id, tier, features, limitations)"
            " VALUES (%s, %s, %s, %s)",
            [instance, tier, json.dumps(features), json.dumps(limitations)],
        )
    return instance


BASIC = {"engagement": False, "media": False, "premium": False}
PREMIUM = {"engagement": True, "media": True, "premium": True}


@pytest.mark.parametrize(
    ("tier", "features", "limitations", "kept"),
    [
        (Tier.BASIC, BASIC, {"maxStudents": 50, "maxCourses": 10}, ({}, {})),
        (Tier.PREMIUM, PREMIUM, {"maxStudents": None, "maxCourses": None}, ({}, {})),
        (
            Tier.BASIC,
            {**BASIC, "premium": True},
            {"maxStudents": 75, "maxCourses": 10},
            ({"premium": True}, {"maxStudents": 75}),
        ),
        # Another tier's value is an exception, and so is what no tier has.
        (Tier.STANDARD, BASIC, {}, ({"engagement": False, "media": False}, {})),
        (Tier.BASIC, {"x": [1]}, {"maxStorageBytes": 5}, ({"x": [1]}, {"maxStorageBytes": 5})),
        (Tier.BASIC, [], "text", ([], "text")),
    ],
)
def test_copies_go_and_exceptions_stay(
    tier: Tier, features: Any, limitations: Any, kept: tuple[Any, Any]
) -> None:
    go_to(before())
    instance = insert(tier, features, limitations)
    go_to()
    config = InstanceConfig.objects.get(instance_id=instance)
    assert (config.features, config.limitations) == kept
    version = config.version
    go_to(before())
    go_to()
    config.refresh_from_db()
    assert (config.features, config.limitations, config.version) == (*kept, version)


def test_tier_that_changes_afterwards_takes_effect() -> None:
    go_to(before())
    instance = insert(Tier.BASIC, BASIC, {"maxStudents": 50, "maxCourses": 10})
    go_to()
    InstanceConfig.objects.update(tier=Tier.PREMIUM)
    config = InstanceConfig.objects.get(instance_id=instance)
    assert (config.allows("media"), config.limit("maxStudents")) == (True, None)
