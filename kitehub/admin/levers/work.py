"""Long work on a school: its move step by step, and the jobs that did or do it."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from unfold.decorators import action

from kitehub.admin.blocked.words import moment
from kitehub.admin.levers.moving import WORK_PAGE, open_move_lines, where_it_lives
from kitehub.backoffice.search import parse_uuid
from kitehub.enums import MoveStep
from kitehub.jobs.admin import COLOURS, STATES
from kitehub.models import Instance, InstanceMove
from kitehub.workflows import work_on
from kitehub.workflows.levers import ABORT, CLOSE, FINISH, MOVE, PURGE, UNDER_WAY

WORK = {
    MOVE: gettext_lazy("Move"),
    ABORT: gettext_lazy("Abort the move"),
    PURGE: gettext_lazy("Remove what moves left"),
    CLOSE: gettext_lazy("Close the school"),
    FINISH: gettext_lazy("Finish opening"),
}
STEPS = (MoveStep.PLANNED, MoveStep.PREPARED, MoveStep.COPIED, MoveStep.SWITCHED, MoveStep.DONE)
MOST_SHOWN = 10


@dataclass(frozen=True)
class Shown:
    """A job as the page shows it."""

    what: str
    state: str
    colour: str
    who: str
    why: str
    error: str
    address: str


class ShowsWork:
    """For the admin of instances: a page with the long work on one, which looks again by itself."""

    @action(
        description=gettext_lazy("Work on it"),
        icon="construction",
        permissions=["view"],
        url_path=WORK_PAGE,
    )
    def work(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Shows the moves and jobs. Changes nothing."""
        its: Any = self
        key = parse_uuid(object_id)
        school = Instance.all_objects.filter(pk=key).first() if key else None
        if school is None:
            raise Http404
        jobs = list(work_on(school.pk)[:MOST_SHOWN])
        moves = InstanceMove.objects.filter(instance=school).order_by("-created_at")
        context = {
            **its.admin_site.each_context(request),
            "title": gettext("Work on it"),
            "opts": its.opts,
            "original": school,
            "school": school,
            "back": its._page("change", school.pk),
            "here": its._page("work", school.pk),
            "place": where_it_lives(school),
            "move": open_move_lines(school),
            "steps": _steps(moves.first()),
            "jobs": [_shown(request, job) for job in jobs],
            "busy": any(job.status in UNDER_WAY for job in jobs),
        }
        request.current_app = its.admin_site.name
        return TemplateResponse(request, "kitehub/instances/work.html", context)


def _steps(found: InstanceMove | None) -> list[tuple[str, bool, str]]:
    """The steps of the newest move: words, whether it is done, and what is known of it."""
    if found is None or found.step == MoveStep.ABORTED:
        return []
    reached = STEPS.index(MoveStep.DONE if found.step == MoveStep.PURGED else MoveStep(found.step))
    rows = sum(found.row_counts.values())
    said = {
        MoveStep.PLANNED: moment(found.created_at),
        MoveStep.COPIED: gettext("%(count)s rows") % {"count": rows} if rows else "",
        MoveStep.DONE: moment(found.ended_at) if found.ended_at else "",
    }
    return [
        (str(step.label), number <= reached, said.get(step, "") if number <= reached else "")
        for number, step in enumerate(STEPS)
    ]


def _shown(request: HttpRequest, job: Any) -> Shown:
    failure = getattr(job, "failure", None)
    user: Any = request.user
    return Shown(
        what=str(WORK.get(job.task_name, job.task_name)),
        state=str(STATES.get(job.status, job.status)),
        colour=COLOURS.get(job.status, "default"),
        who=job.args.get("actor", ""),
        why=job.args.get("reason", ""),
        error=failure.words if failure and job.status == "failed" else "",
        address=reverse("admin:jobs_job_change", args=[job.pk])
        if user.has_perm("jobs.view_job")
        else "",
    )
