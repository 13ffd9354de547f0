"""What staff do to a subscription's time on its page: give days, pause it, resume it."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib.admin.models import CHANGE
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from billing.models import Subscription, SubscriptionAdjustment
from billing.services.subscriptions import (
    CannotPause,
    SubscriptionEnded,
    extend,
    pause,
    unpause,
)
from billing.services.subscriptions.adjustments import MOST_DAYS
from kitehub.backoffice import history
from kitehub.backoffice.audit import Refusal, actor_of, lead_to, reason_of
from kitehub.backoffice.differences import plain_values
from kitehub.backoffice.forms import Aside, Reasoned
from kitehub.backoffice.search import parse_uuid
from kitehub.db.acting import REASON_LENGTH

_TOLD = ("status", "current_period_start", "current_period_end", "trial_end")


class WhyForm(Reasoned, BaseDialogForm):
    """Asks why, and takes no silence for an answer."""

    reason = Aside(
        label=_("Reason"),
        max_length=REASON_LENGTH,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Kept in the history, for those who ask later."),
    )


class DaysForm(WhyForm):
    """Asks how many days, and why."""

    field_order = ("days", "reason")

    days = forms.IntegerField(
        label=_("days"), min_value=1, max_value=MOST_DAYS, widget=UnfoldAdminIntegerFieldWidget
    )


class KeepsTime:
    """For the admin of subscriptions: the actions of its page."""

    @action(
        description=_("Give days"),
        icon="more_time",
        permissions=["change"],
        url_path="extend",
        dialog={
            "title": _("Give days"),
            "description": _(
                "They come behind all that is paid or tried, and what is paid later behind them."
            ),
            "form_class": DaysForm,
            "form_submit_text": _("Give days"),
        },
    )
    def extend(self, request: HttpRequest, form: DaysForm, object_id: str) -> HttpResponse:
        """Gives days for nothing."""
        days: int = form.cleaned_data["days"]
        said = ngettext("%(days)s day is given.", "%(days)s days are given.", days)
        return self._change_time(request, object_id, extend, said % {"days": days}, days=days)

    @action(
        description=_("Pause"),
        icon="pause_circle",
        permissions=["change"],
        url_path="pause",
        dialog={
            "title": _("Pause the subscription"),
            "description": _(
                "The school has no access until somebody resumes it. What is left then goes on."
            ),
            "form_class": WhyForm,
            "form_submit_text": _("Pause"),
        },
    )
    def pause(self, request: HttpRequest, form: WhyForm, object_id: str) -> HttpResponse:
        """Stops its time."""
        return self._change_time(request, object_id, pause, gettext("It is paused."))

    @action(
        description=_("End the pause"),
        icon="play_circle",
        permissions=["change"],
        url_path="unpause",
        dialog={
            "title": _("End the pause"),
            "description": _("What was left when the pause began goes on from now."),
            "form_class": WhyForm,
            "form_submit_text": _("End the pause"),
        },
    )
    def unpause(self, request: HttpRequest, form: WhyForm, object_id: str) -> HttpResponse:
        """Lets its time go on."""
        return self._change_time(request, object_id, unpause, gettext("The pause is over."))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Offers what can be done to the row as it is."""
        row = context.get("original")
        open_ = SubscriptionAdjustment.objects.open_pauses().filter(subscription=row)
        idle = "/pause/" if row is not None and open_.exists() else "/unpause/"
        # By its address: unfold's list has no names.
        context["actions_detail"] = [
            offered
            for offered in context.get("actions_detail", [])
            if not str(offered.get("path", "")).endswith(idle)
        ]
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]

    def _change_time(
        self,
        request: HttpRequest,
        object_id: str,
        change: Callable[..., Subscription],
        said: str,
        **options: Any,
    ) -> HttpResponse:
        its: Any = self
        key = parse_uuid(object_id)
        # Not by get_object, which locks the row: the instance comes first in the order of locks.
        row = Subscription.objects.filter(pk=key).first() if key else None
        if row is None:
            raise Refusal(gettext("There is no such row."))
        before = plain_values(row, _TOLD)
        try:
            changed = change(
                instance_id=row.instance_id,
                at=timezone.now(),
                actor=actor_of(request),
                reason=reason_of(request),
                **options,
            )
        except SubscriptionEnded as error:
            raise Refusal(gettext("Nothing was changed: nothing is left of it.")) from error
        except CannotPause as error:
            raise Refusal(
                gettext("Nothing was changed: it is paused already, or isn't paused.")
            ) from error
        part = history.values_part(before, plain_values(changed, _TOLD))
        its.log(request, [row], CHANGE, [{"changed": {"fields": ["current_period_end"]}}, *part])
        its.message_user(request, said)
        return lead_to(request, its._page("change", row.pk))
