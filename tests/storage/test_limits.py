"""The limit of an instance is its tier's, unless its limitations say otherwise."""

import json
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from kitehub.enums import Tier
from kitehub.models import InstanceConfig
from kitehub.plans import PLANS
from storage.models import UNLIMITED, StorageUsage
from tests.factories.kitehub import InstanceConfigFactory
from tests.storage.ledger import upload, usage, with_room

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("tier", Tier)
def test_the_database_knows_the_tiers_as_the_catalogue_does(tier: Tier) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT storage_limit(%s, '{}')", [tier.value])
        assert cursor.fetchone()[0] == PLANS[tier].storage_bytes


@pytest.mark.parametrize("tier", Tier)
def test_a_config_brings_a_usage_row_with_its_tiers_limit(tier: Tier) -> None:
    config = InstanceConfigFactory(tier=tier)
    there = usage(config.instance_id)
    assert (there.used_bytes, there.limit_bytes) == (0, PLANS[tier].storage_bytes)


def test_a_new_usage_row_takes_the_tiers_limit_whatever_its_writer_says() -> None:
    config = InstanceConfigFactory(tier=Tier.STANDARD)
    StorageUsage.objects.all().delete()
    upload(config.instance_id, 1)
    assert usage(config.instance_id).limit_bytes == PLANS[Tier.STANDARD].storage_bytes
    StorageUsage.objects.all().delete()
    StorageUsage.objects.create(instance_id=config.instance_id, limit_bytes=0)
    assert usage(config.instance_id).limit_bytes == PLANS[Tier.STANDARD].storage_bytes


def test_without_a_config_the_limit_is_the_given_one_or_nothing() -> None:
    assert usage(with_room(77)).limit_bytes == 77
    instance = uuid4()
    upload(instance, 1)
    assert usage(instance).limit_bytes == 0


@pytest.mark.parametrize("write", ["save", "update", "raw"])
def test_a_change_of_tier_moves_the_limit(write: str) -> None:
    config = InstanceConfigFactory(tier=Tier.STANDARD)
    upload(config.instance_id, 5)
    if write == "save":
        config.tier = Tier.PREMIUM
        config.save()
    elif write == "update":
        InstanceConfig.objects.update(tier=Tier.PREMIUM)
    else:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE instance_configs SET tier = 'PREMIUM'")
    there = usage(config.instance_id)
    assert (there.used_bytes, there.limit_bytes) == (5, PLANS[Tier.PREMIUM].storage_bytes)


def test_a_smaller_tier_leaves_what_is_stored_over_the_limit() -> None:
    config = InstanceConfigFactory(tier=Tier.STANDARD)
    upload(config.instance_id, 5)
    InstanceConfig.objects.update(tier=Tier.BASIC)
    there = usage(config.instance_id)
    assert (there.used_bytes, there.limit_bytes) == (5, 0)


@pytest.mark.parametrize(
    ("override", "limit"),
    [(123, 123), (0, 0), (1e3, 1000), (None, UNLIMITED), (UNLIMITED, UNLIMITED)],
)
def test_an_override_wins_and_its_end_brings_the_tiers_limit_back(
    override: object, limit: int
) -> None:
    config = InstanceConfigFactory(
        tier=Tier.PREMIUM, limitations={"maxStudents": 5, "maxStorageBytes": override}
    )
    there = usage(config.instance_id)
    assert there.limit_bytes == limit
    assert there.unlimited == (limit == UNLIMITED)
    InstanceConfig.objects.update(tier=Tier.STANDARD)
    assert usage(config.instance_id).limit_bytes == limit
    InstanceConfig.objects.update(limitations={"maxStudents": 5})
    assert usage(config.instance_id).limit_bytes == PLANS[Tier.STANDARD].storage_bytes


@pytest.mark.parametrize("override", [-1, 1.5, "5 GiB", True, [], {}, UNLIMITED + 1, 1e300])
def test_an_override_that_is_no_number_of_bytes_is_refused(override: object) -> None:
    config = InstanceConfigFactory(tier=Tier.STANDARD)
    with pytest.raises(IntegrityError, match="maxStorageBytes"), transaction.atomic():
        InstanceConfig.objects.update(limitations={"maxStorageBytes": override})
    assert usage(config.instance_id).limit_bytes == PLANS[Tier.STANDARD].storage_bytes


@pytest.mark.parametrize("limitations", [[], "text", 5, None])
def test_limitations_that_are_no_object_have_no_override(limitations: object) -> None:
    config = InstanceConfigFactory(tier=Tier.STANDARD)
    with connection.cursor() as cursor:
        cursor.execute("SELECT storage_limit('STANDARD', %s::jsonb)", [json.dumps(limitations)])
        found = cursor.fetchone()[0]
    assert found == usage(config.instance_id).limit_bytes


def test_a_deleted_config_leaves_no_room_and_a_restored_one_gives_it_back() -> None:
    config = InstanceConfigFactory(tier=Tier.STANDARD)
    InstanceConfig.objects.update(deleted=True)
    assert usage(config.instance_id).limit_bytes == 0
    InstanceConfig.all_objects.update(deleted=False)
    assert usage(config.instance_id).limit_bytes == PLANS[Tier.STANDARD].storage_bytes
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM instance_configs")
    assert usage(config.instance_id).limit_bytes == 0


def test_a_config_that_changes_hands_takes_its_limit_along() -> None:
    config = InstanceConfigFactory(tier=Tier.STANDARD)
    other = uuid4()
    InstanceConfig.objects.update(instance_id=other)
    assert usage(config.instance_id).limit_bytes == 0
    assert usage(other).limit_bytes == PLANS[Tier.STANDARD].storage_bytes


def test_other_changes_of_a_config_leave_the_usage_row_alone() -> None:
    config = InstanceConfigFactory(tier=Tier.STANDARD)
    StorageUsage.objects.update(limit_bytes=9)
    InstanceConfig.objects.update(features={"media": False})
    assert usage(config.instance_id).limit_bytes == 9


def test_filters_by_share_take_an_unlimited_limit() -> None:
    config = InstanceConfigFactory(tier=Tier.BASIC, limitations={"maxStorageBytes": None})
    upload(config.instance_id, 10)
    full = with_room(20)
    upload(full, 19)
    assert [row.instance_id for row in StorageUsage.objects.nearly_full()] == [full]
