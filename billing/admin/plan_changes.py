"""What staff change in what a subscription is for: its tier now, or a lower one from its end on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget

from billing.admin.staff_time import Told
from billing.admin.what_comes import UNSAID, day, other_orders
from billing.enums import SubscriptionStatus
from billing.models import Subscription
from billing.periods import RANK
from billing.portal.plan_words import feature_words, limit_words
from billing.proration import Excess
from billing.services.subscriptions import (
    NoSubscription,
    NotLower,
    SubscriptionEnded,
    downgrade_preview,
    highest_tier,
    request_downgrade,
    undo_downgrade,
)
from kitehub import tenancy
from kitehub.backoffice.audit import Refusal
from kitehub.backoffice.dialogs import Line, without_actions
from kitehub.backoffice.rehearsals import PlannedDialog, RehearsedDialog
from kitehub.backoffice.search import parse_uuid
from kitehub.display import money, size
from kitehub.enums import Tier
from kitehub.plans import STORAGE
from kitehub.portal.usage import usage_of

CHANGE_TIER, LOWER, KEEP = "change-tier", "lower", "keep-tier"
# What the school's dialog hears from here, so that it leads back.
FROM, HERE = "from", "subscription"
OF_PLAN = Told("pending_tier", ("tier", "pending_tier", "monthly_price"))
_OVER = (SubscriptionStatus.CANCELED, SubscriptionStatus.EXPIRED)


class LowerDialog(PlannedDialog):
    """Asks for the lower tier, and shows what the school loses by it."""

    model = Subscription
    tier = forms.ChoiceField(label=_("tier"), widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["tier"]
        lower = lower_tiers(self.row) if self.row else []
        field.choices = [(tier.value, tier.label) for tier in lower]

    def attempt(self, actor: str) -> Sequence[Line]:
        """Asks for it."""
        tier = Tier(self.cleaned_data["tier"])
        change_plan(self.row, partial(request_downgrade, tier=tier), actor=actor, reason=UNSAID)
        return list(lowered(self.row, tier))


class KeepDialog(RehearsedDialog):
    """Shows that the tier stays."""

    model = Subscription

    def attempt(self, actor: str) -> Sequence[Line]:
        """Takes the wish back."""
        kept(self.row, actor=actor, reason=UNSAID)
        pending, tier = Tier(self.row.pending_tier), Tier(self.row.tier)
        return [
            Line(gettext("Not any more"), str(pending.label)),
            Line(gettext("Tier after the period"), str(tier.label)),
            *other_orders(self.row.instance_id, tier),
        ]


class ChangesPlans:
    """For the admin of subscriptions, behind KeepsTime: the actions that change what is bought."""

    @action(
        description=_("Change tier"),
        icon="swap_vert",
        permissions=["change_plan"],
        url_path=CHANGE_TIER,
    )
    def change_tier(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Leads to the dialog of the school's page, which asks for its own permission."""
        key = parse_uuid(object_id)
        row = Subscription.all_objects.filter(pk=key).first() if key else None
        if row is None:
            raise Http404
        address = reverse("admin:kitehub_instance_change_tier", args=[row.instance_id])
        return HttpResponseRedirect(f"{address}?{FROM}={HERE}")

    @action(
        description=_("Lower tier at the period's end"),
        icon="trending_down",
        permissions=["change_plan"],
        url_path=LOWER,
        dialog={
            "title": _("Change to a lower tier at the period's end?"),
            "description": _(
                "The school keeps its tier until the end of what is paid. Orders for the time "
                "after that are for the lower one."
            ),
            "form_class": LowerDialog,
            "form_submit_text": _("Lower the tier"),
        },
    )
    def lower(self, request: HttpRequest, form: LowerDialog, object_id: str) -> HttpResponse:
        """Asks for a lower tier, as the owner does in the portal."""
        its: Any = self
        tier = Tier(form.cleaned_data["tier"])
        said = gettext("From the end of what is paid on it is %(tier)s.") % {"tier": tier.label}
        change = partial(change_plan, change=partial(request_downgrade, tier=tier))
        answer: HttpResponse = its._change_row(request, form, change, said, OF_PLAN)
        return answer

    @action(
        description=_("Keep the tier after all"),
        icon="undo",
        permissions=["change_plan"],
        url_path=KEEP,
        dialog={
            "title": _("Keep the tier after all?"),
            "description": _("Orders for the time after the period are for today's tier again."),
            "form_class": KeepDialog,
            "form_submit_text": _("Keep the tier"),
        },
    )
    def keep_tier(self, request: HttpRequest, form: KeepDialog, object_id: str) -> HttpResponse:
        """Takes the wish for a lower tier back."""
        its: Any = self
        said = gettext("The tier stays as it is.")
        answer: HttpResponse = its._change_row(request, form, kept, said, OF_PLAN)
        return answer

    def get_unfold_action(self, action: str) -> Any:
        """The one that leads to a dialog is opened like a dialog."""
        found = super().get_unfold_action(action)  # type: ignore[misc]
        if found.path == CHANGE_TIER:
            found.dialog = {"title": found.description}
        return found

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Offers what can be changed in the row as it is."""
        without_actions(context, *_idle(context.get("original")))
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]


def change_plan(
    row: Subscription, change: Callable[..., Subscription], *, actor: str, reason: str
) -> Subscription:
    """Changes what a subscription is for from its end on. Raises Refusal."""
    if row.deleted:
        raise Refusal(gettext("This row is deleted. Restore it before changing it."))
    try:
        return change(instance_id=row.instance_id, at=timezone.now(), actor=actor, reason=reason)
    except NotLower as error:
        raise Refusal(
            gettext("Nothing was changed: it isn't lower than what the school has or has paid for.")
        ) from error
    except (SubscriptionEnded, NoSubscription) as error:
        raise Refusal(
            gettext("Nothing was changed: the subscription is cancelled, or has ended.")
        ) from error


def kept(row: Subscription, *, actor: str, reason: str) -> Subscription:
    """Takes back the wish for a lower tier. Raises Refusal, also where there is none."""
    if row.pending_tier is None:
        raise Refusal(gettext("Nothing was changed: nobody has asked for a lower tier."))
    return change_plan(row, undo_downgrade, actor=actor, reason=reason)


def lowered(row: Subscription, tier: Tier) -> Iterator[Line]:
    """What a lower tier from the period's end on means for a school."""
    usage = _usage_of(row)
    said = downgrade_preview(instance_id=row.instance_id, tier=tier, usage=usage)
    over = said.starts_at <= timezone.now()
    begins = gettext("with the next payment") if over else day(said.starts_at)
    yield Line(gettext("Begins"), begins)
    yield Line(gettext("Tier"), f"{highest_tier(row).label} → {tier.label}")
    prices = f"{money(row.monthly_price)} → {money(said.monthly_price)}"
    yield Line(gettext("Price per month"), prices)
    for name in said.features_lost:
        yield Line(gettext("Is lost"), feature_words(name), warns=True)
    for each in said.exceeded:
        yield Line(gettext("More is used"), _beyond(each), warns=True)
    if not usage or None in usage.values():
        yield Line(gettext("What is used"), gettext("isn't known at the moment"), warns=True)
    yield from other_orders(row.instance_id, tier)


def lower_tiers(row: Subscription) -> list[Tier]:
    """The tiers that are lower than what a school has, or has paid for."""
    highest = highest_tier(row)
    return [tier for tier in Tier if RANK[tier] < RANK[highest]]


# --- Parts --------------------------------------------------------------------------------------


def _usage_of(row: Subscription) -> Mapping[str, int | None]:
    """What the school uses; nothing where that can't be asked."""
    if row.instance is None:
        return {}
    try:
        with tenancy.use(row.instance):
            return usage_of(row.instance_id)
    except tenancy.BadPlacement:
        return {}


def _beyond(each: Excess) -> str:
    used = size(each.used) if each.name == STORAGE else str(each.used)
    words = limit_words(each.name, each.limit)
    return gettext("%(limit)s; the school uses %(used)s") % {"limit": words, "used": used}


def _idle(row: Subscription | None) -> set[str]:
    """The actions that a subscription as it is has no use for."""
    if row is None or row.deleted:
        return {CHANGE_TIER, LOWER, KEEP}
    # Of what is cancelled no next period comes, in which it would have the lower tier.
    cancelled = row.status == SubscriptionStatus.CANCELED
    idle = {KEEP} if cancelled or not row.pending_tier else set()
    if row.status in _OVER or not lower_tiers(row):
        idle.add(LOWER)
    over = row.status in _OVER and row.current_period_end <= timezone.now()
    return idle | ({CHANGE_TIER} if over or row.status == SubscriptionStatus.EXPIRED else set())
