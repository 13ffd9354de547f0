"""What is asked before a school's tier is changed: which, why, and what comes of it."""

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from billing.admin.plan_changes import FROM, HERE
from billing.admin.what_comes import day, of_time, other_orders
from billing.models import Subscription
from billing.proration import NothingToUpgrade
from billing.services import SubscriptionEnded
from billing.services.subscriptions import NoSubscription, upgrade_quote
from kitehub.backoffice.audit import Refusal
from kitehub.backoffice.dialogs import Line
from kitehub.backoffice.rehearsals import PlannedDialog
from kitehub.display import money, size
from kitehub.enums import Tier
from kitehub.models import Instance
from kitehub.plans import PLANS
from kitehub.workflows import InstanceGone, change_tier

SHOWN_LIMITS = ("maxStudents", "maxCourses")


class TierDialog(PlannedDialog):
    """Asks for the tier and why, beside what each tier costs and allows."""

    model = Instance
    form_before_template = "kitehub/backoffice/tiers.html"

    tier = forms.ChoiceField(label=_("tier"), choices=Tier.choices, widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.current = self.row.tier if self.row else None
        self.fields["tier"].initial = self.current

    def get_before_template_context(
        self, request: HttpRequest, object_id: int | str | None = None
    ) -> dict[str, Any]:
        """The catalogue, and which tier the school has."""
        plans = [
            {
                "name": plan.tier.label,
                "current": plan.tier == self.current,
                "price": money(plan.monthly_price),
                "limits": [_limit(plan.limitations[name]) for name in SHOWN_LIMITS],
                "storage": size(plan.storage_bytes),
            }
            for plan in PLANS.values()
        ]
        return {**super().get_before_template_context(request, object_id), "plans": plans}

    def attempt(self, actor: str) -> Sequence[Line]:
        """Changes it."""
        return list(changed(self.row, Tier(self.cleaned_data["tier"]), actor))


def change(school: Instance, tier: Tier, *, actor: str, reason: str) -> Instance:
    """Changes a school's tier. Raises Refusal."""
    try:
        return change_tier(instance=school, tier=tier, actor=actor, reason=reason)
    except InstanceGone as error:
        raise Refusal(gettext("This row is deleted. Restore it before changing it.")) from error
    except SubscriptionEnded as error:
        raise Refusal(
            gettext("Nothing was changed: the subscription has ended. Renew it first.")
        ) from error


def changed(school: Instance, tier: Tier, actor: str) -> Iterator[Line]:
    """Changes a school's tier, and says what is other than before. Raises Refusal."""
    own = Subscription.objects.of_instance(school.pk)
    before, quoted = own.first(), _quoted(school, tier)
    change(school, tier, actor=actor, reason="–")
    after = own.first()
    if before is not None and after is not None:
        yield from of_time(before, after)
    yield Line(gettext("From"), gettext("at once; what is paid already stays paid"))
    if quoted:
        yield Line(gettext("An upgrade order would ask for"), quoted, warns=True)
    yield from other_orders(school.pk, tier)


def page_before(request: HttpRequest, school: Instance) -> str:
    """The page of the school's subscription, where the dialog was opened there; else nothing."""
    if request.GET.get(FROM) != HERE:
        return ""
    own = Subscription.objects.of_instance(school.pk).first()
    return reverse("admin:billing_subscription_change", args=[own.pk]) if own else ""


def _quoted(school: Instance, tier: Tier) -> str:
    """What the school would pay for it itself; nothing where it would pay nothing."""
    try:
        quote = upgrade_quote(instance_id=school.pk, tier=tier, at=timezone.now())
    except (NoSubscription, NothingToUpgrade):
        return ""
    return gettext("%(amount)s, until %(until)s") % {
        "amount": money(quote.amount),
        "until": day(quote.until),
    }


def _limit(number: int | None) -> str:
    return gettext("no limit") if number is None else str(number)
