"""Names of instances beside tables that know only the id."""

from typing import Any
from uuid import UUID

from django.contrib.admin.views.main import ChangeList
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from kitehub.backoffice.search import spellings
from kitehub.models import Instance


def instance_link(instance_id: UUID, name: str) -> str:
    """A link to the instance's page, or the bare id where the instance is unknown."""
    if not name:
        return str(instance_id)
    return format_html(
        '<a href="{}">{}</a>', reverse("admin:kitehub_instance_change", args=[instance_id]), name
    )


def instances_at(term: str) -> list[UUID]:
    """The ids of the instances with this subdomain, deleted ones too."""
    found = Instance.all_objects.filter(subdomain__in=spellings(term))
    return list(found.values_list("id", flat=True))


class InstanceNames:
    """Adds the column `instance_name` to the list of a tenant table.

    A tenant table may live in another database than `instances`, so the names of a page's rows are
    fetched by one query of their own rather than by a join.
    """

    def related_matches(self, term: str) -> Q:
        """Rows of the instance with this subdomain."""
        found = instances_at(term)
        return Q(instance_id__in=found) if found else Q()

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """The page's list, its rows told the names of their instances."""
        changes: ChangeList = super().get_changelist_instance(request)  # type: ignore[misc]
        rows = list(changes.result_list)
        names = dict(
            Instance.all_objects.filter(id__in={row.instance_id for row in rows}).values_list(
                "id", "organization_name"
            )
        )
        for row in rows:
            row.known_instance_name = names.get(row.instance_id, "")
        changes.result_list = rows
        return changes

    @display(description=_("instance"), ordering="instance_id")
    def instance_name(self, row: Any) -> str:
        """The instance's name, linked to its page."""
        name = getattr(row, "known_instance_name", None)
        if name is None:
            known = Instance.all_objects.filter(id=row.instance_id).first()
            name = known.organization_name if known else ""
        return instance_link(row.instance_id, name)
