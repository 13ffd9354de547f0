"""What staff do to an order on its page: cancel it, give it time, open it anew, mail it again."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.models import CHANGE
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from billing.admin.replaced_orders import opened_with, touches_others
from billing.admin.what_comes import UNSAID, by_whom, minute, of_school, refusing
from billing.enums import PaymentStatus, PaymentType
from billing.models import PaymentOrder
from billing.services import open_orders
from billing.services.open_orders import LONGEST, CannotChange
from billing.services.orders import OPEN_FOR, OrderClosed, cancel_order, status_of, to_transfer
from kitehub.backoffice.audit import Refusal, actor_of, existing, lead_to, reason_of
from kitehub.backoffice.bulk import Bulk, each_alone, run_on_each
from kitehub.backoffice.dialogs import Line, RetypedDialog, WhyDialog, without_actions
from kitehub.backoffice.rehearsals import PlannedDialog, RehearsedDialog, foresee
from kitehub.display import money

CANCEL, PROLONG, REOPEN, SEND_AGAIN = "cancel", "prolong", "reopen", "send-again"


class CancelDialog(RehearsedDialog, RetypedDialog):
    """Says what becomes of what was paid, and asks for the code and why."""

    model = PaymentOrder

    def attempt(self, actor: str) -> Sequence[Line]:
        """Cancels it."""
        return list(cancelled(self.row, actor))


class ProlongDialog(PlannedDialog):
    """Asks for how many hours more."""

    model = PaymentOrder
    hours = forms.IntegerField(
        label=_("hours from now"),
        min_value=1,
        max_value=int(LONGEST.total_seconds() // 3600),
        initial=int(OPEN_FOR.total_seconds() // 3600),
        widget=UnfoldAdminIntegerFieldWidget,
    )

    def until(self) -> datetime:
        """The moment that was entered, to the minute."""
        now = timezone.now().replace(second=0, microsecond=0)
        return now + timedelta(hours=self.cleaned_data["hours"])

    def attempt(self, actor: str) -> Sequence[Line]:
        """Gives it the time."""
        before = self.row.expires_at
        with refusing(CannotChange):
            order = open_orders.prolong_order(
                order_id=self.row.pk,
                until=self.until(),
                actor=actor,
                reason=UNSAID,
                at=timezone.now(),
            )
        # By the hour: the same outcome a minute later is the same outcome.
        hours = self.cleaned_data["hours"]
        return [
            Line(gettext("Expires until now"), minute(before)),
            Line(gettext("Then"), gettext("%(hours)s hours from now") % {"hours": hours}),
            Line(gettext("To be paid"), money(to_transfer(order))),
        ]


class ReopenDialog(RehearsedDialog, RetypedDialog):
    """Shows the order that would be opened, and what that does to others and to credit.

    The code is typed again where it does anything to them.
    """

    model = PaymentOrder

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.row is None or not touches_others(self.row):
            del self.fields["retyped"]

    def attempt(self, actor: str) -> Sequence[Line]:
        """Opens it."""
        by: dict[str, Any] = {"actor": actor, "reason": UNSAID, "at": timezone.now()}
        with refusing(CannotChange):
            opened, others = opened_with(
                self.row.instance_id,
                lambda: open_orders.reopen_order(order_id=self.row.pk, **by),
                anew=self.row,
            )
        was = money(self.row.amount)
        return [
            *of_school(opened.instance),
            *others,
            Line(gettext("Amount"), money(opened.amount), warns=money(opened.amount) != was),
            Line(gettext("To be transferred"), money(to_transfer(opened))),
            Line(gettext("The old order asked for"), was),
        ]


class SendAgainDialog(WhyDialog):
    """Says to whom."""

    model = PaymentOrder

    def preview(self) -> Sequence[Line]:
        """The address."""
        owner = self.row.instance.owner if self.row.instance else None
        return [
            Line(gettext("Goes to"), owner.email if owner else gettext("nobody"), owner is None)
        ]


class ActsOnOrders:
    """For the admin of orders: the actions of an order's page, and of its list."""

    @action(
        description=_("Cancel the order"),
        icon="cancel",
        permissions=["cancel"],
        url_path=CANCEL,
        dialog={
            "title": _("Cancel this order?"),
            "description": _("It can't be paid any more. Money that comes later waits."),
            "form_class": CancelDialog,
            "form_submit_text": _("Cancel the order"),
        },
    )
    def cancel(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Cancels the order, and gives back what was paid on it."""
        order: PaymentOrder = existing(form.row)
        _cancel(order, actor_of(request), reason_of(request))
        return self._acted(request, order, ["status"], gettext("The order is cancelled."))

    @action(
        description=_("Give more time"),
        icon="more_time",
        permissions=["reopen"],
        url_path=PROLONG,
        dialog={
            "title": _("Give this order more time?"),
            "description": _("Its code, its QR code and its price stay."),
            "form_class": ProlongDialog,
            "form_submit_text": _("Give more time"),
        },
    )
    def prolong(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Moves the order's expiry."""
        order: PaymentOrder = existing(form.row)
        with refusing(CannotChange):
            order = open_orders.prolong_order(
                order_id=order.pk, until=form.until(), **by_whom(request)
            )
        said = gettext("It can be paid until %(when)s.") % {"when": minute(order.expires_at)}
        return self._acted(request, order, ["expires_at"], said)

    @action(
        description=_("Open anew"),
        icon="restart_alt",
        permissions=["reopen"],
        url_path=REOPEN,
        dialog={
            "title": _("Open an order for the same?"),
            "description": _(
                "It has a code of its own and today's price. What was paid on the old one is "
                "credit then."
            ),
            "form_class": ReopenDialog,
            "form_submit_text": _("Open anew"),
        },
    )
    def reopen(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Opens an order for the same."""
        order: PaymentOrder = existing(form.row)
        with refusing(CannotChange):
            opened = open_orders.reopen_order(order_id=order.pk, **by_whom(request))
        said = gettext("%(order)s is open.") % {"order": opened.order_id}
        return self._acted(request, order, ["superseded_by"], said, to=opened)

    @action(
        description=_("Send the mail again"),
        icon="forward_to_inbox",
        permissions=["reopen"],
        url_path=SEND_AGAIN,
        dialog={
            "title": _("Send the order's mail again?"),
            "description": _("With the QR code and what is still to be paid."),
            "form_class": SendAgainDialog,
            "form_submit_text": _("Send the mail again"),
        },
    )
    def send_again(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Puts the order's mail into the queue."""
        order: PaymentOrder = existing(form.row)
        with refusing(CannotChange):
            address = open_orders.send_order_again(order_id=order.pk, **by_whom(request))
        said = gettext("The mail to %(address)s is in the queue.") % {"address": address}
        return self._acted(request, order, [], said)

    @admin.action(description=_("Cancel selected orders"), permissions=["cancel"])
    @each_alone
    def cancel_all(self, request: HttpRequest, queryset: QuerySet[PaymentOrder]) -> Any:
        """Cancels each, with what becomes of its money."""
        its: Any = self

        def act(order: PaymentOrder) -> str:
            said = "; ".join(f"{line.label} {line.value}" for line in _paid_back(order))
            _cancel(order, actor_of(request), reason_of(request))
            its.log(request, [order], CHANGE, [{"changed": {"fields": ["status"]}}])
            return said or gettext("Cancelled.")

        def preview(order: PaymentOrder) -> str:
            return foresee(lambda: list(cancelled(order, actor_of(request))), its.refusal_of)

        bulk = Bulk(
            name="cancel_all",
            title=_("Cancel selected orders"),
            meaning=_("They can't be paid any more. Money that comes later waits."),
            preview=preview,
            act=act,
            moves_money=True,
        )
        return run_on_each(self, request, queryset, bulk)

    def has_cancel_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may cancel orders."""
        return bool(request.user.has_perm("billing.cancel_order"))

    def has_reopen_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may give orders more time, open them anew and send their mail."""
        return bool(request.user.has_perm("billing.reopen_order"))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Offers what can be done to the order as it is."""
        without_actions(context, *_idle(context.get("original")))
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]

    def _acted(
        self,
        request: HttpRequest,
        order: PaymentOrder,
        fields: Sequence[str],
        said: str,
        to: PaymentOrder | None = None,
    ) -> HttpResponse:
        its: Any = self
        its.log(request, [order], CHANGE, [{"changed": {"fields": list(fields)}}])
        its.message_user(request, said)
        return lead_to(request, its._page("change", (to or order).pk))


def cancelled(order: PaymentOrder, actor: str) -> Iterator[Line]:
    """Cancels an order, and says what has become of its money. Raises Refusal."""
    lines = list(_paid_back(order))
    _cancel(order, actor, UNSAID)
    yield Line(order.order_id, gettext("is cancelled"))
    yield from lines


# --- Parts --------------------------------------------------------------------------------------


def _cancel(order: PaymentOrder, actor: str, reason: str) -> None:
    if order.deleted:
        raise Refusal(gettext("This row is deleted. Restore it before changing it."))
    was = PaymentOrder.objects.values_list("status", flat=True).filter(pk=order.pk).first()
    if was == PaymentStatus.CANCELLED:
        raise Refusal(gettext("It is cancelled already."))
    try:
        cancel_order(order_id=order.pk, actor=actor, reason=reason, at=timezone.now())
    except OrderClosed as error:
        said = gettext("Only an open order is cancelled; this one is “%(status)s”.")
        raise Refusal(said % {"status": PaymentStatus(error.status).label}) from error


def _paid_back(order: PaymentOrder) -> Iterator[Line]:
    """What becomes of what was paid on an order that is cancelled."""
    if not order.paid_amount:
        return
    as_credit = order.type == PaymentType.SUBSCRIPTION and order.instance_id is not None
    label = gettext("Becomes the school's credit") if as_credit else gettext("Waits for a person")
    yield Line(label, money(order.paid_amount), warns=True)


def _idle(order: PaymentOrder | None) -> set[str]:
    """The actions that an order as it is has no use for."""
    every = {CANCEL, PROLONG, REOPEN, SEND_AGAIN}
    if order is None or order.deleted:
        return every
    if order.status == PaymentStatus.PENDING:
        # Between its time and the job that says so it can be opened anew as well.
        open_ = status_of(order, at=timezone.now()) == PaymentStatus.PENDING
        idle = {REOPEN} if open_ else {PROLONG, SEND_AGAIN}
        return idle if order.type == PaymentType.SUBSCRIPTION else idle | {SEND_AGAIN}
    if order.status == PaymentStatus.PAID or order.superseded_by_id is not None:
        return every
    return every - {REOPEN}
