"""Ways to get at a row of another instance. Each is true if it did, unless it raises."""

import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from asgiref.sync import async_to_sync
from django.core.paginator import Paginator
from django.db.models import Count, DateTimeField, Exists, F, Max, OuterRef, Subquery

from kitehub import tenancy
from kitehub.models import Instance

Attempt = Callable[[Any, Any], Any]


def when(model: Any) -> str:
    """The field that the writes change: a moment, which no rule ties to another field."""
    kept = {"updated_at", "deleted_at", "settled_at"}
    return next(
        field.name
        for field in model._meta.concrete_fields
        if isinstance(field, DateTimeField) and field.name not in kept
    )


def changes(theirs: Any) -> dict[str, Any]:
    """A new value for that field."""
    name = when(type(theirs))
    return {name: getattr(theirs, name) + timedelta(days=1)}


def forged(theirs: Any) -> Any:
    """Their row's id on a row that says it is ours; outside of `use`, that it is theirs."""
    scope = tenancy.current()
    made = copy.copy(theirs)
    made._state = copy.copy(theirs._state)
    made.instance_id = scope.instance_id if scope else theirs.instance_id
    for name, value in changes(theirs).items():
        setattr(made, name, value)
    return made


def _among(rows: Any, theirs: Any) -> bool:
    return theirs.pk in {row.pk for row in rows}


def _pages(model: Any, theirs: Any) -> bool:
    pages = Paginator(model.objects.order_by("pk"), 1)
    return any(_among(page.object_list, theirs) for page in pages)


def _alias(theirs: Any) -> str:
    alias: str = tenancy.alias_of(Instance.objects.get(pk=theirs.instance_id))
    return alias


READS: dict[str, Attempt] = {
    "all": lambda model, theirs: _among(model.objects.all(), theirs),
    "every manager": lambda model, theirs: any(
        _among(manager.all(), theirs) for manager in model._meta.managers
    ),
    "base manager": lambda model, theirs: _among(model._base_manager.all(), theirs),
    "default manager": lambda model, theirs: _among(model._default_manager.all(), theirs),
    "iterator": lambda model, theirs: _among(model.objects.iterator(chunk_size=10), theirs),
    "their database": lambda model, theirs: _among(
        model._base_manager.using(_alias(theirs)).all(), theirs
    ),
    "values": lambda model, theirs: theirs.pk in model.objects.values_list("pk", flat=True),
    "get": lambda model, theirs: model.objects.get(pk=theirs.pk),
    "id": lambda model, theirs: model.objects.filter(pk=theirs.pk).first(),
    "instance": lambda model, theirs: model.objects.filter(instance_id=theirs.instance_id).last(),
    "not ours": lambda model, theirs: model.objects.exclude(
        instance_id=getattr(tenancy.current(), "instance_id", None)
    ).exists(),
    "field": lambda model, theirs: model.objects.filter(
        **{when(model): getattr(theirs, when(model))}, pk=theirs.pk
    ).exists(),
    "in_bulk": lambda model, theirs: model.objects.in_bulk([theirs.pk]),
    "count": lambda model, theirs: model.objects.filter(pk=theirs.pk).count(),
    "count of all": lambda model, theirs: model.objects.count() > 1,
    "exists": lambda model, theirs: model.objects.filter(pk=theirs.pk).exists(),
    "contains": lambda model, theirs: model.objects.contains(theirs),
    "aggregate": lambda model, theirs: model.objects.filter(pk=theirs.pk).aggregate(
        n=Count("pk"), last=Max(when(model))
    )["n"],
    "group": lambda model, theirs: (
        theirs.instance_id
        in dict(model.objects.order_by().values_list("instance_id").annotate(n=Count("pk")))
    ),
    "union": lambda model, theirs: _among(
        model.objects.none().union(model.objects.all(), model.objects.filter(pk=theirs.pk)), theirs
    ),
    "or": lambda model, theirs: _among(
        model.objects.none() | model.objects.filter(pk=theirs.pk), theirs
    ),
    "difference": lambda model, theirs: _among(
        model._base_manager.all().difference(model.objects.none()), theirs
    ),
    "subquery": lambda model, theirs: model.objects.filter(
        pk__in=model.objects.filter(instance_id=theirs.instance_id).values("pk")
    ).exists(),
    "exists subquery": lambda model, theirs: model._base_manager.filter(
        Exists(model._base_manager.filter(pk=OuterRef("pk"), instance_id=theirs.instance_id))
    ).exists(),
    "alias": lambda model, theirs: model.objects.alias(whose=F("instance_id")).filter(
        whose=theirs.instance_id
    ),
    "lock": lambda model, theirs: model.objects.select_for_update().filter(pk=theirs.pk).first(),
    "pages": _pages,
    "reread": lambda model, theirs: forged(theirs).refresh_from_db() or True,
    "reread theirs": lambda model, theirs: copy.copy(theirs).refresh_from_db() or True,
    "deferred field": lambda model, theirs: (
        model.from_db(theirs._state.db, ["id"], [theirs.pk]).instance_id == theirs.instance_id
    ),
    "async": lambda model, theirs: async_to_sync(model.objects.filter(pk=theirs.pk).acount)(),
}

# Through a table of the platform, which a silo hasn't.
READS_IN_THE_POOL: dict[str, Attempt] = {
    "platform's filter": lambda model, theirs: Instance.objects.filter(
        pk=theirs.instance_id, pk__in=model.objects.values("instance_id")
    ).exists(),
    "platform's annotation": lambda model, theirs: (
        Instance.objects.annotate(
            found=Subquery(model.objects.filter(instance_id=OuterRef("pk")).values("pk")[:1])
        )
        .get(pk=theirs.instance_id)
        .found
    ),
}


def _keys(model: Any) -> list[list[str]]:
    """The unique keys of a table."""
    keys = [list(each.fields) for each in model._meta.total_unique_constraints]
    return [["id"], *(key for key in keys if "instance_id" not in key)]


def _upsert(model: Any, theirs: Any) -> None:
    for key in _keys(model):
        made = forged(theirs)
        if key != ["id"]:
            made.pk = model().pk
        model.objects.bulk_create(
            [made], update_conflicts=True, unique_fields=key, update_fields=list(changes(theirs))
        )


def _upsert_by_place(model: Any, theirs: Any) -> None:
    fields = list(changes(theirs))
    model.objects.bulk_create([forged(theirs)], None, False, True, fields, ["id"])


def _bulk_update(model: Any, theirs: Any) -> None:
    model.objects.bulk_update([forged(theirs)], list(changes(theirs)))


def _locked_save(model: Any, theirs: Any) -> None:
    row = model._base_manager.select_for_update().get(pk=theirs.pk)
    setattr(row, *next(iter(changes(theirs).items())))
    row.save()


def _fresh(theirs: Any) -> Any:
    return copy.copy(theirs)


WRITES: dict[str, Attempt] = {
    "save": lambda model, theirs: forged(theirs).save(),
    "save theirs": lambda model, theirs: _save_theirs(theirs),
    "save fields": lambda model, theirs: forged(theirs).save(update_fields=list(changes(theirs))),
    "save there": lambda model, theirs: forged(theirs).save(using=_alias(theirs)),
    "locked save": _locked_save,
    "update": lambda model, theirs: model.objects.filter(pk=theirs.pk).update(**changes(theirs)),
    "update all": lambda model, theirs: model.objects.update(**changes(theirs)),
    "update of the base manager": lambda model, theirs: model._base_manager.update(
        **changes(theirs)
    ),
    "update there": lambda model, theirs: (
        model._base_manager.using(_alias(theirs)).filter(pk=theirs.pk).update(**changes(theirs))
    ),
    "bulk_update": _bulk_update,
    "upsert": _upsert,
    "upsert by place": _upsert_by_place,
    "update_or_create": lambda model, theirs: model.objects.update_or_create(
        pk=theirs.pk, defaults=changes(theirs)
    ),
    "delete": lambda model, theirs: _fresh(theirs).delete(),
    "delete by a forged row": lambda model, theirs: forged(theirs).delete(),
    "delete there": lambda model, theirs: forged(theirs).delete(using=_alias(theirs)),
    "delete many": lambda model, theirs: model.objects.filter(pk=theirs.pk).delete(),
    "delete all": lambda model, theirs: model._base_manager.all().delete(),
    "raw delete": lambda model, theirs: model._base_manager.filter(pk=theirs.pk)._raw_delete(
        _alias(theirs)
    ),
}
# Only records can be deleted softly, and so have a way to be lost for good.
WRITES_OF_RECORDS: dict[str, Attempt] = {
    "hard delete": lambda model, theirs: _fresh(theirs).hard_delete(),
    "hard delete by a forged row": lambda model, theirs: forged(theirs).hard_delete(),
    "hard delete many": lambda model, theirs: model.all_objects.filter(pk=theirs.pk).hard_delete(),
}
# To which nobody's rows give in, so that there is no control.
TAKING: dict[str, Attempt] = {
    "give away": lambda model, theirs: model._base_manager.filter(pk=theirs.pk).update(
        instance_id=getattr(tenancy.current(), "instance_id", None)
    ),
    "create theirs": lambda model, theirs: model.objects.create(instance_id=theirs.instance_id),
    "get_or_create": lambda model, theirs: model.objects.get_or_create(pk=theirs.pk),
    "create over": lambda model, theirs: model.objects.bulk_create([forged(theirs)]),
    "ignore conflicts": lambda model, theirs: (
        model.objects.bulk_create([forged(theirs)], ignore_conflicts=True) and None
    ),
}


def _save_theirs(theirs: Any) -> None:
    row = copy.copy(theirs)
    row._state = copy.copy(theirs._state)
    for name, value in changes(theirs).items():
        setattr(row, name, value)
    row.save()


def writes_of(model: Any) -> dict[str, Attempt]:
    """The writes that a table's model has."""
    return WRITES | (WRITES_OF_RECORDS if hasattr(model, "hard_delete") else {})
