"""What the admin's log says, in words: what was done to a row, and why."""

import json
from collections.abc import Iterable
from functools import partial
from typing import Any

from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.utils import translation
from django.utils.text import capfirst
from django.utils.translation import gettext

from kitehub.backoffice.differences import Difference, Spelling, differences, label_of

# Beside Django's own "added", "changed" and "deleted", which leave these alone.
REASON, VALUES, RESTORED = "reason", "values", "restored"


def reason_part(reason: str) -> list[dict[str, Any]]:
    """The reason as a part of a log entry's message; no part for none."""
    return [{REASON: reason}] if reason else []


def values_part(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """What changed, as a part of a log entry's message: two results of `plain_values`."""
    changed = [name for name in before if before[name] != after[name]]
    if not changed:
        return []
    return [{VALUES: [[name, before[name], after[name]] for name in changed]}]


def read_log(entries: Iterable[LogEntry], model: type[Model], spelling: Spelling) -> list[LogEntry]:
    """The entries, each with its `deeds` (what was done, in lines) and its `reason`."""
    read = list(entries)
    said = {entry.pk: _parts(entry) for entry in read}
    values = [value for parts in said.values() for part in parts for value in part.get(VALUES, [])]
    spelling = {**spelling, **_names(model, values)}
    for entry in read:
        parts = said[entry.pk]
        entry.reason = next((part[REASON] for part in parts if REASON in part), "")  # type: ignore[attr-defined]
        entry.deeds = _deeds(entry, parts, model, spelling)  # type: ignore[attr-defined]
    return read


def _parts(entry: LogEntry) -> list[dict[str, Any]]:
    """The message's parts; none where it is plain text."""
    if not entry.change_message.startswith("["):
        return []
    try:
        parts = json.loads(entry.change_message)
    except json.JSONDecodeError:
        return []
    return [part for part in parts if isinstance(part, dict)]


def _deeds(
    entry: LogEntry, parts: list[dict[str, Any]], model: type[Model], spelling: Spelling
) -> list[str]:
    if entry.is_deletion():
        return [gettext("Deleted.")]
    if any(RESTORED in part for part in parts):
        return [gettext("Restored.")]
    values = next((part[VALUES] for part in parts if VALUES in part), None)
    if values is None:
        # In memory only: Django keeps labels as English forms have them, which it cannot translate.
        if parts:
            labels = _labels(model)
            entry.change_message = json.dumps([_translated(part, labels) for part in parts])
        return [entry.get_change_message()]
    return [str(change) for change in _changes(model, values, spelling)]


def _translated(part: dict[str, Any], labels: dict[str, str]) -> dict[str, Any]:
    changed = part.get("changed")
    if not changed or "fields" not in changed:
        return part
    said = [labels.get(label, label) for label in changed["fields"]]
    return {"changed": {**changed, "fields": said}}


def _labels(model: type[Model]) -> dict[str, str]:
    """The labels of the model's forms as Django keeps them, and in the active language."""
    fields = [field for field in model._meta.get_fields() if hasattr(field, "verbose_name")]
    with translation.override(None):
        kept = [str(capfirst(field.verbose_name)) for field in fields]
    return dict(zip(kept, [label_of(field) for field in fields], strict=True))


def _names(model: type[Model], values: list[Any]) -> Spelling:
    """How to write references: by name, and all names of a field come in one query."""
    names: dict[str, Any] = {}
    for field in model._meta.fields:
        keys = {key for name, *both in values if name == field.name for key in both if key}
        if keys and field.related_model:
            rows = field.related_model._base_manager.in_bulk(keys)
            names[field.name] = partial(_name_in, rows)
    return names


def _name_in(rows: dict[Any, Any], key: Any) -> str:
    return str(rows.get(key) or key)


def _changes(model: type[Model], values: list[Any], spelling: Spelling) -> list[Difference]:
    # A field may be gone since.
    known = {field.name for field in model._meta.get_fields()}
    before = {name: old for name, old, _new in values if name in known}
    after = {name: new for name, _old, new in values if name in known}
    return differences(model, before, after, spelling)
