"""Chips above a list: what narrows it, each with the way to take it off."""

from typing import Any, NamedTuple

from django.contrib.admin.views.main import SEARCH_VAR
from django.core.exceptions import FieldDoesNotExist
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext


class Chip(NamedTuple):
    """One thing that narrows a list, on its way to the page."""

    label: str | Promise
    value: str
    url: str
    # Whether nobody can tell what it asks for, so that nothing is listed.
    is_unread: bool = False


def chips_of(changes: Any) -> list[Chip]:
    """The search, the filters and whatever else the address asks for."""
    asked = changes.narrowing
    chips = []
    if SEARCH_VAR in asked:
        chips.append(_chip(changes, gettext("Search"), changes.query, [SEARCH_VAR]))
    others = {name: values for name, values in asked.items() if name != SEARCH_VAR}
    for spec in changes.filter_specs:
        names = [name for name in spec.expected_parameters() if name in others]
        if names:
            given = ", ".join(others.pop(name)[-1] for name in names)
            if getattr(spec, "refusal", str)():
                chip = _chip(changes, spec.title, given, names)
                chips.append(chip._replace(is_unread=True))
                continue
            chips.append(_chip(changes, spec.title, _value(changes, spec) or given, names))
    for name, values in others.items():
        field = _field(changes, name)
        said = dict(getattr(field, "flatchoices", ()))
        value = ", ".join(str(said.get(each, each)) for each in values)
        chips.append(_chip(changes, getattr(field, "verbose_name", name), value, [name]))
    return chips


def _chip(changes: Any, label: Any, value: str, names: list[str]) -> Chip:
    url = changes.get_query_string(dict.fromkeys(names))
    return Chip(capfirst(label), str(value), url)


def _value(changes: Any, spec: Any) -> str:
    """What is chosen of a filter, in its own words."""
    if hasattr(spec, "chip"):
        return str(spec.chip())
    chosen = [str(each["display"]) for each in spec.choices(changes) if each.get("selected")]
    return ", ".join(chosen)


def _field(changes: Any, name: str) -> Any:
    """The field that a parameter looks up; None for what is no field's."""
    try:
        return changes.model._meta.get_field(name.partition("__")[0])
    except FieldDoesNotExist:
        return None
