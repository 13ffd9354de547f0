"""Within `use` code sees and writes one instance's rows only, in the pool as in a silo."""

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import IntegrityError, models

from analytics.models import GuestEvent, GuestSession
from kitehub import tenancy
from kitehub.db.base import StaleRow
from kitehub.models import Instance, InstanceConfig
from kitehub.tenancy.base import PerDatabase, Tenant, TenantManager
from storage.models import StorageEvent, StorageUsage
from tests.factories.analytics import GuestEventFactory, GuestSessionFactory
from tests.factories.kitehub import InstanceConfigFactory
from tests.factories.storage import StorageEventFactory

FACTORIES: dict[type[models.Model], Any] = {
    GuestSession: GuestSessionFactory,
    GuestEvent: GuestEventFactory,
    StorageEvent: StorageEventFactory,
    InstanceConfig: InstanceConfigFactory,
}


@pytest.fixture(params=FACTORIES, ids=lambda model: model.__name__)
def model(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture
def theirs(model: Any, neighbour: Instance) -> Any:
    """A row of the neighbour's."""
    return FACTORIES[model](instance_id=neighbour.id)


def test_tenant_tables_are_those_of_the_plan_and_what_came_later() -> None:
    tenants = {each._meta.db_table for each in apps.get_models() if issubclass(each, Tenant)}
    assert tenants == {
        "instance_configs",
        "guest_sessions",
        "guest_events",
        "storage_usage",
        "storage_events",
        "storage_reservations",
    }


def test_every_table_with_a_bare_instance_id_is_a_tenants_and_all_its_managers_are_scoped() -> None:
    for each in apps.get_models():
        try:
            field = each._meta.get_field("instance_id")
        except FieldDoesNotExist:
            continue
        if isinstance(field, models.UUIDField):
            if issubclass(each, PerDatabase):
                continue
            assert issubclass(each, Tenant)
            assert all(isinstance(one, TenantManager) for one in each._meta.managers)


def test_only_the_instances_rows_are_seen(pooled: Instance, model: Any, theirs: Any) -> None:
    ours = FACTORIES[model](instance_id=pooled.id)
    assert model.objects.count() == 2
    with tenancy.use(pooled):
        assert list(model.objects.all()) == [ours]
        assert model.objects.filter(pk=theirs.pk).first() is None
        assert model.objects.in_bulk([ours.pk, theirs.pk]) == {ours.pk: ours}
        assert model.objects.filter(instance_id=theirs.instance_id).count() == 0
        assert list(model.objects.union(model.objects.filter(pk=theirs.pk))) == [ours]
    assert model.objects.count() == 2


def test_row_made_within_is_the_instances_without_saying_so(pooled: Instance) -> None:
    with tenancy.use(pooled):
        made = GuestEvent.objects.create(session_id="s", event_type="page_view")
        GuestEvent.objects.bulk_create([GuestEvent(session_id="s", event_type="page_view")])
        got, created = GuestEvent.objects.get_or_create(session_id="t", event_type="page_view")
    assert created
    assert {made.instance_id, got.instance_id} == {pooled.id}
    assert GuestEvent.objects.filter(instance_id=pooled.id).count() == 3


WRITES: dict[str, Callable[[Any, Any], Any]] = {
    "save": lambda model, row: row.save(),
    "create": lambda model, row: model.objects.create(instance_id=row.instance_id),
    "bulk_create": lambda model, row: model.objects.bulk_create([row]),
    "delete": lambda model, row: row.delete(),
    "give away": lambda model, row: model.objects.update(instance_id=row.instance_id),
}


@pytest.mark.parametrize("write", WRITES)
def test_writing_another_instances_row_is_refused(
    write: str, pooled: Instance, model: Any, theirs: Any
) -> None:
    with tenancy.use(pooled), pytest.raises(tenancy.OtherInstance, match=str(pooled.id)):
        WRITES[write](model, theirs)
    assert model.objects.get(pk=theirs.pk).instance_id == theirs.instance_id


def test_another_instances_id_gets_nobody_its_row(
    pooled: Instance, model: Any, theirs: Any
) -> None:
    with tenancy.use(pooled):
        forged = model(pk=theirs.pk)
        with pytest.raises(model.DoesNotExist):
            forged.refresh_from_db()
        assert model.objects.filter(pk=theirs.pk).update(instance_id=pooled.id) == 0
    assert model.objects.get(pk=theirs.pk).instance_id == theirs.instance_id


@pytest.mark.django_db(transaction=True)
def test_saving_over_another_instances_id_changes_nothing(
    pooled: Instance, neighbour: Instance
) -> None:
    theirs = GuestEventFactory(instance_id=neighbour.id)
    with tenancy.use(pooled), pytest.raises(IntegrityError):
        GuestEvent(pk=theirs.pk, session_id="stolen", event_type="page_view").save()
    theirs.refresh_from_db()
    assert (theirs.instance_id, theirs.session_id != "stolen") == (neighbour.id, True)


@pytest.mark.parametrize("model", [GuestSession, GuestEvent, InstanceConfig])  # that is append-only
def test_deletion_of_many_stays_with_the_instance(
    pooled: Instance, neighbour: Instance, model: Any
) -> None:
    theirs = FACTORIES[model](instance_id=neighbour.id)
    FACTORIES[model](instance_id=pooled.id)
    with tenancy.use(pooled):
        model.objects.all().delete()
        assert model.objects.count() == 0
    assert list(model.objects.all()) == [theirs]


EVALUATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "read": lambda rows, model: list(rows),
    "count": lambda rows, model: rows.count(),
    "a clone": lambda rows, model: rows.all(),
    "update": lambda rows, model: rows.update(instance_id=uuid.uuid4()),
    "delete": lambda rows, model: rows.delete(),
    "subquery": lambda rows, model: list(model.objects.filter(pk__in=rows)),
    "exists": lambda rows, model: list(model.objects.filter(models.Exists(rows))),
    "union": lambda rows, model: list(model.objects.union(rows)),
}


@pytest.mark.parametrize("evaluation", EVALUATIONS)
def test_queryset_from_outside_shows_nobodys_rows_within(
    pooled: Instance, neighbour: Instance, evaluation: str
) -> None:
    GuestEventFactory(instance_id=neighbour.id)
    outside = GuestEvent.objects.all()
    with tenancy.use(neighbour):
        inside = GuestEvent.objects.all()
    for rows in (outside, inside):
        with tenancy.use(pooled), pytest.raises(tenancy.OtherInstance, match=str(pooled.id)):
            EVALUATIONS[evaluation](rows, GuestEvent)
    # A page may be rendered after the block.
    assert (len(outside), len(inside)) == (1, 1)


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (GuestSession, "delete"),
        (GuestEvent, "delete"),
        (InstanceConfig, "delete"),
        (InstanceConfig, "hard_delete"),
    ],
)
def test_a_forged_row_deletes_nobodys(pooled: Instance, model: Any, theirs: Any, kind: str) -> None:
    with tenancy.use(pooled):
        for forged in (model(pk=theirs.pk), model(pk=theirs.pk, instance_id=pooled.id)):
            try:
                getattr(forged, kind)()
            except StaleRow:  # a deletion that is a mark is a save
                assert (model, kind) == (InstanceConfig, "delete")
        with pytest.raises(tenancy.OtherInstance):
            getattr(theirs, kind)()
    assert model.objects.filter(pk=theirs.pk).exists()


def test_inner_use_ends_with_its_block(pooled: Instance, neighbour: Instance) -> None:
    def instance_id() -> uuid.UUID | None:
        scope = tenancy.current()
        return scope.instance_id if scope else None

    with tenancy.use(pooled):
        with tenancy.use(neighbour):
            assert instance_id() == neighbour.id
        assert instance_id() == pooled.id
        with pytest.raises(ZeroDivisionError), tenancy.use(neighbour):
            _ = 1 / 0
        assert instance_id() == pooled.id
    assert instance_id() is None


def test_coroutines_and_their_threads_have_each_their_own(
    pooled: Instance, neighbour: Instance
) -> None:
    async def work(school: Instance) -> list[uuid.UUID | None]:
        seen = []
        with tenancy.use(school):
            for _ in range(5):
                await asyncio.sleep(0)
                scope = await sync_to_async(tenancy.current, thread_sensitive=False)()
                seen.append(scope.instance_id if scope else None)
        return seen

    async def both() -> list[list[uuid.UUID | None]]:
        return await asyncio.gather(work(pooled), work(neighbour))

    assert asyncio.run(both()) == [[pooled.id] * 5, [neighbour.id] * 5]


class TestWhereAnInstanceIsRequired:
    @pytest.mark.parametrize(
        "forgetful",
        [
            lambda: GuestEvent.objects.count(),
            lambda: InstanceConfig.all_objects.first(),
            lambda: StorageUsage.objects.update(used_bytes=0),
            lambda: GuestEvent(session_id="s", event_type="x", instance_id=uuid.uuid4()).save(),
            lambda: GuestEvent.objects.bulk_create([GuestEvent(instance_id=uuid.uuid4())]),
        ],
    )
    def test_code_that_names_none_fails(self, forgetful: Callable[[], Any], db: None) -> None:
        with tenancy.require(), pytest.raises(tenancy.NoInstance):
            forgetful()

    def test_code_that_names_one_works(self, pooled: Instance) -> None:
        with tenancy.require(), tenancy.use(pooled):
            assert GuestEvent.objects.count() == 0
        assert GuestEvent.objects.count() == 0

    def test_platform_tables_need_none(self, pooled: Instance) -> None:
        with tenancy.require():
            assert Instance.objects.get() == pooled
