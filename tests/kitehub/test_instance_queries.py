"""The plan's questions about instances and configs: right answers, from their indexes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db.models import QuerySet

from kitehub.enums import InstanceStatus, Tier
from kitehub.models import Instance, InstanceConfig
from tests.explain import filled, indexes_used, is_sorted_by_index
from tests.factories.kitehub import InstanceConfigFactory, InstanceFactory, UserFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)
both_managers = pytest.mark.parametrize(
    "instances", [Instance.objects, Instance.all_objects], ids=["objects", "all_objects"]
)


@pytest.fixture(scope="class")
def many(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A school every two minutes; of the last 8,000 three quarters still try, from NOW on."""
    columns = {
        "subdomain": "'s' || n",
        "custom_domain": "CASE WHEN n % 20 = 0 THEN 's' || n || '.edu.vn' END",
        "organization_name": "'Trung tâm ' || n",
        "owner_id": "lpad(to_hex(n % 60000), 32, '0')::uuid",
        "tier": "(ARRAY['BASIC', 'STANDARD', 'PREMIUM'])[1 + n % 3]",
        "status": """CASE WHEN n > 92000 AND n % 4 > 0 THEN 'TRIAL' WHEN n % 10 < 8 THEN 'ACTIVE'
            WHEN n % 10 < 9 THEN 'SUSPENDED' ELSE 'CLOSED' END""",
        "database_url": "'postgres://127.0.0.1/kitehub'",
        "database_username": "'kitehub'",
        "database_password": "'not-a-secret'",
        "trial_expires_at": f"'{NOW}'::timestamptz + (n - 92000) * interval '2 minutes'",
        "deleted": "n % 50 = 0",
    }
    with django_db_blocker.unblock(), filled("instances", columns, scatter=30_000):
        yield


@pytest.mark.usefixtures("many")
class TestOnAHundredThousandInstances:
    @both_managers
    def test_trials_that_end_come_sorted_from_their_index(
        self, instances: "QuerySet[Instance]"
    ) -> None:
        ending = instances.trial_ending(before=NOW + 3 * DAY)

        assert indexes_used(ending) == {"idx_instances_trial_expires"}
        assert indexes_used(ending[:50]) == {"idx_instances_trial_expires"}
        assert is_sorted_by_index(ending)
        assert [instance.subdomain for instance in ending] == [
            f"s{n}"
            for n in range(92_001, 94_160)
            if n % 4 and (n % 50 or instances is Instance.all_objects)
        ]

    @both_managers
    def test_an_owners_instances_come_from_their_index(
        self, instances: "QuerySet[Instance]"
    ) -> None:
        own = instances.owned_by(UUID(int=7))
        assert indexes_used(own) == {"idx_instances_owner"}
        assert {instance.subdomain for instance in own} == {"s7", "s60007"}

    def test_a_domain_comes_from_its_index(self) -> None:
        found = Instance.objects.at_domain("s40.edu.vn")
        assert indexes_used(found) == {"idx_instances_custom_domain"}
        assert found.get().subdomain == "s40"


@pytest.fixture(scope="class")
def many_configs(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """One config in forty is PREMIUM."""
    columns = {
        "instance_id": "lpad(to_hex(n), 32, '0')::uuid",
        "tier": "CASE WHEN n % 40 = 1 THEN 'PREMIUM' ELSE 'BASIC' END",
        "deleted": "n % 50 = 0",
    }
    with django_db_blocker.unblock(), filled("instance_configs", columns):
        yield


@pytest.mark.usefixtures("many_configs")
class TestOnAHundredThousandConfigs:
    def test_a_tiers_configs_come_from_an_index(self) -> None:
        premium = InstanceConfig.all_objects.of_tier(Tier.PREMIUM)
        assert indexes_used(premium) == {"idx_instance_configs_tier"}
        assert premium.count() == 2500
        (index,) = indexes_used(premium.alive())
        assert index in {"idx_instance_configs_tier", "idx_instance_configs_tier_deleted"}


def test_a_trial_ends_before_a_moment_only_if_strictly_so() -> None:
    instance = InstanceFactory(trial=True, trial_expires_at=NOW)
    InstanceFactory(trial=True, trial_expires_at=None)
    assert not Instance.objects.trial_ending(before=NOW)
    assert Instance.objects.trial_ending(before=NOW + TICK).get() == instance


@pytest.mark.parametrize("status", [s for s in InstanceStatus if s != InstanceStatus.TRIAL])
def test_who_does_not_try_has_no_trial_that_ends(status: str) -> None:
    InstanceFactory(status=status, trial_expires_at=NOW)
    assert not Instance.objects.trial_ending(before=NOW + DAY)
    assert not Instance.objects.in_trial()


def test_owners_and_domains_find_their_own() -> None:
    owner = UserFactory()
    instance = InstanceFactory(owner=owner, custom_domain="hoc.example.vn")
    InstanceFactory()
    assert Instance.objects.owned_by(owner.id).get() == instance
    assert Instance.objects.at_domain("hoc.example.vn").get() == instance
    assert not Instance.objects.at_domain("example.vn")


def test_softly_deleted_rows_hide_from_objects_alone() -> None:
    instance = InstanceFactory(trial=True, trial_expires_at=NOW, deleted=True)
    config = InstanceConfigFactory(tier=Tier.PREMIUM, deleted=True)
    assert not Instance.objects.trial_ending(before=NOW + DAY)
    assert Instance.all_objects.trial_ending(before=NOW + DAY).get() == instance
    assert not InstanceConfig.objects.of_tier(Tier.PREMIUM)
    assert InstanceConfig.all_objects.of_tier(Tier.PREMIUM).get() == config
    assert not InstanceConfig.all_objects.of_tier(Tier.PREMIUM).alive()
