"""What the address of a list may look up."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import ListFilter
from django.db.models import Field

from kitehub.backoffice.tabs import Tab

# The whole value, or one of several: nothing that finds out a part of it.
_EXACT = ("", "__exact", "__in")
# What filters ask of their own columns.
_FILTERED = (*_EXACT, "__isnull", "__range")
# Of another table's row, its key.
_RELATED = ("__id__exact", "__id__in")
# The two ends that a filter of a range has fields for.
_ENDS = ("_from", "_to")


def allowed_parameters(options: Any, filters: Iterable[Any], tabs: Iterable[Tab]) -> set[str]:
    """The parameters that a table's list takes: those of its filters and tabs, and its key."""
    names = {f"{key}{lookup}" for key in ("pk", options.pk.name) for lookup in _EXACT}
    for tab in tabs:
        names.update(f"{column}{lookup}" for column, _value in tab.columns for lookup in _EXACT)
    for declared in filters:
        names.update(_of_filter(declared))
    return names


def _of_filter(declared: Any) -> set[str]:
    if isinstance(declared, type) and issubclass(declared, ListFilter):
        return {str(getattr(declared, "parameter_name", ""))}
    field, *own = declared if isinstance(declared, tuple | list) else (declared,)
    name = field.name if isinstance(field, Field) else str(field)
    endings = (*_FILTERED, *_RELATED, *(_ENDS if own else ()))
    return {f"{name}{ending}" for ending in endings}
