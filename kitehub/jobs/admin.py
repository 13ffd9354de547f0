"""Background jobs in the admin: read there, and put into the queue again where they failed."""

import json
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.models import CHANGE
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from procrastinate.contrib.django import admin as theirs  # noqa: F401
from procrastinate.contrib.django.models import ProcrastinateJob
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm

from kitehub.backoffice import AuditAdmin
from kitehub.backoffice.audit import Audited, Refusal, lead_to
from kitehub.backoffice.forms import Reasoned
from kitehub.backoffice.labels import Label
from kitehub.backoffice.names import instances_at
from kitehub.backoffice.search import parse_uuid
from kitehub.backoffice.tabs import tabs_of
from kitehub.jobs import services
from kitehub.jobs.models import Job

# Registered by being imported; it shows everything in English, in another theme.
admin.site.unregister(ProcrastinateJob)

STATES = {
    "todo": _("waiting"),
    "doing": _("running"),
    "succeeded": _("done"),
    "failed": _("failed"),
    "cancelled": _("cancelled"),
    "aborted": _("given up"),
}
COLOURS = {
    "todo": "warning",
    "doing": "info",
    "succeeded": "success",
    "failed": "danger",
    "cancelled": "default",
    "aborted": "default",
}
EVENTS = {
    "deferred": _("put into the queue"),
    "started": _("begun"),
    "deferred_for_retry": _("put off to be tried again"),
    "failed": _("failed"),
    "succeeded": _("done"),
    "cancelled": _("cancelled"),
    "abort_requested": _("asked to give up"),
    "aborted": _("given up"),
    "scheduled": _("not before"),
    "retried": _("put into the queue again"),
}


class RequeueForm(Reasoned, BaseDialogForm):
    """Asks why before a job is tried again."""

    field_order = ("reason",)


@admin.register(Job)
class JobAdmin(Audited, AuditAdmin):
    """Jobs, the newest first."""

    list_display = (
        "job_id",
        "task_text",
        "state_label",
        "attempts_text",
        "scheduled_text",
        "arguments_text",
        "error_text",
    )
    list_display_links = ("job_id", "task_text")
    small = "Jobs go a week after they are done, failed ones after 90 days."
    tabs = tabs_of("status", STATES)
    list_select_related = ("failure",)
    ordering = ("-id",)
    search_help_text = _("Number, task, or an instance's subdomain or ID")
    fields = (
        ("job_id", "task_text"),
        ("state_label", "attempts_text"),
        "scheduled_text",
        "arguments_text",
        "error_text",
        "events_text",
    )
    readonly_fields = (*list_display, "events_text")
    actions_detail: ClassVar[Any] = ("requeue",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By number, by task, or by the instance that a job is about."""
        term = search_term.replace("\x00", "").strip()
        if not term:
            return (queryset.none() if search_term.strip() else queryset), False
        matches = Q(task_name=term) | Q(task_name__endswith=f".{term}")
        if term.isascii() and term.isdigit() and len(term) < 19:
            matches |= Q(pk=int(term))
        instances = [*instances_at(term), *filter(None, [parse_uuid(term)])]
        if instances:
            matches |= Q(args__instance_id__in=[str(each) for each in instances])
        return queryset.filter(matches), False

    def has_requeue_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Those who may change jobs; what they change is when it is tried again."""
        return request.user.has_perm("jobs.change_job")

    @action(
        description=_("Try again"),
        icon="replay",
        permissions=["requeue"],
        url_path="requeue",
        dialog={
            "title": _("Try this job again?"),
            "description": _("It goes into the queue, and the next free worker runs it."),
            "form_class": RequeueForm,
            "form_submit_text": _("Try again"),
        },
    )
    def requeue(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Puts a failed job into the queue again."""
        job = self.get_object(request, object_id)
        if job is None:
            raise Refusal(gettext("There is no such row."))
        if not services.requeue_failed(job_id=job.pk):
            raise Refusal(gettext("Only a job that failed can be tried again."))
        self.log(request, [job], CHANGE, [{"changed": {"fields": ["status"]}}])
        self.message_user(request, gettext("Job %(id)s is in the queue again.") % {"id": job.pk})
        return lead_to(request, self._page("change", job.pk))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Offers to try again only what failed."""
        job = context.get("original")
        if job is None or job.status != "failed":
            context["actions_detail"] = []
        return super().render_change_form(request, context, *args, **kwargs)

    # --- Columns ------------------------------------------------------------------------------

    @display(description=_("number"), ordering="id")
    def job_id(self, job: Job) -> str:
        """The job's number, without the separators of a count."""
        return str(job.pk)

    @display(description=_("task"), ordering="task_name")
    def task_text(self, job: Job) -> str:
        """What it does, as the code calls it."""
        return job.task_name

    @display(description=_("status"), ordering="status", label=COLOURS)
    def state_label(self, job: Job) -> Label:
        """The state as a coloured label."""
        return Label(job.status, str(STATES.get(job.status, job.status)))

    @display(description=_("attempts"), ordering="attempts")
    def attempts_text(self, job: Job) -> str:
        """How often it was tried."""
        return str(job.attempts)

    @display(description=_("not before"), ordering="scheduled_at")
    def scheduled_text(self, job: Job) -> str:
        """When it is due."""
        return _moment(job.scheduled_at)

    @display(description=_("about"))
    def arguments_text(self, job: Job) -> str:
        """Its arguments."""
        shown = {name: value for name, value in job.args.items() if name != "timestamp"}
        return json.dumps(shown, ensure_ascii=False)[1:-1] or "–"

    @display(description=_("last error"))
    def error_text(self, job: Job) -> str:
        """Why it failed the last time, and when."""
        failure = getattr(job, "failure", None)
        if failure is None:
            return "–"
        return format_html("<div>{}</div>{}", failure.error, _moment(failure.failed_at))

    @display(description=_("what happened"))
    def events_text(self, job: Job) -> str:
        """Everything that happened to it, in order."""
        events = job.procrastinateevent_set.order_by("id")
        lines = ((_moment(each.at), EVENTS.get(each.type, each.type)) for each in events)
        return format_html_join("", "<div>{} · {}</div>", lines)


def _moment(at: Any) -> str:
    return formats.date_format(timezone.localtime(at), "DATETIME_FORMAT") if at else "–"
