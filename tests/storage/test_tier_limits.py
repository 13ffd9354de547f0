"""A tier's storage limit that the settings change reaches every instance of the tier."""

from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from kitehub import tenancy, workflows
from kitehub.db.invariants import findings
from kitehub.enums import Tier
from kitehub.models import Instance, InstanceConfig
from kitehub.plans import DEFAULTS
from storage import tiers
from storage.models import UNLIMITED, StorageUsage, TierLimit
from tests.factories.kitehub import InstanceConfigFactory, InstanceFactory, UserFactory
from tests.storage.ledger import usage

pytestmark = pytest.mark.django_db
STANDARD = DEFAULTS[Tier.STANDARD].storage_bytes


@pytest.fixture
def _changed(settings) -> None:
    settings.KITEHUB_PLANS = {"STANDARD": {"storage_bytes": 7}, "PREMIUM": {"storage_bytes": None}}


def test_without_a_change_the_table_is_empty() -> None:
    assert tiers.differences(using="default") == []
    assert tiers.sync(using="default") == []
    assert not TierLimit.objects.exists()


@pytest.mark.usefixtures("_changed")
def test_instances_of_the_tier_follow_and_others_stay() -> None:
    standard, premium, basic = (
        InstanceConfigFactory(tier=tier).instance_id
        for tier in (Tier.STANDARD, Tier.PREMIUM, Tier.BASIC)
    )
    exception = InstanceConfigFactory(tier=Tier.STANDARD, limitations={"maxStorageBytes": 9})
    deleted = InstanceConfigFactory(tier=Tier.STANDARD)
    deleted.delete()
    StorageUsage.objects.filter(instance_id=basic).update(limit_bytes=55)  # somebody chose that
    found = tiers.sync(using="default")
    assert [str(each) for each in found] == [
        f"STANDARD: {STANDARD} bytes, and the settings say 7 bytes",
        "PREMIUM: 21474836480 bytes, and the settings say no limit",
    ]
    assert usage(standard).limit_bytes == 7
    assert usage(premium).limit_bytes == UNLIMITED
    assert usage(basic).limit_bytes == 55
    assert usage(exception.instance_id).limit_bytes == 9
    assert usage(deleted.instance_id).limit_bytes == 0
    # So does who comes to the tier later.
    InstanceConfig.objects.filter(instance_id=basic).update(tier=Tier.STANDARD)
    assert usage(basic).limit_bytes == 7
    assert tiers.sync(using="default") == []


def test_a_change_that_is_taken_back_brings_the_catalogues_limit_back(settings) -> None:
    config = InstanceConfigFactory(tier=Tier.STANDARD)
    settings.KITEHUB_PLANS = {"STANDARD": {"storage_bytes": 7}}
    tiers.sync(using="default")
    settings.KITEHUB_PLANS = {"STANDARD": {"storage_bytes": 8}}
    tiers.sync(using="default")
    assert usage(config.instance_id).limit_bytes == 8
    settings.KITEHUB_PLANS = {}
    tiers.sync(using="default")
    assert usage(config.instance_id).limit_bytes == STANDARD
    assert not TierLimit.objects.exists()


def test_rows_that_others_write_move_the_limits_too() -> None:
    config = InstanceConfigFactory(tier=Tier.STANDARD)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO storage_tier_limits VALUES ('STANDARD', 3)")
        assert usage(config.instance_id).limit_bytes == 3
        cursor.execute("TRUNCATE storage_tier_limits")
    assert usage(config.instance_id).limit_bytes == STANDARD


@pytest.mark.usefixtures("_changed")
def test_check_invariants_says_that_they_differ() -> None:
    def said() -> list[str]:
        return [each.what for each in findings(connection) if "tier_limits" in each.table]

    assert said() == ["limits differ from KITEHUB_PLANS: manage.py sync_plans"]
    tiers.sync(using="default")
    assert said() == []


@pytest.mark.usefixtures("_changed")
def test_migrate_and_opening_a_school_leave_the_database_in_step() -> None:
    tiers.sync_after_migrate(using="default")
    assert TierLimit.objects.count() == 2
    TierLimit.objects.all().delete()
    opened = workflows.open_instance(
        subdomain="sao-mai",
        organization_name="Sao Mai",
        owner=UserFactory(),
        actor="t",
        tier=Tier.STANDARD,
    )
    assert usage(opened.instance.id).limit_bytes == 7


class TestCommand:
    @pytest.fixture
    def school(self, silo: Instance) -> Iterator[Instance]:
        with tenancy.use(silo):
            InstanceConfig.objects.create(tier=Tier.STANDARD)
        yield silo
        TierLimit.objects.all().delete()

    def test_pool_and_silos_are_brought_in_step(
        self, school: Instance, capsys: pytest.CaptureFixture[str], settings
    ) -> None:
        pooled = InstanceConfigFactory(tier=Tier.STANDARD)
        call_command("sync_plans", "--check")
        settings.KITEHUB_PLANS = {"STANDARD": {"storage_bytes": 7}}
        with pytest.raises(CommandError, match=r"Databases that differ: 2\. Run manage.py sync"):
            call_command("sync_plans", "--check")
        assert usage(pooled.instance_id).limit_bytes == STANDARD
        call_command("sync_plans")
        said = capsys.readouterr().out
        assert f"pool: STANDARD: {STANDARD} bytes, and the settings say 7 bytes" in said
        assert f"{tenancy.database_of(school)}: STANDARD: " in said
        assert said.splitlines()[-1] == ("As the settings say: 2 of 2 databases, 2 brought there.")
        assert usage(pooled.instance_id).limit_bytes == 7
        with tenancy.use(school):
            assert StorageUsage.objects.get().limit_bytes == 7
        call_command("sync_plans", "--check")

    def test_a_silo_that_cannot_be_reached_is_reported_and_the_rest_go_on(
        self, school: Instance, capsys: pytest.CaptureFixture[str], settings
    ) -> None:
        InstanceFactory(database_url="postgres:///kitehub_nowhere", database_username="")
        InstanceFactory(database_url="mysql://nothing")
        settings.KITEHUB_PLANS = {"STANDARD": {"storage_bytes": 7}}
        with pytest.raises(CommandError, match=r"could not be reached: 2\."):
            call_command("sync_plans")
        assert "kitehub_nowhere" in capsys.readouterr().err
        with tenancy.use(school):
            assert StorageUsage.objects.get().limit_bytes == 7
