"""What differs between two states of a row, said to people: `gói: Cơ bản → Cao cấp`."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.utils import formats, timezone
from django.utils.text import Truncator, capfirst
from django.utils.translation import gettext as _

NOTHING = "–"
LONGEST = 200
# Tried in turn until two moments that differ also look different.
MOMENT_FORMATS = ("DATETIME_FORMAT", "d/m/Y H:i:s", "d/m/Y H:i:s.u")

# How a field's values are written where its type doesn't tell, as `{"amount": money}`.
Spelling = Mapping[str, Callable[[Any], str]]


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that has another value than before, in words."""

    name: str
    label: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.label}: {self.before} → {self.after}"


def plain_values(row: models.Model, names: Iterable[str]) -> dict[str, Any]:
    """The values of these fields as JSON has them; a reference is its key."""
    return {name: _plain(getattr(row, _field(row, name).attname)) for name in names}


def differences(
    model: type[models.Model] | models.Model,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    spelling: Spelling | None = None,
) -> list[Difference]:
    """What differs between two results of `plain_values`, in the order of `before`.

    A name that is missing in one of them is unknown there, and so is no difference. Names that
    refer to other rows cost a query for each value that differs.
    """
    found = []
    for name in before:
        if name not in after:
            continue
        field = _field(model, name)
        old, new = field.to_python(before[name]), field.to_python(after[name])
        if old == new:
            continue
        said = _tell_apart(field, old, new, (spelling or {}).get(name))
        found.append(Difference(name, label_of(field), *said))
    return found


def label_of(field: Any) -> str:
    """A field's name as a form shows it."""
    return str(capfirst(field.verbose_name))


def in_words(
    field: Any, value: Any, spell: Callable[[Any], str] | None = None, *, moment: str = ""
) -> str:
    """A value as people say it: the choice's label, a local time, the name of the row meant."""
    if value is None or value == "":
        return NOTHING
    if spell is not None:
        return spell(value)
    if field.is_relation:
        # The manager that also has deleted rows.
        return str(field.related_model._base_manager.filter(pk=value).first() or value)
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, datetime):
        return formats.date_format(_local(value), moment or MOMENT_FORMATS[0])
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    return Truncator(str(dict(field.flatchoices).get(value, value))).chars(LONGEST)


def _local(moment: datetime) -> datetime:
    """The moment in people's time, or as it is at the ends of Python's calendar."""
    try:
        return timezone.localtime(moment)
    except OverflowError:
        return moment


def _field(model: type[models.Model] | models.Model, name: str) -> Any:
    return model._meta.get_field(name)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _tell_apart(
    field: Any, old: Any, new: Any, spell: Callable[[Any], str] | None
) -> tuple[str, str]:
    """Both values in words that differ as the values do."""
    if isinstance(old, dict) and isinstance(new, dict):
        # The other keys are the same on both sides and only hide what isn't.
        missing = object()
        keys = [key for key in {**old, **new} if old.get(key, missing) != new.get(key, missing)]
        old, new = ({key: it[key] for key in keys if key in it} for it in (old, new))
    for moment in MOMENT_FORMATS:
        before, after = (in_words(field, it, spell, moment=moment) for it in (old, new))
        if before != after or not (isinstance(old, datetime) and isinstance(new, datetime)):
            break
    return before, after
