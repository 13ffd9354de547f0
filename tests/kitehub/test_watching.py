"""What is seen of instances' databases, and that a silo which is away stops nobody."""

import pytest
from django.core.management import call_command
from django.db import connection

from kitehub import tenancy, workflows
from kitehub.models import Instance, InstanceConfig, InstanceWatch
from kitehub.tenancy.fanout import Result, Silo, State, newest
from kitehub.tenancy.fanout.plans import Step, Way
from storage.models import UNLIMITED, StorageUsage
from tests.factories.kitehub import ApiKeyFactory, InstanceFactory
from tests.kitehub.tenancy.conftest import database, living_in

GB = 2**30


def opened(school: Instance, *, used: int = 0, limit: int = 5 * GB) -> Instance:
    """What an opening leaves: a config, a key, and so much stored."""
    with tenancy.use(school):
        InstanceConfig.objects.create(tier=school.tier)
        StorageUsage.objects.update_or_create(defaults={"used_bytes": used, "limit_bytes": limit})
    ApiKeyFactory(instance=school)
    return school


def seen(school: Instance) -> InstanceWatch:
    return InstanceWatch.objects.get(instance=school)


def test_storage_schema_and_opening_are_seen_in_the_pool_and_in_a_silo(silo: Instance) -> None:
    opened(silo, used=9 * GB // 2 + 1)
    full, unlimited = InstanceFactory(), opened(InstanceFactory(), used=GB, limit=UNLIMITED)
    opened(full, used=9 * GB // 2)
    bare = InstanceFactory()
    done = workflows.watch_instances()
    assert (done.looked, done.unreachable) == (4, ())
    assert set(InstanceWatch.objects.nearly_full().values_list("instance_id", flat=True)) == {
        silo.pk
    }, "nine tenths are not over nine tenths"
    watch = seen(silo)
    assert (watch.used_bytes, watch.limit_bytes) == (9 * GB // 2 + 1, 5 * GB)
    assert (watch.schema_version, watch.missing_migrations, watch.whole) == (newest(), 0, True)
    assert (seen(unlimited).used_bytes, seen(unlimited).limit_bytes) == (GB, None)
    assert [watch.instance_id for watch in InstanceWatch.objects.unfinished()] == [bare.pk]


def test_silo_that_is_away_is_said_so_and_keeps_what_was_seen(
    silo: Instance, capsys: pytest.CaptureFixture[str]
) -> None:
    opened(silo, used=GB)
    workflows.watch_instances()
    before = seen(silo)
    where = silo.database_url
    Instance.objects.filter(pk=silo.pk).update(database_url="postgres:///kitehub_nowhere")
    wrong = InstanceFactory(database_url="nonsense")
    pooled = opened(InstanceFactory())
    call_command("watch_instances")
    assert "Unreachable: 2." in capsys.readouterr().out
    away = seen(silo)
    assert not away.reachable
    assert "kitehub_nowhere" in away.error
    assert (away.used_bytes, away.reached_at) == (GB, before.reached_at)
    assert away.looked_at > before.looked_at
    assert not seen(wrong).reachable
    assert seen(pooled).reachable
    Instance.objects.filter(pk=silo.pk).update(database_url=where)
    assert workflows.watch_instance(instance=Instance.objects.get(pk=silo.pk)).reachable


def test_database_without_our_tables_is_behind_and_unfinished(transactional_db: None) -> None:
    with database() as name:
        school = living_in(name)
        school.owner.save()
        school.save()
        watch = workflows.watch_instance(instance=school)
    assert (watch.reachable, watch.whole, watch.schema_version) == (True, False, "")
    assert watch.missing_migrations > 50


@pytest.mark.django_db
def test_what_was_seen_of_a_deleted_school_is_forgotten() -> None:
    school = InstanceFactory()
    workflows.watch_instances()
    school.delete()
    workflows.watch_instances()
    assert not InstanceWatch.objects.exists()


@pytest.mark.django_db
def test_a_run_of_migrate_tenants_is_kept_without_looking_again() -> None:
    done, failed, held = (InstanceFactory() for _ in range(3))
    workflows.watch_instances()
    InstanceWatch.objects.update(missing_migrations=7, schema_version="V1")
    step = Step(Way.SQL, (("storage", "0099_x"), ("storage", "0100_y")), ())
    workflows.note_schemas(
        [
            Result(Silo("a", "a", (done.subdomain,)), State.MIGRATED),
            Result(Silo("b", "b", (failed.subdomain,)), State.FAILED, steps=(step,)),
            Result(Silo("c", "c", (held.subdomain,)), State.HELD, steps=(step,)),
        ]
    )
    assert (seen(done).missing_migrations, seen(done).schema_version) == (0, newest())
    assert (seen(failed).missing_migrations, seen(failed).schema_version) == (2, "V1")
    assert seen(held).missing_migrations == 7


def test_migrate_tenants_tells_the_back_office(silo: Instance) -> None:
    workflows.watch_instances()
    InstanceWatch.objects.update(missing_migrations=7)
    call_command("migrate_tenants", "--dry-run", verbosity=0)
    assert seen(silo).missing_migrations == 7
    call_command("migrate_tenants", verbosity=0)
    assert seen(silo).missing_migrations == 0


@pytest.mark.django_db
def test_queues_read_partial_indexes() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for rows in (
            InstanceWatch.objects.nearly_full(),
            InstanceWatch.objects.behind(),
            InstanceWatch.objects.unreachable(),
            InstanceWatch.objects.unfinished(),
        ):
            assert "idx_instance_watch" in rows.values("instance_id").explain()
