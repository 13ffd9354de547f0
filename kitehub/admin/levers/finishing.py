"""Finishing the opening of schools that was cut short."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, gettext_lazy
from unfold.decorators import action

from kitehub.admin.levers.asking import SchoolDialog, may, refusals, school_of
from kitehub.admin.levers.moving import where_it_lives
from kitehub.backoffice.audit import Refusal, actor_of, lead_to, reason_of
from kitehub.backoffice.bulk import Bulk, each_alone, run_on_each
from kitehub.backoffice.dialogs import Line, without_actions
from kitehub.models import ApiKey, Instance, InstanceWatch
from kitehub.workflows import request_finishing

FINISH = "finish"


class FinishDialog(SchoolDialog):
    """Asks why before a school's database is made whole."""

    def preview(self) -> list[Line]:
        """Where it lives, what is missing as far as somebody has looked, and a key that comes."""
        whole = gettext("nothing") if _is_whole(self.row) else gettext("something, or unknown")
        lines = [*where_it_lives(self.row), Line(gettext("What is missing"), whole)]
        if not _has_keys(self.row):
            issued = gettext("the first one will be issued, which nobody gets to see")
            lines.append(Line(gettext("API keys"), issued, warns=True))
        return lines


class FinishesOpenings:
    """For the ModelAdmin of instances: actions that make schools' databases whole."""

    def has_provision_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Those who may finish openings."""
        return may(request, "provision")

    @action(
        description=gettext_lazy("Finish opening"),
        icon="build_circle",
        permissions=["provision"],
        url_path=FINISH,
        dialog={
            "title": gettext_lazy("Finish opening it?"),
            "description": gettext_lazy(
                "A background job makes what is missing of the school's database. What is there "
                "stays as it is."
            ),
            "form_class": FinishDialog,
            "form_submit_text": gettext_lazy("Finish opening"),
        },
    )
    def finish_opening(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Puts the work on one school's database into the queue."""
        its: Any = self
        school = school_of(object_id)
        messages.success(request, self._finish(request, school))
        return lead_to(request, its._page("work", school.pk))

    @each_alone
    @admin.action(
        description=gettext_lazy("Finish opening selected schools"), permissions=["provision"]
    )
    def finish_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """Puts the work on several into the queue."""
        bulk = Bulk(
            name="finish_selected",
            title=gettext("Finish opening"),
            meaning=gettext("Jobs make what is missing. What is there stays as it is."),
            preview=_will_finish,
            act=lambda school: self._finish(request, school),
        )
        return run_on_each(self, request, queryset, bulk)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Offers nothing of a deleted row, and of a school that lacks nothing."""
        row = context.get("original")
        if row is None or row.deleted or _is_whole(row):
            without_actions(context, FINISH)
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]

    def _finish(self, request: HttpRequest, school: Instance) -> str:
        its: Any = self
        _will_finish(school)
        with refusals():
            request_finishing(
                instance_id=school.pk, actor=actor_of(request), reason=reason_of(request)
            )
        its.log(request, [school], CHANGE, [{"changed": {"fields": []}}])
        said = gettext("What is missing of “%(row)s” is being made.") % {"row": school}
        if _has_keys(school):
            return said
        return f"{said} " + gettext(
            "Its first API key is issued, too, but not shown: rotate it to get one for use."
        )


def _will_finish(school: Instance) -> str:
    if school.deleted:
        raise Refusal(gettext("This row is deleted. Restore it before changing it."))
    if _has_keys(school):
        return gettext("what is missing will be made")
    return gettext("what is missing will be made, and its first API key issued")


def _is_whole(school: Instance) -> bool:
    """Whether all of it was there when somebody looked last; what is away may need mending."""
    watch = InstanceWatch.objects.filter(instance=school).first()
    return watch is not None and watch.whole and watch.reachable


def _has_keys(school: Instance) -> bool:
    found: bool = ApiKey.objects.of_instance(school.pk).exists()
    return found
