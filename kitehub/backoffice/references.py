"""References to rows on pages of other rows: links for those who may follow them."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils.formats import number_format


class To(NamedTuple):
    """A row that a page speaks of."""

    model: type[Model]
    pk: Any


def may_view(user: Any, model: type[Model]) -> bool:
    """Whether somebody may look at the rows of a table."""
    app, name = model._meta.app_label, model._meta.model_name
    return bool(user.has_perm(f"{app}.view_{name}") or user.has_perm(f"{app}.change_{name}"))


def address_of(user: Any, to: To | None) -> str:
    """The address of the row's page; empty for those who may not see it, and for no row."""
    if to is None or to.pk is None or not may_view(user, to.model):
        return ""
    return reverse(_name(to.model, "change"), args=[to.pk])


def list_address(user: Any, model: type[Model], found: Mapping[str, str]) -> str:
    """The address of the table's list with these parameters; empty for those who may not see it."""
    if not may_view(user, model):
        return ""
    return f"{reverse(_name(model, 'changelist'))}?{urlencode(found)}"


def capped_count(rows: QuerySet[Any], most: int = 1_000) -> str:
    """How many rows there are, in words; `1.000+` for more than are worth counting."""
    count = rows.order_by()[: most + 1].count()
    return f"{number_format(min(count, most), force_grouping=True)}{'+' if count > most else ''}"


def _name(model: type[Model], page: str) -> str:
    return f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
