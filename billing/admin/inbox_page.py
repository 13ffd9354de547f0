"""The inbox: bank lines that wait, worked through one after the other.

One line is open, with the orders that come into question and why; one click assigns it, and for a
moment that can be taken back. Candidates are looked up for the open line alone, so the page costs
the same however many wait.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.admin.models import CHANGE
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext

from billing.admin.duplicates import PAYMENT, entered_like
from billing.admin.inbox import FROM
from billing.admin.inbox_dialogs import approves
from billing.admin.mark_paid import named
from billing.enums import PlannedState
from billing.models import BankTransfer, PlannedMatch
from billing.services import planned
from billing.services.candidates import Candidate, candidates, paid_elsewhere
from billing.services.inbox import CannotMatch
from kitehub.backoffice.audit import REFUSED, actor_of
from kitehub.backoffice.keyset import order_of
from kitehub.backoffice.search import parse_uuid
from kitehub.display import money

SHOWN = 20
# Beyond this, how many more there are makes no difference.
COUNTED = 1_000
_LAST = "billing_inbox_last"
# All lines of an imported statement were received at one moment.
_ORDER = order_of(BankTransfer, ("received_at",))


@dataclass(frozen=True, slots=True)
class Offer:
    """An order that the open line may be for, as the page shows it."""

    order_id: UUID
    code: str
    school: str
    subdomain: str
    asks: str
    gets: str
    pays: bool
    status: str
    why: Sequence[str]
    address: str


class InboxPage:
    """For the admin of bank lines: the inbox, and what its buttons do."""

    def get_urls(self) -> Any:
        """Beside the others, the inbox and its two buttons."""
        its: Any = self
        name = "billing_banktransfer_inbox"
        wrap = its.admin_site.admin_view
        return [
            path("inbox/", wrap(self.inbox_view), name=name),
            path("inbox/assign/", wrap(self.inbox_assign_view), name=f"{name}_assign"),
            path("inbox/undo/", wrap(self.inbox_undo_view), name=f"{name}_undo"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def inbox_view(self, request: HttpRequest) -> HttpResponse:
        """The lines that wait, the oldest first, with one of them open."""
        its: Any = self
        if not its.has_view_permission(request):
            raise PermissionDenied
        waiting = lines_that_wait(timezone.now())
        asked = request.GET.get("line", "")
        key = parse_uuid(asked)
        lines = _page(waiting, key)
        opened = lines[0] if lines else None
        if asked and opened and opened.pk != key:
            messages.warning(request, gettext("That line waits no longer. This is the next one."))
        stuck = planned.open_plan(opened) if opened else None
        found = candidates(opened) if opened and not stuck else []
        shown = {
            **its.admin_site.each_context(request),
            # Without `opts`, which would head the page with the name of the list.
            "title": gettext("Inbox of transfers"),
            "media": its.media,
            "count": waiting[: COUNTED + 1].count(),
            "most": COUNTED,
            "line": opened,
            "left": money(opened.unmatched) if opened else "",
            "stuck": stuck,
            "failed": planned.failed_last(opened) if opened else None,
            "offers": [_offer(each, opened) for each in found if opened],
            "elsewhere": paid_elsewhere(opened) if opened else [],
            "by_hand": _by_hand(opened) if opened else [],
            "lines": [(each, money(each.unmatched), _at(each)) for each in lines],
            "next": _at(lines[1]) if len(lines) > 1 else "",
            "previous": _before(waiting, opened),
            "may": its.has_sort_out_permission(request),
            "news": _news(request),
            "undo_seconds": int(planned.UNDO_FOR.total_seconds()),
            "dialogs": _dialogs(opened) if opened else [],
        }
        request.current_app = its.admin_site.name
        answer = TemplateResponse(request, "billing/admin/inbox.html", shown)
        answer.headers["Cache-Control"] = "private, no-store"
        return answer

    def inbox_assign_view(self, request: HttpRequest) -> HttpResponse:
        """Assigns a line to one of its candidates; what speaks for it is the reason."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        transfer_id, order_id = self._keys(request, "line", "order")

        def work() -> None:
            plan = planned.plan_match(
                transfer_id=transfer_id,
                order_id=order_id,
                actor=actor_of(request),
                at=timezone.now(),
                approves=approves(request),
            )
            its: Any = self
            message = [{"changed": {"fields": ["state"]}}]
            its.log(request, [plan.transfer], CHANGE, message)
            request.session[_LAST] = str(plan.pk)

        return self._press(request, work)

    def inbox_undo_view(self, request: HttpRequest) -> HttpResponse:
        """Takes an assignment back that isn't booked yet; its line is the open one again."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        (plan_id,) = self._keys(request, "plan")
        reopened: list[BankTransfer] = []

        def work() -> None:
            plan = planned.take_back(plan_id=plan_id, actor=actor_of(request), at=timezone.now())
            its: Any = self
            its.log(request, [plan.transfer], CHANGE, [{"changed": {"fields": ["state"]}}])
            request.session.pop(_LAST, None)
            reopened.append(plan.transfer)
            its.message_user(request, gettext("It is undone: the line waits again."))

        answer = self._press(request, work)
        return HttpResponseRedirect(_at(reopened[0])) if reopened else answer

    # --- Parts ----------------------------------------------------------------------------------

    def _keys(self, request: HttpRequest, *names: str) -> list[Any]:
        """The keys that came with a button; what is no key is one of nothing."""
        its: Any = self
        if not its.has_sort_out_permission(request):
            raise PermissionDenied
        return [parse_uuid(request.POST.get(name, "")) or UUID(int=0) for name in names]

    def _press(self, request: HttpRequest, work: Any) -> HttpResponse:
        """Does what a button is for in one transaction; what is refused is a message."""
        its: Any = self
        try:
            with its.writing(request, reason=""):
                work()
        except CannotMatch as error:
            messages.error(request, str(error))
        except REFUSED as error:
            messages.error(request, its.refusal_of(error))
        return HttpResponseRedirect(reverse("admin:billing_banktransfer_inbox"))


def lines_that_wait(at: datetime) -> QuerySet[BankTransfer]:
    """Lines that wait for a person and that nobody has just assigned, the oldest first.

    Also those of which the assignment should have been booked long ago.
    """
    open_ = PlannedMatch.objects.filter(transfer=OuterRef("pk"), state=PlannedState.PLANNED)
    just = open_.exclude(planned.overdue(at))
    waiting = BankTransfer.objects.unmatched().filter(~Exists(just))
    return waiting.select_related("instance").order_by(*_ORDER.names)


def _page(waiting: QuerySet[BankTransfer], key: UUID | None) -> list[BankTransfer]:
    """The lines from the one with a key on; from where it was, where it doesn't wait (any more)."""
    asked = BankTransfer.objects.filter(pk=key).first() if key else None
    if asked is None:
        return list(waiting[:SHOWN])
    itself = list(waiting.filter(pk=asked.pk))
    behind = _ORDER.beyond(waiting, _place(asked))[: SHOWN - len(itself)]
    return [*itself, *behind] or list(waiting[:SHOWN])


def _before(waiting: QuerySet[BankTransfer], line: BankTransfer | None) -> str:
    """The address of the line before one, if there is any."""
    if line is None:
        return ""
    back = _ORDER.turned()
    before = back.beyond(waiting, _place(line)).order_by(*back.names).first()
    return _at(before) if before else ""


def _place(line: BankTransfer) -> list[Any]:
    return [getattr(line, column) for column in _ORDER.columns]


def _at(line: BankTransfer) -> str:
    return f"{reverse('admin:billing_banktransfer_inbox')}?{urlencode({'line': line.pk})}"


def _offer(found: Candidate, line: BankTransfer) -> Offer:
    order = found.order
    gets = min(line.unmatched, order.rest)
    return Offer(
        order_id=order.pk,
        code=order.order_id,
        school=order.instance.organization_name if order.instance else "",
        subdomain=order.instance.subdomain if order.instance else "",
        asks=money(order.rest),
        gets=money(gets),
        pays=gets >= order.rest - order.credit_offered,
        status=str(order.get_status_display()),
        why=[str(each.label) for each in found.why],
        address=reverse("admin:billing_paymentorder_change", args=[order.pk]),
    )


def _dialogs(line: BankTransfer) -> list[tuple[str, str, str]]:
    """The dialogs of a line's page, which lead back here: address, icon and title."""
    named = {
        "assign": ("call_split", gettext("Assign by code, or split")),
        "keep": ("savings", gettext("Keep as credit")),
        "discard": ("block", gettext("Discard")),
    }
    return [
        (reverse(f"admin:billing_banktransfer_{name}", args=[line.pk]) + f"?{FROM}=inbox", *said)
        for name, said in named.items()
    ]


def _by_hand(line: BankTransfer) -> list[tuple[str, str]]:
    """Payments by hand whose money a line may be: what is said of each, and its dialog."""
    address = reverse("admin:billing_banktransfer_same_money", args=[line.pk])
    return [
        (named(each), f"{address}?{urlencode({FROM: 'inbox', PAYMENT: each.transfer_id})}")
        for each in entered_like(line)
    ]


def _news(request: HttpRequest) -> list[dict[str, Any]]:
    """What somebody has assigned and can still undo, the last first, and what became of the last.

    What is overdue stands at its line.
    """
    now = timezone.now()
    key = parse_uuid(request.session.get(_LAST, ""))
    rows = PlannedMatch.objects.select_related("order")
    mine = rows.filter(created_by=actor_of(request), state=PlannedState.PLANNED)
    found = list(mine.exclude(planned.overdue(now)).order_by("-created_at")[:SHOWN])
    last = rows.exclude(planned.overdue(now)).filter(pk=key).first() if key else None
    if last is not None and last not in found:
        found.insert(0, last)
    news = [_new(plan) for plan in found]
    for each in [new for new in news if new["open"]][:1]:
        each["is_next"] = True
    return news


def _new(plan: PlannedMatch) -> dict[str, Any]:
    return {
        "plan": plan,
        "amount": money(plan.amount),
        "open": plan.state == PlannedState.PLANNED,
        "failed": plan.state == PlannedState.FAILED,
        "order": reverse("admin:billing_paymentorder_change", args=[plan.order_id]),
    }
