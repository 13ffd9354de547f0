"""Closing a school, and opening a closed one again as long as its data is there."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.models import CHANGE
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from unfold.decorators import action
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from billing.models import PaymentOrder, Subscription
from kitehub.admin.blocked.words import moment
from kitehub.admin.levers.asking import (
    REFUSALS,
    DangerousDialog,
    SchoolDialog,
    may,
    refusals,
    school_of,
)
from kitehub.backoffice.audit import Refusal, actor_of, lead_to
from kitehub.backoffice.bulk import Bulk, each_alone, run_on_each
from kitehub.backoffice.dialogs import Line, WhyDialog, without_actions
from kitehub.closing import ClosingError
from kitehub.models import ApiKey, Instance, Tombstone
from kitehub.workflows import (
    GRACE,
    LeverRefusal,
    reopen,
    request_closing,
    request_rest_of_closing,
    work_on,
)
from kitehub.workflows.levers import CLOSE as CLOSING
from kitehub.workflows.levers import UNDER_WAY

CLOSE, FINISH, REOPEN, RESTORE = "close", "finish-closing", "reopen", "restore"
MOST_DAYS = 365


class _NeedsFolder(WhyDialog):
    """Asks nothing, and says why, as long as archives have no place to go to."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.without_folder = not settings.KITEHUB_ARCHIVES
        if self.without_folder:
            for name in {*self.fields} - {"seen", "_form_submitted"}:
                del self.fields[name]

    def get_before_template_context(
        self, request: HttpRequest, object_id: int | str | None = None
    ) -> dict[str, Any]:
        """The refusal in front of the preview."""
        found = super().get_before_template_context(request, object_id)
        errors = [REFUSALS[LeverRefusal.NO_FOLDER]] if self.without_folder else found["errors"]
        return {**found, "errors": errors}

    def clean(self) -> dict[str, Any]:
        """Refuses what can't be archived."""
        cleaned = super().clean()
        if self.without_folder:
            self.add_error(None, str(REFUSALS[LeverRefusal.NO_FOLDER]))
        return cleaned


class CloseDialog(_NeedsFolder, DangerousDialog):
    """Asks for how long the school can be opened again."""

    days = forms.IntegerField(
        label=gettext_lazy("Days until its data goes"),
        min_value=1,
        max_value=MOST_DAYS,
        initial=GRACE.days,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy("Until then it can be opened again."),
    )

    def preview(self) -> Sequence[Line]:
        """What the school has paid for, what is open, and where its archive goes."""
        now = timezone.now()
        paid = Subscription.objects.filter(instance=self.row).first()
        end = paid.current_period_end if paid else None
        keys = ApiKey.objects.of_instance(self.row.pk).live(at=now).count()
        orders = PaymentOrder.objects.of_instance(self.row.pk).pending().count()
        folder = settings.KITEHUB_ARCHIVES
        archive = [Line(gettext("Archive"), folder)] if folder else []
        return [
            Line(gettext("Paid or tried until"), moment(end), warns=end is not None and end > now),
            Line(gettext("Orders that await payment"), str(orders), warns=orders > 0),
            Line(gettext("Live API keys"), str(keys)),
            *archive,
        ]


class ReopenDialog(SchoolDialog):
    """Asks why, beside when it was closed and why."""

    def preview(self) -> Sequence[Line]:
        """The closing."""
        found = _open_tombstone(self.row)
        if found is None:
            return []
        return [
            Line(gettext("Closed at"), moment(found.requested_at)),
            Line(gettext("By"), found.requested_by),
            Line(gettext("Reason"), found.reason or "–"),
            Line(gettext("Its data goes at"), moment(found.deprovision_at), warns=True),
        ]


class FinishClosingDialog(_NeedsFolder, SchoolDialog):
    """Asks why, beside what is known of the closing, and why its job failed."""

    def preview(self) -> Sequence[Line]:
        """The archive that there is, until when the data stays, and what went wrong."""
        found = _open_tombstone(self.row)
        if found is None:
            return []
        lines = [
            Line(gettext("Closed at"), moment(found.requested_at)),
            Line(gettext("Archive"), found.archive_path),
            Line(gettext("Its data goes at"), moment(found.deprovision_at), warns=True),
        ]
        last = work_on(self.row.pk).filter(task_name=CLOSING).first()
        if last is not None and last.status == "failed" and hasattr(last, "failure"):
            lines.append(Line(gettext("Last error"), last.failure.words, warns=True))
        return lines


class ClosesSchools:
    """For the admin of instances: closing one, and opening closed ones again."""

    def has_close_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Those who may close instances."""
        return may(request, "close")

    @action(
        description=gettext_lazy("Close the school"),
        icon="door_front",
        permissions=["close"],
        url_path=CLOSE,
        dialog={
            "title": gettext_lazy("Close this school?"),
            "description": gettext_lazy(
                "A background job archives it and hides it: nobody can use it any more. Its data "
                "goes for good once the days are over."
            ),
            "form_class": CloseDialog,
            "form_submit_text": gettext_lazy("Close the school"),
        },
    )
    def close(self, request: HttpRequest, form: CloseDialog, object_id: str) -> HttpResponse:
        """Puts the closing into the queue."""
        its: Any = self
        days = timedelta(days=form.cleaned_data["days"])
        said = gettext("It is being archived, and then closed.")
        answer: HttpResponse = its._request(
            request, object_id, request_closing, said, "deleted", grace=days
        )
        return answer

    @action(
        description=gettext_lazy("Finish closing"),
        icon="fact_check",
        permissions=["close"],
        url_path=FINISH,
        dialog={
            "title": gettext_lazy("Finish closing this school?"),
            "description": gettext_lazy(
                "A background job compares its archive with its data, and makes a new archive "
                "where they differ. It stays closed, and the day on which its data goes is the "
                "same."
            ),
            "form_class": FinishClosingDialog,
            "form_submit_text": gettext_lazy("Finish closing"),
        },
    )
    def finish_closing(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Puts the rest of a closing into the queue."""
        its: Any = self
        said = gettext("The closing is being finished.")
        answer: HttpResponse = its._request(
            request, object_id, request_rest_of_closing, said, "deleted"
        )
        return answer

    @action(
        description=gettext_lazy("Open again"),
        icon="door_open",
        permissions=["close"],
        url_path=REOPEN,
        dialog={
            "title": gettext_lazy("Open this school again?"),
            "description": gettext_lazy("It is used again, as it was when it was closed."),
            "form_class": ReopenDialog,
            "form_submit_text": gettext_lazy("Open again"),
        },
    )
    def reopen(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Cancels the closing."""
        its: Any = self
        school = school_of(object_id)
        its.message_user(request, self._reopen(request, school))
        return lead_to(request, its._page("change", school.pk))

    @each_alone
    @admin.action(description=gettext_lazy("Open closed schools again"), permissions=["close"])
    def reopen_all(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """Cancels the closing of several."""
        bulk = Bulk(
            name="reopen_all",
            title=gettext("Open again"),
            meaning=gettext("They are used again, as they were when they were closed."),
            preview=_will_reopen,
            act=lambda school: self._reopen(request, school),
        )
        return run_on_each(self, request, queryset, bulk)

    def check_restoring(self, rows: Sequence[Any]) -> None:
        """Refuses rows of closed schools, which are opened again instead: their data is to go."""
        closed = Tombstone.objects.filter(
            instance__in=[row.pk for row in rows], canceled_at=None
        ).select_related("instance")
        if names := [str(each) for each in closed]:
            said = gettext("Closed, so choose “Open again” instead: %(rows)s.")
            raise Refusal(said % {"rows": ", ".join(names)})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Offers to close what is open, and to finish that or open again what is closed."""
        row = context.get("original")
        found = _open_tombstone(row) if row is not None else None
        idle = (CLOSE, RESTORE) if found else (REOPEN,)
        without_actions(context, *idle)
        if found is None or found.dropped_at is not None:
            without_actions(context, FINISH)
        if row is not None and row.deleted:
            without_actions(context, CLOSE)
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]

    def _reopen(self, request: HttpRequest, school: Instance) -> str:
        its: Any = self
        _will_reopen(school)
        try:
            with refusals():
                reopen(instance_id=school.pk, actor=actor_of(request))
        except ClosingError as error:  # between the look and the write
            raise Refusal(_TOO_LATE % {"row": school}) from error
        its.log(request, [school], CHANGE, [{"changed": {"fields": ["deleted"]}}])
        return gettext("“%(row)s” is open again.") % {"row": school}


_TOO_LATE = gettext_lazy("It is too late: the data of “%(row)s” is going or gone.")


def _open_tombstone(school: Instance) -> Tombstone | None:
    return Tombstone.objects.filter(instance=school, canceled_at=None).first()


def _will_reopen(school: Instance) -> str:
    found = _open_tombstone(school)
    if found is None:
        raise Refusal(gettext("“%(row)s” isn't closed.") % {"row": school})
    if found.erasing_at is not None:
        raise Refusal(_TOO_LATE % {"row": school})
    if work_on(school.pk).filter(status__in=UNDER_WAY).exists():
        raise Refusal(str(REFUSALS[LeverRefusal.BUSY]))
    said = gettext("will be open again; its data would have gone at %(when)s")
    return said % {"when": moment(found.deprovision_at)}
