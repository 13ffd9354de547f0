"""What the admin's log says of exports: who took what along, and how much of it."""

import json
from typing import Any, Self, cast
from uuid import UUID

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.views.main import ERROR_FLAG
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest
from django.utils.text import capfirst

from kitehub.backoffice.keyset import PAGE_PARAMETERS
from kitehub.backoffice.sums import SUM

EXPORTED = "exported"
# What tells where somebody is in the list rather than what the list shows.
PLACES = (*PAGE_PARAMETERS, SUM, ERROR_FLAG)


class Trail:
    """An entry that is there before the first row leaves, and says at the end how far it went."""

    def __init__(self, entry: LogEntry, kind: str, asked: dict[str, Any]) -> None:
        self.entry, self.kind, self.asked = entry, kind, asked
        self.rows, self.whole = 0, False

    @classmethod
    def begin(cls, request: HttpRequest, model: type[Model], kind: str) -> Self:
        """Logs that somebody takes the rows of a list along, and what they asked for."""
        entry = LogEntry(
            user_id=cast("UUID", request.user.pk),
            content_type=ContentType.objects.get_for_model(model, for_concrete_model=False),
            object_repr=f"{capfirst(str(model._meta.verbose_name_plural))} ({kind.upper()})"[:200],
            action_flag=CHANGE,
        )
        # Which page somebody was on is not what they asked for.
        asked = {name: values for name, values in request.GET.lists() if name not in PLACES}
        trail = cls(entry, kind, asked)
        trail.end()
        return trail

    def end(self) -> None:
        """Writes how many rows have left, and whether those are all."""
        told = {"file": self.kind, "asked": self.asked, "rows": self.rows, "whole": self.whole}
        self.entry.change_message = json.dumps([{EXPORTED: told}])
        self.entry.save()
