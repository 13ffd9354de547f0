"""Sends tenants' tables to the database of the instance that code works for."""

from typing import Any

from django.apps import apps
from django.db.models import Model

from kitehub.tenancy.base import PerDatabase, Tenant
from kitehub.tenancy.context import current
from kitehub.tenancy.placement import is_silo

# Tenants' tables that the code has no model of any more, by label: `storage.oldname`. Old
# migrations still make, change and drop them in silos. Whoever deletes or renames a tenant's model
# names it here.
FORMER: frozenset[str] = frozenset()


class TenantRouter:
    """Django's database router for placement. Other tables are left to the default database."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        """The instance's database for its tables; no opinion outside `use`."""
        scope = current() if issubclass(model, (Tenant, PerDatabase)) else None
        return scope.alias if scope else None

    db_for_write = db_for_read

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool | None:
        """No relation leaves a database."""
        databases = {one._state.db, other._state.db} - {None}
        return None if len(databases) < 2 else False

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool | None:
        """A silo has the tenants' tables and what belongs to them; nothing else is made there."""
        if not is_silo(db):
            return None
        named = [f"{app_label}.{model_name}"] if model_name else hints.get("models", ())
        return bool(named) and {name.lower() for name in named} <= tenant_labels()


def tenant_labels() -> frozenset[str]:
    """The labels of all tables that a silo has, also of former ones: `storage.storageevent`."""
    return FORMER | {
        model._meta.label_lower
        for model in apps.get_models()
        if issubclass(model, (Tenant, PerDatabase))
    }


def tenant_models() -> list[type[Tenant]]:
    """The tables that hold tenants' rows, in the order of their names."""
    found = [model for model in apps.get_models() if issubclass(model, Tenant)]
    return sorted(found, key=lambda model: model._meta.db_table)
