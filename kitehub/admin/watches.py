"""What was last seen of instances' databases: a list of its own, and a filter of the instances."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from kitehub.backoffice import AuditAdmin
from kitehub.backoffice.labels import Label
from kitehub.backoffice.names import instances_at
from kitehub.display import percent, size
from kitehub.models import Instance, InstanceWatch

# Who may know how databases do.
SEES_DATABASES = "kitehub.view_instancewatch"
FULL, BEHIND, AWAY, UNFINISHED = "full", "behind", "away", "unfinished"
WORDS = {
    UNFINISHED: _("opening not finished"),
    FULL: _("over 90% of the storage"),
    BEHIND: _("schema behind"),
    AWAY: _("not reachable"),
}
COLOURS = {UNFINISHED: "danger", FULL: "warning", BEHIND: "warning", AWAY: "danger", "": "success"}


def watches_in(state: str) -> QuerySet[InstanceWatch]:
    """What was seen in one of the states of WORDS; all of it for another word."""
    rows = InstanceWatch.objects.all()
    found: QuerySet[InstanceWatch] = {
        FULL: rows.nearly_full,
        BEHIND: rows.behind,
        AWAY: rows.unreachable,
        UNFINISHED: rows.unfinished,
    }.get(state, rows.all)()
    return found


def seen_in(instances: Any, state: str) -> Any:
    """The instances among these whose database was last seen in a state of WORDS."""
    return instances.filter(pk__in=watches_in(state).values("instance_id"))


class DatabaseFilter(admin.SimpleListFilter):
    """How an instance's database was last seen."""

    title = _("database")
    parameter_name = "database"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """What a person should look at."""
        return list(WORDS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Rows in the chosen state."""
        state = self.value()
        if state not in WORDS:
            return queryset
        if queryset.model is Instance:
            return seen_in(queryset, state)
        return queryset & watches_in(state)


@admin.register(InstanceWatch)
class InstanceWatchAdmin(AuditAdmin):
    """What was last seen of every instance's database."""

    nothing_yet = _(
        "An hourly job looks into every school's database;"
        " “manage.py watch_instances” does so at once."
    )
    list_display = (
        "instance",
        "state_label",
        "storage_text",
        "schema_version",
        "missing_migrations",
        "looked_at",
        "error",
    )
    list_filter = (DatabaseFilter,)
    list_select_related = ("instance",)
    ordering = ("-looked_at",)
    search_uuids: ClassVar[Any] = ("id", "instance_id")
    search_help_text = _("Subdomain or ID")
    fields = (
        ("instance", "state_label"),
        ("storage_text", "used_bytes", "limit_bytes"),
        ("schema_version", "missing_migrations"),
        ("looked_at", "reached_at"),
        "error",
    )
    readonly_fields = ("state_label", "storage_text")

    def related_matches(self, term: str) -> Q:
        """What was seen of the instance with this subdomain."""
        found = instances_at(term)
        return Q(instance_id__in=found) if found else Q()

    @display(description=_("state"), label=COLOURS)
    def state_label(self, watch: InstanceWatch) -> Label:
        """The first thing to look at, as a coloured label."""
        state = state_of(watch)
        return Label(state, str(WORDS[state]) if state else gettext("in order"))

    @display(description=_("storage"))
    def storage_text(self, watch: InstanceWatch) -> str:
        """Bytes used of how many, and the share."""
        return storage_of(watch)


def state_of(watch: InstanceWatch) -> str:
    """The state of WORDS that matters most, "" where all is in order."""
    if not watch.reachable:
        return AWAY
    if not watch.whole:
        return UNFINISHED
    return BEHIND if watch.missing_migrations else FULL if watch.nearly_full else ""


def storage_of(watch: InstanceWatch) -> str:
    """In words how much is stored, of how much."""
    if watch.used_bytes is None:
        return "–"
    if watch.limit_bytes is None:
        return gettext("%(used)s, unlimited") % {"used": size(watch.used_bytes)}
    return gettext("%(used)s of %(limit)s (%(share)s)") % {
        "used": size(watch.used_bytes),
        "limit": size(watch.limit_bytes),
        "share": percent(watch.used_bytes, watch.limit_bytes),
    }
