"""What a config has copied from its tier is forgotten where somebody says so; exceptions stay."""

import json
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.db import connection

from kitehub.enums import Tier
from kitehub.models import InstanceConfig
from kitehub.services.configs import forget_copies

pytestmark = pytest.mark.django_db


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
    instance = insert(tier, features, limitations)
    others = insert(Tier.BASIC, {"x": 1}, {})
    forgotten = forget_copies(actor="lan")
    config = InstanceConfig.objects.get(instance_id=instance)
    assert (config.features, config.limitations) == kept
    changed = (features, limitations) != kept
    assert (forgotten, config.version) == (int(changed), int(changed))
    assert config.updated_by == ("lan" if changed else None)
    assert forget_copies(actor="lan") == 0
    assert InstanceConfig.objects.get(instance_id=others).version == 0


def test_tier_that_changes_afterwards_takes_effect() -> None:
    instance = insert(Tier.BASIC, BASIC, {"maxStudents": 50, "maxCourses": 10})
    out = StringIO()
    call_command("sync_plans", "--forget-copies", stdout=out)
    assert "copies were forgotten: 1." in out.getvalue()
    InstanceConfig.objects.update(tier=Tier.PREMIUM)
    config = InstanceConfig.objects.get(instance_id=instance)
    assert (config.allows("media"), config.limit("maxStudents")) == (True, None)
