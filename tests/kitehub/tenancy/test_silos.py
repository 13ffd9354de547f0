"""A silo has the tenants' tables only; what is written for its school goes nowhere else."""

from typing import Any

import pytest
from django.db import connection, connections, transaction

from analytics.models import GuestEvent, GuestSession
from kitehub import tenancy
from kitehub.db import catalog
from kitehub.db.acting import acting
from kitehub.enums import Tier
from kitehub.models import Instance, InstanceConfig
from kitehub.tenancy.router import TenantRouter, tenant_labels
from storage.models import StorageEvent, StorageUsage
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.tenancy.conftest import living_in


def test_silo_has_the_tenants_tables_exactly_as_the_pool_has_them(silo: Instance) -> None:
    pool, own = catalog.read(connection), catalog.read(connections[tenancy.alias_of(silo)])
    tables = {model._meta.db_table for model in (GuestEvent, GuestSession, InstanceConfig)}
    tables |= {"storage_usage", "storage_events", "storage_reservations", "storage_tier_limits"}
    tables |= {"instance_gates", "instance_changes", "archive_runs"}
    assert {key.table for key in own.of_kind("table")} == {*tables, "django_migrations"}
    assert {key: own[key] for key in own if key.table in tables} == {
        key: pool[key] for key in pool if key.table in tables
    }
    assert not own.of_kind("enum")
    assert {key: own[key] for key in own.of_kind("function")}.items() <= dict(pool).items()


def test_rows_go_to_the_silo_and_not_to_the_pool(silo: Instance, pooled: Instance) -> None:
    with tenancy.use(silo):
        GuestEvent.objects.create(session_id="s", event_type="page_view")
        InstanceConfig.objects.create(tier=Tier.STANDARD)
        with tenancy.atomic(), acting("an upload", using=tenancy.alias_of(silo)):
            StorageEvent.objects.create(
                file_type="IMAGE",
                file_name="a",
                file_url="u",
                file_size_bytes=7,
                operation="UPLOAD",
            )
        assert StorageUsage.objects.get().used_bytes == 7
        assert StorageEvent.objects.get().created_by == "an upload"
        assert Instance.objects.count() == 2  # the platform's tables stay where they are
    with tenancy.use(pooled):
        assert GuestEvent.objects.count() == 0
    assert (GuestEvent.objects.count(), StorageUsage.objects.count()) == (0, 0)


def test_rows_of_another_school_in_the_same_silo_stay_hidden(silo: Instance) -> None:
    flatmate = living_in(silo.database_url.rpartition("/")[2])
    assert tenancy.alias_of(flatmate) == tenancy.alias_of(silo)
    with tenancy.use(silo):
        GuestEvent.objects.create(session_id="s", event_type="page_view")
    with tenancy.use(flatmate):
        assert GuestEvent.objects.count() == 0


class TestAcrossDatabases:
    def test_subquery_says_why_it_cannot_be(self, silo: Instance) -> None:
        with (
            tenancy.use(silo),
            pytest.raises(ValueError, match="Subqueries aren't allowed across different databases"),
        ):
            list(Instance.objects.filter(id__in=GuestEvent.objects.values("instance_id")))

    def test_write_under_the_platforms_transaction_is_refused(self, silo: Instance) -> None:
        with tenancy.use(silo), transaction.atomic():
            assert GuestEvent.objects.count() == 0  # reading is harmless
            with pytest.raises(tenancy.AcrossDatabases, match="could not undo it"):
                GuestEvent.objects.create(session_id="s", event_type="page_view")
            with pytest.raises(tenancy.AcrossDatabases):
                GuestEvent.objects.update(event_type="x")
            with pytest.raises(tenancy.AcrossDatabases):
                GuestEvent.objects.all().delete()
        with tenancy.use(silo):
            assert GuestEvent.objects.count() == 0

    def test_transaction_of_the_silo_undoes_its_writes(self, silo: Instance) -> None:
        with tenancy.use(silo):
            with tenancy.atomic():
                GuestEvent.objects.create(session_id="s", event_type="page_view")
                transaction.set_rollback(True, using=tenancy.alias_of(silo))
            assert GuestEvent.objects.count() == 0

    def test_pool_is_the_platforms_database_and_shares_its_transaction(
        self, pooled: Instance
    ) -> None:
        with tenancy.use(pooled), transaction.atomic():
            GuestEvent.objects.create(session_id="s", event_type="page_view")
        assert GuestEvent.objects.count() == 1


def test_no_platform_table_is_ever_made_in_a_silo() -> None:
    router = TenantRouter()
    assert router.allow_migrate("default", "billing", "paymentorder") is None
    assert router.allow_migrate("silo_1", "billing", "paymentorder") is False
    assert router.allow_migrate("silo_1", "auth") is False
    assert router.allow_migrate("silo_1", "storage", models=("storage.StorageEvent",)) is True
    mixed = ("storage.StorageEvent", "kitehub.Instance")
    assert router.allow_migrate("silo_1", "storage", models=mixed) is False
    assert all("." in label for label in tenant_labels())


def test_server_that_never_answers_is_given_up_soon() -> None:
    def options(url: str) -> dict[str, Any]:
        school = InstanceFactory.build(database_url=url, database_username="u")
        alias = tenancy.alias_of(school)
        found: dict[str, Any] = connections.settings[alias]["OPTIONS"]
        return found

    assert options("postgres://a.example.vn/kitehub") == {"connect_timeout": 5}
    assert options("postgres://b.example.vn/kitehub?connect_timeout=9&sslmode=require") == {
        "connect_timeout": 9,
        "sslmode": "require",
    }
