"""What is asked before goodwill is proposed and decided, and what comes of it."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from billing.admin.amount_dialogs import AmountDialog, StateDialog
from billing.admin.what_comes import of_school, of_time, refusing
from billing.enums import GoodwillStatus
from billing.models import Goodwill, Subscription
from billing.models.transfers import MOST_DONG
from billing.services import credit, goodwill
from billing.services.goodwill import CannotGive
from kitehub.backoffice.amounts import parse_amount
from kitehub.backoffice.dialogs import Line
from kitehub.backoffice.forms import AmountField, Aside, ReasonedModelForm
from kitehub.backoffice.rehearsals import RehearsedDialog
from kitehub.display import money


class CreditForm(ReasonedModelForm):
    """To whom how much credit is given, and why; the amount is typed twice.

    The page carries the key of the proposal, so that what is sent twice is proposed once.
    """

    once = forms.UUIDField(initial=uuid4, widget=forms.HiddenInput)
    amount = AmountField(help_text=_("It pays for orders of this school and is never paid out."))
    retyped = Aside(
        label=_("amount, once more"),
        max_length=30,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )

    class Meta:
        model = Goodwill
        fields = ("instance", "amount")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = True

    def clean_amount(self) -> int:
        """Some đồng, and no more than a bank could move."""
        amount: int = self.cleaned_data["amount"]
        if not 0 < amount <= MOST_DONG:
            raise forms.ValidationError(gettext("Enter an amount above 0, of at most 13 digits."))
        return amount

    def clean_retyped(self) -> str:
        """What was typed, where it is the amount, however its thousands are grouped."""
        typed: str = self.cleaned_data["retyped"]
        if parse_amount(typed) != self.cleaned_data.get("amount"):
            raise forms.ValidationError(gettext("That is not what is to be typed here."))
        return typed

    def propose(self, actor: str) -> Goodwill:
        """Proposes it. Raises Refusal."""
        with refusing(CannotGive):
            return goodwill.propose_credit(
                instance_id=self.cleaned_data["instance"].pk,
                amount=self.cleaned_data["amount"],
                reason=self.cleaned_data["reason"],
                actor=actor,
                at=timezone.now(),
                key=self.cleaned_data["once"],
            )


class ApproveDialog(RehearsedDialog, AmountDialog):
    """Shows what would be given, and asks for the amount or the days again."""

    model = Goodwill

    def sum_of_row(self) -> int:
        """Of credit the amount, else the days."""
        return int(self.row.amount if self.row.days is None else self.row.days)

    def attempt(self, actor: str) -> Sequence[Line]:
        """Approves it."""
        return approved(self.row, actor)


class WhyGoodwillDialog(StateDialog):
    """Asks why."""

    model = Goodwill


def how_it_goes(actor: str) -> str:
    """Whether a second person is needed, and for how much none is."""
    left = goodwill.left_alone(actor=actor, at=timezone.now())
    if not left:
        return gettext("Another person approves it. Nothing is given before.")
    said = gettext(
        "You may give up to %(left)s alone today, and that is given at once. For more another "
        "person has to approve it."
    )
    return said % {"left": money(left)}


def what_comes(made: Goodwill) -> str:
    """What has become of it by proposing it."""
    if made.status == GoodwillStatus.GIVEN:
        return gettext("It is given.")
    return gettext("It is proposed. Another person approves it.")


def approved(proposal: Goodwill, actor: str) -> Sequence[Line]:
    """Approves goodwill, and says what has come of it. Raises Refusal."""
    school = proposal.instance_id
    had = credit.balance(instance_id=school)
    before = Subscription.objects.filter(instance_id=school).first()
    with refusing(CannotGive):
        done = goodwill.approve(goodwill_id=proposal.pk, actor=actor, at=timezone.now())
    lines = [*of_school(done.instance), *of_worth(done)]
    after = Subscription.objects.filter(instance_id=school).first()
    if done.days is None:
        has = credit.balance(instance_id=school)
        lines.append(Line(gettext("Credit"), f"{money(had)} → {money(has)}"))
    elif before is not None and after is not None:
        lines += of_time(before, after)
    return [*lines, *still_waiting(done)]


def of_worth(made: Goodwill) -> Iterator[Line]:
    """What days would cost."""
    if made.days is not None:
        yield Line(gettext("Worth"), f"{made.what} · {money(made.amount)}")


def still_waiting(made: Goodwill) -> Iterator[Line]:
    """What else is proposed for the school: it may be the same thing twice."""
    for each in goodwill.waiting_for(made.instance_id).exclude(pk=made.pk):
        said = f"{each} · {each.proposed_by} · {each.reason}"
        yield Line(gettext("Also proposed for this school"), said, warns=True)
