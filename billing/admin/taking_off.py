"""Staff take back what they have assigned: off an order that isn't paid, into the inbox again."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.admin.models import CHANGE
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget

from billing.admin.unmatching import AllocationDialog
from billing.admin.what_comes import by_whom, refusing
from billing.enums import PaymentStatus
from billing.models import PaymentAllocation, PaymentOrder
from billing.services import inbox
from billing.services.releasing import held_by
from kitehub.backoffice.audit import lead_to
from kitehub.backoffice.dialogs import RetypedDialog, without_actions
from kitehub.display import money

TAKE_OFF = "take-off"


class TakeOffDialog(AllocationDialog, RetypedDialog):
    """Asks which bank line's money, and why. The order's code is typed again."""

    model = PaymentOrder
    allocation = forms.ChoiceField(label=_("bank transfer"), widget=UnfoldAdminSelectWidget)

    def offered(self) -> Iterable[tuple[PaymentAllocation, str]]:
        """What of bank lines is on the order."""
        return [(each, _said(each, left)) for each, left in _takeable(self.row)]


class TakesOff:
    """For the admin of orders: the action that takes a bank line's money off."""

    @action(
        description=_("Take a payment off"),
        icon="link_off",
        permissions=["take_off"],
        url_path=TAKE_OFF,
        dialog={
            "title": _("Which payment was not for this order?"),
            "description": _("The bank line waits for a person again."),
            "form_class": TakeOffDialog,
            "form_submit_text": _("Take a payment off"),
        },
    )
    def take_off(self, request: HttpRequest, form: TakeOffDialog, object_id: str) -> HttpResponse:
        """Takes what is left of an allocation off the order."""
        its: Any = self
        # Not by get_object: the service locks the bank line before the order.
        key = form.cleaned_data["allocation"]
        allocation = PaymentAllocation.objects.select_related("order").get(pk=key)
        with refusing(inbox.CannotMatch):
            inbox.unmatch(allocation_id=allocation.pk, **by_whom(request))
        part = [{"changed": {"fields": ["paid_amount"]}}]
        its.log(request, [allocation.order], CHANGE, part)
        its.message_user(request, gettext("It waits in the inbox again."))
        return lead_to(request, its._page("change", allocation.order_id))

    def has_take_off_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may say what a bank line is for."""
        return bool(request.user.has_perm("billing.match_transfer"))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Offers it where there is something to take off."""
        order = context.get("original")
        if order is None or order.deleted or not _takeable(order):
            without_actions(context, TAKE_OFF)
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]


def _takeable(order: PaymentOrder) -> list[tuple[PaymentAllocation, int]]:
    """What of bank lines is on an order that isn't paid; of a paid one nothing."""
    if order.status == PaymentStatus.PAID or not order.paid_amount:
        return []
    return [(each, left) for each, left in held_by(order) if each.transfer_id is not None]


def _said(allocation: PaymentAllocation, left: int) -> str:
    transfer: Any = allocation.transfer
    moment = date_format(timezone.localtime(transfer.transferred_at), "SHORT_DATETIME_FORMAT")
    return f"{money(left)} · {moment} · {transfer.memo[:60]}"
