"""What each row of a subscription's history changed, in words."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from billing.admin.stored_words import actor_words, reason_words
from billing.models import SubscriptionHistory
from billing.querysets import PLANNED_STATE, STATE
from kitehub.backoffice.differences import differences, in_words, label_of, plain_values
from kitehub.display import money


class Changes:
    """For the admin of the history: what each row changed against the one before."""

    spelling: ClassVar = {"monthly_price": money}
    ordering = ("-changed_at", "-id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SubscriptionHistory]:
        """Each row with the one before."""
        rows: Any = super().get_queryset(request)  # type: ignore[misc]
        return rows.with_previous()  # type: ignore[no-any-return]

    @display(description=_("changed by"), ordering="changed_by")
    def by_text(self, row: SubscriptionHistory) -> str:
        """A program by what it does."""
        return actor_words(row.changed_by)

    @display(description=_("reason"), ordering="change_reason")
    def why_text(self, row: SubscriptionHistory) -> str:
        """Why, in words."""
        return reason_words(row.change_reason)

    @display(description=_("what changed"))
    def changes_text(self, row: SubscriptionHistory) -> str:
        """A line for each field that changed; for the first row, what it starts with."""
        return format_html_join("", "<div>{}</div>", ((line,) for line in self.lines(row)))

    def lines(self, row: SubscriptionHistory) -> Iterable[str]:
        """What a row changed, in words."""
        before: dict[str, Any] | None = row.previous  # type: ignore[attr-defined]
        if before is None:
            return [gettext("Begins with:"), *self._state(row)]
        # Rows that the plan's trigger wrote don't know the rest.
        both_know = before["deleted"] is not None and row.deleted is not None
        after = plain_values(row, STATE if both_know else PLANNED_STATE)
        changed = [str(it) for it in differences(row, before, after, self.spelling)]
        return changed or [gettext("Nothing that is kept here.")]

    def _state(self, row: SubscriptionHistory) -> list[str]:
        fields: list[Any] = [row._meta.get_field(name) for name in PLANNED_STATE]
        return [
            f"{label_of(field)}: "
            f"{in_words(field, getattr(row, field.name), self.spelling.get(field.name))}"
            for field in fields
        ]
