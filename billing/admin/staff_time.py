"""What staff do to a subscription's time: days, a pause, its end. Each shows the dates first.

Days are goodwill: another person approves them, but for what one person may give alone.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, ClassVar, NamedTuple
from uuid import uuid4

from django import forms
from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from billing.admin.goodwill_dialogs import how_it_goes, of_worth, still_waiting, what_comes
from billing.admin.what_comes import UNSAID, by_whom, day, of_time, refusing
from billing.enums import GoodwillStatus, SubscriptionStatus
from billing.models import Goodwill, Subscription, SubscriptionAdjustment
from billing.services import goodwill
from billing.services.goodwill import CannotGive
from billing.services.subscriptions import (
    CannotPause,
    NoSubscription,
    SubscriptionEnded,
    cancel_at_period_end,
    extend,
    pause,
    undo_cancel,
    unpause,
)
from billing.services.subscriptions.adjustments import MOST_DAYS
from kitehub.backoffice import history
from kitehub.backoffice.audit import Refusal, actor_of, existing, lead_to, reason_of
from kitehub.backoffice.bulk import Bulk, WhyForm, each_alone, run_on_each
from kitehub.backoffice.dialogs import Line, RetypedDialog, without_actions
from kitehub.backoffice.differences import plain_values
from kitehub.backoffice.rehearsals import PlannedDialog, RehearsedDialog, foresee

Change = Callable[..., Subscription]

EXTEND, PAUSE, UNPAUSE, STOP, GO_ON = "extend", "pause", "unpause", "stop", "go-on"


class Told(NamedTuple):
    """What the log keeps of a change: the field that it is of, and the values before and after."""

    field: str
    fields: Sequence[str]


_BEHIND = _("They come behind all that is paid or tried, and what is paid later behind them.")
OF_TIME = Told(
    "current_period_end",
    ("status", "current_period_start", "current_period_end", "trial_end", "canceled_at"),
)


class DaysDialog(PlannedDialog, RetypedDialog):
    """Asks how many days, and shows until when it is then and whether another person decides.

    Nothing takes given days back, so the school's subdomain is typed again. The page carries the
    key of the proposal, so that what is sent twice is proposed once.
    """

    model = Subscription
    once = forms.UUIDField(initial=uuid4, required=False, widget=forms.HiddenInput)
    days = forms.IntegerField(
        label=_("days"), min_value=1, max_value=MOST_DAYS, widget=UnfoldAdminIntegerFieldWidget
    )

    def code_of_row(self) -> str:
        """The subdomain, of which there is only one."""
        return self.row.instance.subdomain if self.row and self.row.instance else ""

    def preview(self) -> Sequence[Line]:
        """Before days are entered, who decides."""
        actor = actor_of(self.request)
        return super().preview() or [Line(gettext("Who decides"), how_it_goes(actor))]

    def attempt(self, actor: str) -> Sequence[Line]:
        """Proposes them, and gives them as well where that takes another person."""
        told = self.cleaned_data
        said: dict[str, Any] = {"reason": UNSAID, "at": timezone.now()}
        made = offer(self.row, days=told["days"], key=told["once"], actor=actor, **said)
        if made.status == GoodwillStatus.PROPOSED:
            change_time(self.row, extend, actor=actor, reason=UNSAID, days=told["days"])
        after = Subscription.objects.get(pk=self.row.pk)
        who = Line(gettext("Then"), what_comes(made))
        return [*of_time(self.row, after), *of_worth(made), who, *still_waiting(made)]


class TimeDialog(RehearsedDialog):
    """Shows what a change without anything to enter does to the dates."""

    model = Subscription
    change: ClassVar[Any]

    def attempt(self, actor: str) -> Sequence[Line]:
        """Makes it."""
        return changed(self.row, type(self).change, actor)


class PauseDialog(TimeDialog):
    """Shows how much waits for the end of the pause."""

    change = staticmethod(pause)

    def attempt(self, actor: str) -> Sequence[Line]:
        """Pauses it. The end of what is paid is only known once it goes on."""
        was, now = self.row.current_period_end, timezone.now()
        change_time(self.row, pause, actor=actor, reason=UNSAID)
        left = max((was - now).days, 0)
        said = ngettext(
            "%(days)s day, from when it goes on", "%(days)s days, from when it goes on", left
        )
        return [
            Line(gettext("Access"), gettext("none, until somebody ends the pause"), warns=True),
            Line(gettext("What is left"), said % {"days": left}),
            Line(gettext("Paid until now"), day(was)),
        ]


class UnpauseDialog(TimeDialog):
    """Shows the dates from now on."""

    change = staticmethod(unpause)


class StopDialog(TimeDialog):
    """Shows until when everything stays."""

    change = staticmethod(cancel_at_period_end)


class GoOnDialog(TimeDialog):
    """Shows that it is as it was."""

    change = staticmethod(undo_cancel)


class ManyDaysForm(WhyForm):
    """Asks how many days each gets, and why."""

    days = forms.IntegerField(
        label=_("days"), min_value=1, max_value=MOST_DAYS, widget=UnfoldAdminIntegerFieldWidget
    )


class KeepsTime:
    """For the admin of subscriptions: the actions of its page and of its list."""

    @action(
        description=_("Give days"),
        icon="more_time",
        permissions=["extend"],
        url_path=EXTEND,
        dialog={
            "title": _("Give days"),
            "description": _BEHIND,
            "form_class": DaysDialog,
            "form_submit_text": _("Give days"),
        },
    )
    def extend(self, request: HttpRequest, form: DaysDialog, object_id: str) -> HttpResponse:
        """Proposes days for nothing, or gives them."""
        its: Any = self
        existing(form.row)
        days: int = form.cleaned_data["days"]
        made = self._offer(request, form.row, days=days, key=form.cleaned_data["once"])
        said = ngettext(
            "%(days)s day is proposed. Another person approves it.",
            "%(days)s days are proposed. Another person approves them.",
            days,
        )
        if made.status == GoodwillStatus.GIVEN:
            said = ngettext("%(days)s day is given.", "%(days)s days are given.", days)
        its.message_user(request, said % {"days": days})
        return lead_to(request, its._page("change", form.row.pk))

    @action(
        description=_("Pause"),
        icon="pause_circle",
        permissions=["extend"],
        url_path=PAUSE,
        dialog={
            "title": _("Pause the subscription"),
            "description": _(
                "The school has no access until somebody resumes it. What is left then goes on."
            ),
            "form_class": PauseDialog,
            "form_submit_text": _("Pause"),
        },
    )
    def pause(self, request: HttpRequest, form: PauseDialog, object_id: str) -> HttpResponse:
        """Stops its time."""
        return self._change_time(request, form, pause, gettext("It is paused."))

    @action(
        description=_("End the pause"),
        icon="play_circle",
        permissions=["extend"],
        url_path=UNPAUSE,
        dialog={
            "title": _("End the pause"),
            "description": _("What was left when the pause began goes on from now."),
            "form_class": UnpauseDialog,
            "form_submit_text": _("End the pause"),
        },
    )
    def unpause(self, request: HttpRequest, form: UnpauseDialog, object_id: str) -> HttpResponse:
        """Lets its time go on."""
        return self._change_time(request, form, unpause, gettext("The pause is over."))

    @action(
        description=_("Cancel at the period's end"),
        icon="event_busy",
        permissions=["change_plan"],
        url_path=STOP,
        dialog={
            "title": _("Cancel at the period's end?"),
            "description": _(
                "Everything stays until the end of what is paid; then it is over, without grace. "
                "Who pays an order after this goes on."
            ),
            "form_class": StopDialog,
            "form_submit_text": _("Cancel at the period's end"),
        },
    )
    def stop(self, request: HttpRequest, form: StopDialog, object_id: str) -> HttpResponse:
        """Cancels it at the end of what is paid."""
        said = gettext("It ends with what is paid.")
        return self._change_time(request, form, cancel_at_period_end, said)

    @action(
        description=_("Undo the cancellation"),
        icon="event_available",
        permissions=["change_plan"],
        url_path=GO_ON,
        dialog={
            "title": _("Undo the cancellation?"),
            "description": _("It goes on after the end of what is paid, and is renewed as before."),
            "form_class": GoOnDialog,
            "form_submit_text": _("Undo the cancellation"),
        },
    )
    def go_on(self, request: HttpRequest, form: GoOnDialog, object_id: str) -> HttpResponse:
        """Takes the cancellation back."""
        said = gettext("It isn't cancelled any more.")
        return self._change_time(request, form, undo_cancel, said)

    @admin.action(description=_("Give days to selected subscriptions"), permissions=["extend"])
    @each_alone
    def extend_all(self, request: HttpRequest, queryset: QuerySet[Subscription]) -> Any:
        """Proposes the same days for each, or gives them."""
        its: Any = self
        actor = actor_of(request)
        form = ManyDaysForm(request.POST)
        days = form.cleaned_data["days"] if form.is_valid() else 1

        def preview(row: Subscription) -> str:
            foresee(lambda: changed(row, extend, actor, days=1), its.refusal_of)
            said = gettext("paid until %(until)s, and the days behind it")
            return said % {"until": day(row.current_period_end)}

        def act(row: Subscription) -> str:
            made = self._offer(request, row, days=days)
            if made.status == GoodwillStatus.PROPOSED:
                return what_comes(made)
            after = Subscription.objects.get(pk=row.pk)
            return gettext("paid until %(until)s") % {"until": day(after.current_period_end)}

        bulk = Bulk(
            name="extend_all",
            title=_("Give days to selected subscriptions"),
            meaning=f"{_BEHIND} {how_it_goes(actor)}",
            preview=preview,
            act=act,
            form_class=ManyDaysForm,
            moves_money=True,
        )
        return run_on_each(self, request, queryset, bulk)

    def has_extend_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may give days and pause."""
        return bool(request.user.has_perm("billing.extend_subscription"))

    def has_change_plan_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may change what is bought, and cancel it."""
        return bool(request.user.has_perm("billing.change_plan"))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Offers what can be done to the row as it is."""
        without_actions(context, *_idle(context.get("original")))
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]

    def _change_time(
        self, request: HttpRequest, form: Any, change: Change, said: str, **options: Any
    ) -> HttpResponse:
        changes = partial(change_time, change=change, **options)
        return self._change_row(request, form, changes, said)

    def _change_row(
        self, request: HttpRequest, form: Any, change: Change, said: str, told: Told = OF_TIME
    ) -> HttpResponse:
        its: Any = self
        # Not by get_object, which locks the row: the instance comes first in the order of locks.
        existing(form.row)
        self._log_change(request, form.row, change, told)
        its.message_user(request, said)
        return lead_to(request, its._page("change", form.row.pk))

    def _offer(self, request: HttpRequest, row: Subscription, **told: Any) -> Goodwill:
        its: Any = self
        before = plain_values(row, OF_TIME.fields)
        made = offer(row, **told, **by_whom(request))
        after = Subscription.all_objects.get(pk=row.pk)
        added = {"name": str(Goodwill._meta.verbose_name), "object": str(made)}
        part = history.values_part(before, plain_values(after, OF_TIME.fields))
        its.log(request, [row], ADDITION, [{"added": added}, *part])
        return made

    def _log_change(
        self, request: HttpRequest, row: Subscription, change: Change, told: Told = OF_TIME
    ) -> Subscription:
        its: Any = self
        before = plain_values(row, told.fields)
        after = change(row, actor=actor_of(request), reason=reason_of(request))
        part = history.values_part(before, plain_values(after, told.fields))
        its.log(request, [row], CHANGE, [{"changed": {"fields": [told.field]}}, *part])
        return after


def offer(row: Subscription, **told: Any) -> Goodwill:
    """Proposes days for a subscription, or gives them. Raises Refusal."""
    _check_there(row)
    with refusing(CannotGive):
        return goodwill.propose_days(instance_id=row.instance_id, **told)


def change_time(
    row: Subscription, change: Change, *, actor: str, reason: str, **options: Any
) -> Subscription:
    """Changes a subscription's time. Raises Refusal."""
    _check_there(row)
    done = partial(change, instance_id=row.instance_id, at=timezone.now())
    try:
        return done(actor=actor, reason=reason, **options)
    except (SubscriptionEnded, NoSubscription) as error:
        raise Refusal(gettext("Nothing was changed: nothing is left of it.")) from error
    except CannotPause as error:
        raise Refusal(
            gettext("Nothing was changed: it is paused already, or isn't paused.")
        ) from error


def changed(row: Subscription, change: Change, actor: str, **options: Any) -> Sequence[Line]:
    """Changes a subscription's time, and says what is other than before. Raises Refusal."""
    after = change_time(row, change, actor=actor, reason=UNSAID, **options)
    return list(of_time(row, after))


def _check_there(row: Subscription) -> None:
    if row.deleted:
        raise Refusal(gettext("This row is deleted. Restore it before changing it."))


def _idle(row: Subscription | None) -> set[str]:
    """The actions that a subscription as it is has no use for."""
    if row is None or row.deleted:
        return {EXTEND, PAUSE, UNPAUSE, STOP, GO_ON}
    paused = SubscriptionAdjustment.objects.open_pauses().filter(subscription=row).exists()
    over = row.status == SubscriptionStatus.EXPIRED or row.current_period_end <= timezone.now()
    idle = {PAUSE} if paused else {UNPAUSE}
    if over:
        idle |= {PAUSE}  # Nothing is left that could wait.
    if row.status == SubscriptionStatus.CANCELED:
        idle |= {PAUSE}  # It runs out, unless it goes on first.
        return idle | {STOP} | ({GO_ON} if over else set())
    return idle | {GO_ON} | ({STOP} if row.status == SubscriptionStatus.EXPIRED else set())
