"""No instance reads, counts, changes or deletes a row of another, whichever way the ORM has."""

from contextlib import nullcontext
from typing import Any

import pytest
from django.core.exceptions import FieldError, ObjectDoesNotExist
from django.db import DatabaseError, connection, connections, transaction

from kitehub import tenancy
from kitehub.db.base import StaleRow
from kitehub.models import Instance
from tests.kitehub.isolation.attempts import (
    READS,
    READS_IN_THE_POOL,
    TAKING,
    Attempt,
    writes_of,
)
from tests.kitehub.isolation.conftest import FACTORIES, TENANTS, Pair

# How an attempt may end, beside finding nothing.
REFUSED = (
    tenancy.OtherInstance,
    tenancy.AcrossDatabases,
    ObjectDoesNotExist,
    StaleRow,
    DatabaseError,
    ValueError,  # a query across databases
)
each_model = pytest.mark.parametrize("model", TENANTS, ids=lambda model: model.__name__)


def reaches(pair: Pair, row: Any, attempt: Attempt, by: Instance | None) -> bool:
    """Whether an attempt by an instance, or by nobody, finds the row or changes it.

    All is undone afterwards.
    """
    before = pair.stored(row)
    alias = tenancy.alias_of(by) if by else tenancy.POOL
    with tenancy.use(by) if by else nullcontext():
        try:
            with transaction.atomic(using=alias):
                try:
                    with transaction.atomic(using=alias):
                        found = bool(attempt(type(row), row))
                except REFUSED:
                    found = False
                changed = pair.stored(row) != before
                transaction.set_rollback(True, using=alias)
        finally:
            assert not connections[alias].in_atomic_block or alias == tenancy.POOL
    return changed or found


def writes(attempt: Attempt) -> Attempt:
    """What a write returns says nothing; what became of the row does."""
    return lambda model, row: attempt(model, row) and None


def leaks(pair: Pair, model: Any, *, in_the_pool: bool = False) -> list[str]:
    """The attempts of ours by which it gets at a row of theirs."""
    pair.row(model, pair.ours)
    row = pair.row(model, pair.theirs)
    reads = READS | (READS_IN_THE_POOL if in_the_pool else {})
    changing = {name: writes(each) for name, each in (writes_of(model) | TAKING).items()}
    return [
        f"{model.__name__}: {name}"
        for name, attempt in (reads | changing).items()
        if reaches(pair, row, attempt, pair.ours)
    ]


@each_model
def test_in_the_pool_nothing_is_reached(pool: Pair, model: Any) -> None:
    assert leaks(pool, model, in_the_pool=True) == []


@each_model
def test_control_without_use_every_attempt_reaches_the_row(pool: Pair, model: Any) -> None:
    pool.row(model, pool.ours)
    row = pool.row(model, pool.theirs)
    reads = READS | READS_IN_THE_POOL
    missed = [name for name, each in reads.items() if not reaches(pool, row, each, None)]
    if not append_only(model):
        missed += [
            name
            for name, each in writes_of(model).items()
            if not reaches(pool, row, writes(each), None)
        ]
    assert missed == []


def test_across_two_silos_nothing_is_reached(silos: Pair) -> None:
    assert tenancy.alias_of(silos.ours) != tenancy.alias_of(silos.theirs)
    assert [leak for model in TENANTS for leak in leaks(silos, model)] == []


def test_in_one_silo_for_both_nothing_is_reached(shared_silo: Pair) -> None:
    assert tenancy.alias_of(shared_silo.ours) == tenancy.alias_of(shared_silo.theirs)
    assert [leak for model in TENANTS for leak in leaks(shared_silo, model)] == []


def test_control_in_a_silo_its_own_school_reaches_the_row(silos: Pair) -> None:
    for model in TENANTS:
        row = silos.row(model, silos.theirs)
        for name in ("all", "base manager", "get", "in_bulk", "aggregate", "subquery", "reread"):
            assert reaches(silos, row, READS[name], silos.theirs), (model, name)


@each_model
def test_every_table_is_tried_and_leads_to_no_other(pool: Pair, model: Any) -> None:
    """With a relation there would be lookups along it, and they would need attempts."""
    assert model in FACTORIES, "a factory is needed, or nobody tries to get at its rows"
    assert [field.name for field in model._meta.get_fields() if field.is_relation] == []
    with tenancy.use(pool.ours):
        for lookup in ("instance__subdomain", "instance__owner__email"):
            with pytest.raises(FieldError):
                model.objects.filter(**{lookup: pool.theirs.subdomain})
        with pytest.raises(FieldError):
            list(model.objects.select_related("instance"))
        pool.row(model, pool.ours)
        with pytest.raises(AttributeError):
            list(model.objects.prefetch_related("instance"))


def test_no_table_of_the_platform_leads_to_a_tenants() -> None:
    """Else a reverse manager of a school that code has at hand would be another way."""
    for field in Instance._meta.get_fields():
        assert field.related_model not in TENANTS


def append_only(model: Any) -> bool:
    """Whether the database refuses every change of a table's rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = %s::regclass"
            " AND tgfoid = 'refuse_change()'::regprocedure)",
            [model._meta.db_table],
        )
        return bool(cursor.fetchone()[0])
