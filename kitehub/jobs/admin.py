"""Background jobs in the admin: read there, tried again, and taken out of the queue."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.models import CHANGE
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from procrastinate.contrib.django import admin as theirs  # noqa: F401
from procrastinate.contrib.django.models import ProcrastinateJob
from unfold.decorators import action, display

from kitehub.backoffice import AuditAdmin
from kitehub.backoffice.audit import Audited, Refusal, existing, lead_to
from kitehub.backoffice.bulk import Bulk, each_alone, run_on_each
from kitehub.backoffice.dialogs import Line, WhyDialog, without_actions
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


# So many digits has the largest bigint, and not every number of as many is one.
_LONGEST_NUMBER = 19


class JobDialog(WhyDialog):
    """Asks why before something is done to a job, beside what it is."""

    def preview(self) -> Sequence[Line]:
        """The task, what it is about, and why it failed."""
        key = _number(str(self.object_id))
        job = Job.objects.filter(pk=key).first() if key is not None else None
        if job is None:
            return ()
        lines = [Line(gettext("Task"), job.task_name), Line(gettext("About"), arguments_of(job))]
        failure = getattr(job, "failure", None)
        if failure is not None:
            lines.append(Line(gettext("Last error"), failure.words, warns=True))
        return lines


@admin.register(Job)
class JobAdmin(Audited, AuditAdmin):
    """Jobs, the newest first."""

    nothing_yet = _("Jobs appear when a page or a duty asks for one, and a worker runs them.")
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
    actions: Any = ("requeue_all", "cancel_all")
    actions_detail: ClassVar[Any] = ("requeue", "cancel")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By number, by task, or by the instance that a job is about."""
        term = search_term.replace("\x00", "").strip()
        if not term:
            return (queryset.none() if search_term.strip() else queryset), False
        matches = Q(task_name=term) | Q(task_name__endswith=f".{term}")
        if (key := _number(term)) is not None:
            matches |= Q(pk=key)
        instances = [*instances_at(term), *filter(None, [parse_uuid(term)])]
        if instances:
            matches |= Q(args__instance_id__in=[str(each) for each in instances])
        return queryset.filter(matches), False

    def has_retry_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Those who may put failed jobs into the queue again."""
        return request.user.has_perm("jobs.retry_job")

    def has_cancel_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Those who may take jobs out of the queue."""
        return request.user.has_perm("jobs.cancel_job")

    @action(
        description=_("Try again"),
        icon="replay",
        permissions=["retry"],
        url_path="requeue",
        dialog={
            "title": _("Try this job again?"),
            "description": _("It goes into the queue, and the next free worker runs it."),
            "form_class": JobDialog,
            "form_submit_text": _("Try again"),
        },
    )
    def requeue(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Puts a failed job into the queue again."""
        return self._one(request, object_id, partial(self._requeue, links=True))

    @action(
        description=_("Take out of the queue"),
        icon="cancel",
        permissions=["cancel"],
        url_path="cancel",
        dialog={
            "title": _("Take this job out of the queue?"),
            "description": _("It is never run. What asked for it doesn't hear of that."),
            "form_class": JobDialog,
            "form_submit_text": _("Take out of the queue"),
        },
    )
    def cancel(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Takes a job that waits out of the queue."""
        return self._one(request, object_id, self._cancel)

    @each_alone
    @admin.action(description=_("Try selected jobs again"), permissions=["retry"])
    def requeue_all(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """Puts failed jobs into the queue again."""
        bulk = Bulk(
            name="requeue_all",
            title=gettext("Try again"),
            meaning=gettext("They go into the queue, and the next free worker runs them."),
            preview=_will_be_retried,
            act=partial(self._requeue, request),
        )
        return run_on_each(self, request, queryset, bulk)

    @each_alone
    @admin.action(description=_("Take selected jobs out of the queue"), permissions=["cancel"])
    def cancel_all(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """Takes jobs that wait out of the queue."""
        bulk = Bulk(
            name="cancel_all",
            title=gettext("Take out of the queue"),
            meaning=gettext("They are never run. What asked for them doesn't hear of that."),
            preview=_will_be_cancelled,
            act=partial(self._cancel, request),
        )
        return run_on_each(self, request, queryset, bulk)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Offers to try again what failed, and to take out of the queue what waits."""
        job = context.get("original")
        if job is None or job.status != "failed" or job.works_on:
            without_actions(context, "requeue")
        if job is None or job.status != "todo":
            without_actions(context, "cancel")
        return super().render_change_form(request, context, *args, **kwargs)

    def _one(
        self, request: HttpRequest, object_id: str, change: Callable[[HttpRequest, Job], str]
    ) -> HttpResponse:
        job = existing(self.get_object(request, object_id))
        self.message_user(request, change(request, job))
        return lead_to(request, self._page("change", job.pk))

    def _requeue(self, request: HttpRequest, job: Job, *, links: bool = False) -> str:
        _will_be_retried(job, links=links)
        if not services.requeue_failed(job_id=job.pk):
            raise Refusal(gettext("Only a job that failed can be tried again."))
        self.log(request, [job], CHANGE, [{"changed": {"fields": ["status"]}}])
        return gettext("Job %(id)s is in the queue again.") % {"id": job.pk}

    def _cancel(self, request: HttpRequest, job: Job) -> str:
        _will_be_cancelled(job)
        if not services.cancel_waiting(job_id=job.pk):
            raise Refusal(gettext("Only a job that waits can be taken out of the queue."))
        self.log(request, [job], CHANGE, [{"changed": {"fields": ["status"]}}])
        return gettext("Job %(id)s is out of the queue.") % {"id": job.pk}

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
        return arguments_of(job)

    @display(description=_("last error"))
    def error_text(self, job: Job) -> str:
        """Why it failed the last time, and when."""
        failure = getattr(job, "failure", None)
        if failure is None:
            return "–"
        return format_html("<div>{}</div>{}", failure.words, _moment(failure.failed_at))

    @display(description=_("what happened"))
    def events_text(self, job: Job) -> str:
        """Everything that happened to it, in order."""
        events = job.procrastinateevent_set.order_by("id")
        lines = ((_moment(each.at), EVENTS.get(each.type, each.type)) for each in events)
        return format_html_join("", "<div>{} · {}</div>", lines)


def _number(text: str) -> int | None:
    """The job's number; None for what is none, as is one that no bigint holds."""
    digits = text.isascii() and text.isdigit() and len(text) < _LONGEST_NUMBER
    return int(text) if digits else None


def _moment(at: Any) -> str:
    return formats.date_format(timezone.localtime(at), "DATETIME_FORMAT") if at else "–"


def arguments_of(job: Job) -> str:
    """A job's arguments, as the code calls them."""
    shown = {name: value for name, value in job.args.items() if name != "timestamp"}
    return json.dumps(shown, ensure_ascii=False)[1:-1] or "–"


def _will_be_retried(job: Job, *, links: bool = False) -> str:
    if job.status != "failed":
        raise Refusal(gettext("Only a job that failed can be tried again."))
    if key := parse_uuid(job.works_on):
        page = reverse("admin:kitehub_instance_change", args=[key])
        # Results of a list are kept as text.
        link = format_html('<a href="{0}" class="underline">{0}</a>', page) if links else page
        said = gettext("Job %(id)s is work on a school. Ask for it anew on the school's page:")
        raise Refusal(format_html("{} {}", said % {"id": job.pk}, link))
    return gettext("will be tried again: %(task)s") % {"task": job.task_name}


def _will_be_cancelled(job: Job) -> str:
    if job.status != "todo":
        raise Refusal(gettext("Only a job that waits can be taken out of the queue."))
    return gettext("will never be run: %(task)s") % {"task": job.task_name}
