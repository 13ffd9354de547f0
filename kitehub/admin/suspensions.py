"""Suspending and resuming instances in the back office: one by a dialog, several from the list."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext, gettext_lazy
from unfold.decorators import action
from unfold.forms import BaseDialogForm

from kitehub.backoffice import history
from kitehub.backoffice.audit import Refusal, actor_of, lead_to, reason_of
from kitehub.backoffice.deletion import MOST_AT_ONCE, MOST_NAMED
from kitehub.backoffice.forms import Reasoned
from kitehub.enums import InstanceStatus
from kitehub.models import Instance
from kitehub.workflows import resume, suspend

_MEANING = gettext_lazy(
    "Its writes are refused, and its database's connections end. What it has can still be read."
)
_MEANING_BACK = gettext_lazy("It is written again, in the state that it had before.")


class WhyForm(Reasoned):
    """Asks why, and takes no silence for an answer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = True


class WhyDialog(WhyForm, BaseDialogForm):
    """The same in a dialog."""

    field_order = ("reason",)


class Suspending:
    """For the admin of instances: two actions on one of them, and on several."""

    @action(
        description=gettext_lazy("Suspend"),
        icon="pause_circle",
        permissions=["change"],
        url_path="suspend",
        dialog={
            "title": gettext_lazy("Suspend this instance?"),
            "description": _MEANING,
            "form_class": WhyDialog,
            "form_submit_text": gettext_lazy("Suspend"),
        },
    )
    def suspend_one(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Suspends the instance."""
        return self._one(request, object_id, suspends=True)

    @action(
        description=gettext_lazy("Resume"),
        icon="play_circle",
        permissions=["change"],
        url_path="resume",
        dialog={
            "title": gettext_lazy("Resume this instance?"),
            "description": _MEANING_BACK,
            "form_class": WhyDialog,
            "form_submit_text": gettext_lazy("Resume"),
        },
    )
    def resume_one(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Resumes the instance."""
        return self._one(request, object_id, suspends=False)

    @admin.action(
        description=gettext_lazy("Suspend selected %(verbose_name_plural)s"), permissions=["change"]
    )
    def suspend_all(self, request: HttpRequest, queryset: QuerySet[Any]) -> TemplateResponse | None:
        """Suspends the instances, once somebody has said why."""
        return self._several(request, queryset, suspends=True)

    @admin.action(
        description=gettext_lazy("Resume selected %(verbose_name_plural)s"), permissions=["change"]
    )
    def resume_all(self, request: HttpRequest, queryset: QuerySet[Any]) -> TemplateResponse | None:
        """Resumes the instances, once somebody has said why."""
        return self._several(request, queryset, suspends=False)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Offers what can be done to the row as it is."""
        row = context.get("original")
        suspended = row is not None and row.status == InstanceStatus.SUSPENDED
        # By its address: unfold's list has no names.
        idle = "/suspend/" if suspended else "/resume/"
        context["actions_detail"] = [
            offered
            for offered in context.get("actions_detail", [])
            if not str(offered.get("path", "")).endswith(idle)
        ]
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]

    # --- Parts ----------------------------------------------------------------------------------

    def _one(self, request: HttpRequest, object_id: str, *, suspends: bool) -> HttpResponse:
        its: Any = self
        row = its.get_object(request, object_id)
        if row is None:
            raise Refusal(gettext("There is no such row."))
        self._change(request, row, suspends=suspends)
        return lead_to(request, its._page("change", row.pk))

    def _several(
        self, request: HttpRequest, queryset: QuerySet[Any], *, suspends: bool
    ) -> TemplateResponse | None:
        rows = list(queryset.order_by("pk")[: MOST_AT_ONCE + 1])
        if len(rows) > MOST_AT_ONCE:
            raise Refusal(
                gettext("At most %(most)s rows at once; choose fewer.") % {"most": MOST_AT_ONCE}
            )
        form = WhyForm(request.POST if "confirmed" in request.POST else None)
        if not form.is_valid():
            return self._ask_why(request, rows, form, suspends=suspends)
        for row in rows:
            self._change(request, row, suspends=suspends)
        return None

    def _ask_why(
        self, request: HttpRequest, rows: Sequence[Instance], form: WhyForm, *, suspends: bool
    ) -> TemplateResponse:
        its: Any = self
        context = {
            **its.admin_site.each_context(request),
            "title": gettext("Suspend") if suspends else gettext("Resume"),
            "opts": its.opts,
            "media": its.media,
            "meaning": _MEANING if suspends else _MEANING_BACK,
            "named": rows[:MOST_NAMED],
            "more": max(len(rows) - MOST_NAMED, 0),
            "rows": rows,
            "action": "suspend_all" if suspends else "resume_all",
            "suspends": suspends,
            "reason_form": form,
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        request.current_app = its.admin_site.name
        return TemplateResponse(request, "kitehub/instances/confirm_suspension.html", context)

    def _change(self, request: HttpRequest, row: Instance, *, suspends: bool) -> None:
        """Says for each row what became of it; of its database once the change is committed."""
        before = {"status": str(row.status)}
        change = suspend if suspends else resume
        told = partial(_tell_of_database, request, str(row))
        if row.deleted or (suspends and row.status == InstanceStatus.CLOSED):
            messages.error(request, gettext("“%(row)s” is closed or deleted.") % {"row": row})
            return
        changed = change(
            instance_id=row.pk, reason=reason_of(request), actor=actor_of(request), told=told
        )
        row.refresh_from_db()
        if not changed:
            said = (
                gettext("“%(row)s” is suspended already.")
                if suspends
                else gettext("“%(row)s” is not suspended.")
            )
            messages.warning(request, said % {"row": row})
            return
        its: Any = self
        values = history.values_part(before, {"status": str(row.status)})
        its.log(request, [row], CHANGE, [{"changed": {"fields": ["status"]}}, *values])
        said = gettext("“%(row)s” is suspended.") if suspends else gettext("“%(row)s” is resumed.")
        messages.success(request, said % {"row": row})


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
