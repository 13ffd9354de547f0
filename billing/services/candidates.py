"""Which orders a bank line that nobody could match may be for, the likeliest first, and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Q, TextChoices
from django.utils.translation import gettext_lazy as _

from billing.enums import PaymentStatus, PaymentType
from billing.matching import order_codes_in
from billing.models import BankTransfer, PaymentAllocation, PaymentOrder
from billing.order_codes import PREFIX
from billing.plain_text import fold
from billing.services.paying_accounts import is_paid_to

# How long before a line an order may have been opened to come into question by its amount alone.
RECENT = timedelta(days=31)
# How many orders are looked at for each kind of likeness.
_LOOKED_AT = 200
_SHORTEST_NAME = 5


class Likeness(TextChoices):
    """Why an order comes into question."""

    CODE = "CODE", _("Its code is in the memo")
    SUCCESSOR = "SUCCESSOR", _("It replaces the order in the memo")
    NEAR_CODE = "NEAR_CODE", _("The memo has its code with a slip")
    AMOUNT = "AMOUNT", _("The amount is the same")
    PAYER = "PAYER", _("This account has paid for the school before")
    NAME = "NAME", _("The name is in the memo")
    TIME = "TIME", _("It was opened within the day before")


_WEIGHT = {
    Likeness.CODE: 100,
    Likeness.SUCCESSOR: 90,
    Likeness.NEAR_CODE: 60,
    Likeness.AMOUNT: 40,
    Likeness.PAYER: 30,
    Likeness.NAME: 25,
    Likeness.TIME: 10,
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """An order that a line may be for. `score` only ranks; `why` is for people."""

    order: PaymentOrder
    why: tuple[Likeness, ...]

    @property
    def score(self) -> int:
        """The higher, the likelier."""
        late = 5 if self.order.status == PaymentStatus.EXPIRED else 0
        return sum(_WEIGHT[each] for each in self.why) - late


def candidates(transfer: BankTransfer, *, limit: int = 5) -> list[Candidate]:
    """Orders that a bank line may pay, the likeliest first.

    Only such as can be paid, on the line's own account. What speaks for an order by its age alone
    is no reason.
    """
    texts = (transfer.memo, *transfer.details.splitlines(), transfer.counterparty_name)
    codes = order_codes_in(texts)
    named = {order.pk for order in PaymentOrder.objects.filter(order_id__in=codes)}
    heirs = _heirs(codes)
    payers = _paid_before(transfer)
    plain = fold(" ".join(texts))
    found = []
    for order in _in_question(transfer, codes, heirs, payers):
        if not is_paid_to(order, transfer):
            continue
        why = tuple(_why(order, transfer, plain, named, heirs, payers))
        if set(why) - {Likeness.TIME}:
            found.append(Candidate(order, why))
    found.sort(key=lambda each: (-each.score, -each.order.created_at.timestamp()))
    return found[:limit]


def paid_elsewhere(transfer: BankTransfer) -> list[PaymentOrder]:
    """The orders that a bank line names and that are paid on another account than the line's."""
    codes = order_codes_in((transfer.memo, *transfer.details.splitlines()))
    named = PaymentOrder.objects.filter(order_id__in=codes).select_related("instance")
    return [order for order in named.order_by("created_at") if not is_paid_to(order, transfer)]


def _in_question(
    transfer: BankTransfer, codes: list[str], heirs: set[UUID], payers: set[UUID]
) -> list[PaymentOrder]:
    """Payable orders that are like the line in one way, each kind on its own index."""
    payable = PaymentOrder.objects.filter(
        status__in=[PaymentStatus.PENDING, PaymentStatus.EXPIRED]
    ).select_related("instance")
    recent = payable.filter(
        created_at__range=(transfer.transferred_at - RECENT, transfer.transferred_at + RECENT)
    ).order_by("-created_at")
    kinds = [
        payable.filter(Q(order_id__in=codes) | Q(pk__in=heirs)),
        recent.filter(amount=transfer.amount),
        recent.filter(status=PaymentStatus.PENDING),
    ]
    if payers:
        kinds.append(recent.filter(instance_id__in=payers))
    rows = {order.pk: order for kind in kinds for order in kind[:_LOOKED_AT]}
    return list(rows.values())


def _heirs(codes: list[str]) -> set[UUID]:
    """The keys of the orders that superseded those of the codes, at however many removes."""
    found: set[UUID] = set()
    rows = PaymentOrder.all_objects.filter(order_id__in=codes, superseded_by__isnull=False)
    keys = set(rows.values_list("superseded_by_id", flat=True))
    while keys - found:
        found |= keys
        later = PaymentOrder.all_objects.filter(pk__in=keys, superseded_by__isnull=False)
        keys = set(later.values_list("superseded_by_id", flat=True))
    return found


def _paid_before(transfer: BankTransfer) -> set[UUID]:
    """The instances whose orders the sender's account has paid."""
    if not transfer.counterparty_account:
        return set()
    paid = PaymentAllocation.objects.filter(
        transfer__account_number=transfer.account_number,
        transfer__counterparty_account=transfer.counterparty_account,
        amount__gt=0,
    )
    return {key for key in paid.values_list("order__instance_id", flat=True)[:_LOOKED_AT] if key}


def _why(
    order: PaymentOrder,
    transfer: BankTransfer,
    plain: str,
    named: set[UUID],
    heirs: set[UUID],
    payers: set[UUID],
) -> Iterator[Likeness]:
    if order.pk in named:
        yield Likeness.CODE
    elif order.pk in heirs:
        yield Likeness.SUCCESSOR
    elif _nearly(order.order_id, plain):
        yield Likeness.NEAR_CODE
    if transfer.unmatched in (order.rest, order.rest - order.credit_offered):
        yield Likeness.AMOUNT
    if order.instance_id in payers:
        yield Likeness.PAYER
    if any(len(name) >= _SHORTEST_NAME and name in plain for name in _names(order)):
        yield Likeness.NAME
    opened = transfer.transferred_at - order.created_at
    if timedelta(0) <= opened <= timedelta(days=1):
        yield Likeness.TIME


def _names(order: PaymentOrder) -> Iterator[str]:
    if order.type == PaymentType.ENROLLMENT:
        yield fold(order.student_name or "").strip()
    elif order.instance is not None:
        yield fold(order.instance.organization_name).strip()
        yield fold(order.instance.subdomain).strip()


def _nearly(code: str, plain: str) -> bool:
    """Whether the text, blanks aside, has the code with one character wrong or left out."""
    whole, length = plain.replace(" ", ""), len(code)
    starts = (place for place in range(len(whole)) if whole.startswith(PREFIX, place))
    return any(_slipped(whole[start : start + length], code) for start in starts)


def _slipped(said: str, code: str) -> bool:
    if len(said) == len(code):
        wrong = sum(one != other for one, other in zip(said, code, strict=True))
        if wrong <= 1:
            return True
    short = said[: len(code) - 1]
    return any(code[:place] + code[place + 1 :] == short for place in range(len(code)))
