"""Suspending and resuming schools: one by a dialog, several from the list."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE
from django.db import DatabaseError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, gettext_lazy
from unfold.decorators import action

from kitehub import tenancy
from kitehub.admin.blocked.words import moment
from kitehub.admin.levers.asking import DangerousDialog, SchoolDialog, may, school_of
from kitehub.backoffice import history
from kitehub.backoffice.audit import Refusal, actor_of, lead_to, reason_of
from kitehub.backoffice.bulk import Bulk, each_alone, run_on_each
from kitehub.backoffice.dialogs import Line, without_actions
from kitehub.db.gates import GateReason
from kitehub.enums import InstanceStatus
from kitehub.models import Instance, InstanceSuspension
from kitehub.moving import SuspensionRefused
from kitehub.tenancy import gates
from kitehub.workflows import resume, suspend

SUSPEND, RESUME = "suspend", "resume"
_MEANING = gettext_lazy(
    "Its writes are refused, and its database's connections end. What it has can still be read."
)
_MEANING_BACK = gettext_lazy("It is written again, in the state that it had before.")


class SuspendDialog(DangerousDialog):
    """Asks for the subdomain: a school stops working."""

    def preview(self) -> Sequence[Line]:
        """Whose school it is, and the state that it comes back to."""
        return [
            Line(gettext("Owner"), str(self.row.owner or "–")),
            Line(gettext("Status"), self.row.get_status_display()),
        ]


class ResumeDialog(SchoolDialog):
    """Asks why, beside why it was suspended."""

    def preview(self) -> Sequence[Line]:
        """The suspension."""
        found = InstanceSuspension.objects.filter(instance=self.row, resumed_at=None).first()
        if found is None:
            return []
        return [
            Line(gettext("Since"), moment(found.created_at)),
            Line(gettext("By"), found.created_by),
            Line(gettext("Reason"), found.reason),
            Line(gettext("Status afterwards"), found.get_status_before_display()),
        ]


class Suspending:
    """For the admin of instances: two actions on one of them, and on several."""

    def has_suspend_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Those who may suspend instances."""
        return may(request, "suspend")

    @action(
        description=gettext_lazy("Suspend"),
        icon="pause_circle",
        permissions=["suspend"],
        url_path=SUSPEND,
        dialog={
            "title": gettext_lazy("Suspend this instance?"),
            "description": _MEANING,
            "form_class": SuspendDialog,
            "form_submit_text": gettext_lazy("Suspend"),
        },
    )
    def suspend_one(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Suspends the instance."""
        return self._one(request, object_id, suspends=True)

    @action(
        description=gettext_lazy("Resume"),
        icon="play_circle",
        permissions=["suspend"],
        url_path=RESUME,
        dialog={
            "title": gettext_lazy("Resume this instance?"),
            "description": _MEANING_BACK,
            "form_class": ResumeDialog,
            "form_submit_text": gettext_lazy("Resume"),
        },
    )
    def resume_one(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Resumes the instance."""
        return self._one(request, object_id, suspends=False)

    @each_alone
    @admin.action(
        description=gettext_lazy("Suspend selected %(verbose_name_plural)s"),
        permissions=["suspend"],
    )
    def suspend_all(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """Suspends the instances, once somebody has said why."""
        return self._several(request, queryset, suspends=True)

    @each_alone
    @admin.action(
        description=gettext_lazy("Resume selected %(verbose_name_plural)s"),
        permissions=["suspend"],
    )
    def resume_all(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """Resumes the instances, once somebody has said why."""
        return self._several(request, queryset, suspends=False)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Offers what can be done to the row as it is."""
        row = context.get("original")
        suspended = row is not None and row.status == InstanceStatus.SUSPENDED
        if row is None or not self.has_suspend_permission(request) or _is_told(row, suspended):
            without_actions(context, SUSPEND if suspended else RESUME)
        if row is not None and row.is_gone:
            without_actions(context, SUSPEND)
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]

    # --- Parts ----------------------------------------------------------------------------------

    def _one(self, request: HttpRequest, object_id: str, *, suspends: bool) -> HttpResponse:
        its: Any = self
        school = school_of(object_id)
        messages.success(request, self._change(request, school, suspends=suspends))
        return lead_to(request, its._page("change", school.pk))

    def _several(
        self, request: HttpRequest, queryset: QuerySet[Any], *, suspends: bool
    ) -> HttpResponse:
        bulk = Bulk(
            name="suspend_all" if suspends else "resume_all",
            title=gettext("Suspend") if suspends else gettext("Resume"),
            meaning=_MEANING if suspends else _MEANING_BACK,
            preview=partial(_will_change, suspends=suspends),
            act=lambda school: self._change(request, school, suspends=suspends),
        )
        return run_on_each(self, request, queryset, bulk)

    def _change(self, request: HttpRequest, school: Instance, *, suspends: bool) -> str:
        """Says what became of the row; of its database once the change is committed."""
        its: Any = self
        before = {"status": str(school.status)}
        told = partial(_tell_of_database, request, str(school))
        try:
            changed = (suspend if suspends else resume)(
                instance_id=school.pk,
                reason=reason_of(request),
                actor=actor_of(request),
                told=told,
            )
        except SuspensionRefused as error:
            raise Refusal(_GONE % {"row": school}) from error
        school.refresh_from_db()
        if not changed:
            # The database was told again, which is why somebody may have asked.
            return str((_ALREADY if suspends else _NOT) % {"row": school})
        values = history.values_part(before, {"status": str(school.status)})
        its.log(request, [school], CHANGE, [{"changed": {"fields": ["status"]}}, *values])
        return str((_SUSPENDED if suspends else _RESUMED) % {"row": school})


_GONE = gettext_lazy("“%(row)s” is closed or deleted.")
_ALREADY = gettext_lazy("“%(row)s” is suspended already.")
_NOT = gettext_lazy("“%(row)s” is not suspended.")
_SUSPENDED = gettext_lazy("“%(row)s” is suspended.")
_RESUMED = gettext_lazy("“%(row)s” is resumed.")


def _is_told(school: Instance, suspended: bool) -> bool:
    """Whether nothing is left to tell a school's database; one that is away is still to be told."""
    if school.deleted:
        return True
    try:
        with tenancy.use(school):
            found = gates.reasons(tenancy.alias_of(school), school.pk)
    except (DatabaseError, tenancy.BadPlacement):
        return False
    return (GateReason.SUSPENDED in found) == suspended


def _will_change(school: Instance, *, suspends: bool) -> str:
    suspended = school.status == InstanceStatus.SUSPENDED
    if school.deleted or (suspends and school.is_gone):
        raise Refusal(_GONE % {"row": school})
    if suspends:
        return str(_ALREADY % {"row": school}) if suspended else gettext("will be suspended")
    return gettext("will be resumed") if suspended else str(_NOT % {"row": school})


def _tell_of_database(request: HttpRequest, row: str, error: Exception | None) -> None:
    if error is not None:
        messages.error(
            request,
            gettext(
                "The database of “%(row)s” could not be told (%(why)s). Do the same again once it "
                "can be reached."
            )
            % {"row": row, "why": type(error).__name__},
        )
