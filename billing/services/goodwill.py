"""Goodwill: one person proposes credit or days for a school, another approves, then it is given.

What is small one person may give alone, up to KITEHUB_GOODWILL_ALONE a day. The goodwill's own row
is locked first (of what is given alone, its person), then credit, or the instance and its
subscription.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet, Sum
from django.utils.translation import gettext as _

from billing.enums import GoodwillKind, GoodwillStatus
from billing.models import Goodwill, Subscription
from billing.models.transfers import MOST_DONG
from billing.months import HANOI
from billing.services import credit
from billing.services.subscriptions import extend, periods_of
from billing.services.subscriptions.adjustments import MOST_DAYS
from kitehub.db import locks
from kitehub.db.acting import REASON_LENGTH, acting
from kitehub.enums import Tier
from kitehub.models import Instance
from kitehub.plans import PLANS

DAYS_OF_A_PRICE = 30


class CannotGive(Exception):
    """It can't be proposed or decided; the text says why, to people, and nothing was given."""


# --- Proposing ----------------------------------------------------------------------------------


def propose_credit(
    *,
    instance_id: UUID,
    amount: int,
    reason: str,
    actor: str,
    at: datetime,
    key: UUID | None = None,
) -> Goodwill:
    """Proposes some đồng of credit for a school, or gives them where one person may do so alone.

    `status` says which. Who names the `key` can't propose it twice. Raises CannotGive for what
    makes no sense, a school that isn't there and a key that is taken.
    """
    if not 0 < amount <= MOST_DONG:
        raise CannotGive(_("The amount is 1 đồng or more."))
    goodwill = Goodwill(instance_id=instance_id, kind=GoodwillKind.CREDIT, amount=amount)
    return _propose(goodwill, reason=reason, actor=actor, at=at, key=key)


def propose_days(
    *, instance_id: UUID, days: int, reason: str, actor: str, at: datetime, key: UUID | None = None
) -> Goodwill:
    """Proposes days for a school's subscription, or gives them; as `propose_credit` does."""
    if not 1 <= days <= MOST_DAYS:
        raise CannotGive(_("An extension is of 1 to %(most)s days.") % {"most": MOST_DAYS})
    goodwill = Goodwill(
        instance_id=instance_id,
        kind=GoodwillKind.EXTENSION,
        amount=worth_of(days, _subscription(instance_id)),
        days=days,
    )
    return _propose(goodwill, reason=reason, actor=actor, at=at, key=key)


def worth_of(days: int, subscription: Subscription) -> int:
    """What days of a subscription cost, in đồng: a 30th of a month's price each.

    The price is that of the tier that is there last, as days come behind all else, or that of the
    subscription's own where this is higher.
    """
    tiers = {subscription.tier, *(period.tier for period in periods_of(subscription)[-1:])}
    price = max(PLANS[Tier(tier)].monthly_price for tier in tiers)
    return min(-(-days * price // DAYS_OF_A_PRICE), MOST_DONG)


def left_alone(*, actor: str, at: datetime) -> int:
    """How many đồng a person may still give alone on a day in Vietnam, all schools together."""
    most: int = settings.KITEHUB_GOODWILL_ALONE
    if not most:
        return 0
    day = at.astimezone(HANOI).replace(hour=0, minute=0, second=0, microsecond=0)
    given = Goodwill.objects.filter(
        status=GoodwillStatus.GIVEN,
        proposed_by=actor,
        proposed_at__gte=day,
        proposed_at__lt=day + timedelta(days=1),
    )
    return max(most - (given.aggregate(sum=Sum("amount"))["sum"] or 0), 0)


def waiting_for(instance_id: UUID) -> QuerySet[Goodwill]:
    """What is proposed for a school and not decided, the oldest first."""
    rows = Goodwill.objects.filter(instance_id=instance_id, status=GoodwillStatus.PROPOSED)
    return rows.order_by("proposed_at", "pk")


# --- Deciding -----------------------------------------------------------------------------------


def approve(*, goodwill_id: UUID, actor: str, at: datetime, decision: str = "") -> Goodwill:
    """Approves what another person proposed: it is given at once, and the books name both.

    Raises CannotGive, for the person who proposed it among others.
    """
    with transaction.atomic(), acting(actor, decision, at=at):
        goodwill = _locked(goodwill_id)
        if actor == goodwill.proposed_by:
            raise CannotGive(_("Who proposed goodwill can't approve it."))
        _decide(goodwill, GoodwillStatus.APPROVED, actor=actor, at=at, decision=decision)
        whose = f" · {goodwill.proposed_by}"
        reason = goodwill.reason[: REASON_LENGTH - len(whose)] + whose
        _give(goodwill, actor=actor, reason=reason, at=at)
        return goodwill


def decline(*, goodwill_id: UUID, actor: str, at: datetime, decision: str) -> Goodwill:
    """Declines what another person proposed. Raises CannotGive, also for a missing reason."""
    if not decision.strip():
        raise CannotGive(_("Declining has its reason."))
    with transaction.atomic(), acting(actor, decision, at=at):
        goodwill = _locked(goodwill_id)
        if actor == goodwill.proposed_by:
            raise CannotGive(_("Who proposed it withdraws it."))
        return _decide(goodwill, GoodwillStatus.DECLINED, actor=actor, at=at, decision=decision)


def withdraw(*, goodwill_id: UUID, actor: str, at: datetime, decision: str = "") -> Goodwill:
    """Takes one's own proposal back. Raises CannotGive, for all others among others."""
    with transaction.atomic(), acting(actor, decision, at=at):
        goodwill = _locked(goodwill_id)
        if actor != goodwill.proposed_by:
            raise CannotGive(_("Only who proposed it may withdraw it."))
        return _decide(goodwill, GoodwillStatus.WITHDRAWN, actor=actor, at=at, decision=decision)


# --- Parts --------------------------------------------------------------------------------------


def _propose(
    goodwill: Goodwill, *, reason: str, actor: str, at: datetime, key: UUID | None
) -> Goodwill:
    if not reason.strip():
        raise CannotGive(_("Goodwill has its reason."))
    goodwill.reason = reason.strip()
    goodwill.proposed_by, goodwill.proposed_at = actor, at
    if key is not None:
        goodwill.pk = key
    with transaction.atomic(), acting(actor, reason, at=at):
        _check_school(goodwill.instance_id)
        alone = _may_alone(goodwill, actor=actor, at=at)
        goodwill.status = GoodwillStatus.GIVEN if alone else GoodwillStatus.PROPOSED
        try:
            with transaction.atomic():
                goodwill.save(force_insert=True)
        except IntegrityError as error:
            if "goodwill_grants_pkey" not in str(error):
                raise
            raise CannotGive(_("This goodwill is there already.")) from error
        if alone:
            _give(goodwill, actor=actor, reason=goodwill.reason, at=at)
    return goodwill


def _may_alone(goodwill: Goodwill, *, actor: str, at: datetime) -> bool:
    """Whether one person may give it alone; until the transaction ends they give nothing else."""
    if not settings.KITEHUB_GOODWILL_ALONE:
        return False
    locks.wait_within(connection, f"goodwill of {actor}")
    return goodwill.amount <= left_alone(actor=actor, at=at)


def _give(goodwill: Goodwill, *, actor: str, reason: str, at: datetime) -> None:
    """Gives it, under its own key, which nothing else is given under."""
    _check_school(goodwill.instance_id)
    told = {"instance_id": goodwill.instance_id, "actor": actor, "reason": reason, "at": at}
    give: Callable[..., object] = partial(credit.grant, amount=goodwill.amount)
    if goodwill.days is not None:
        _subscription(goodwill.instance_id)
        give = partial(extend, days=goodwill.days)
    give(**told, key=goodwill.pk)


def _check_school(instance_id: UUID) -> None:
    if not Instance.objects.filter(pk=instance_id).exists():
        raise CannotGive(_("There is no such school any more."))


def _subscription(instance_id: UUID) -> Subscription:
    found = Subscription.objects.filter(instance_id=instance_id).first()
    if found is None:
        raise CannotGive(_("The school has no subscription."))
    return found


def _locked(goodwill_id: UUID) -> Goodwill:
    rows = Goodwill.objects.select_for_update(of=("self",), no_key=True)
    goodwill = rows.filter(pk=goodwill_id).first()
    if goodwill is None or goodwill.status != GoodwillStatus.PROPOSED:
        raise CannotGive(_("It has been decided already."))
    return goodwill


def _decide(
    goodwill: Goodwill, status: GoodwillStatus, *, actor: str, at: datetime, decision: str
) -> Goodwill:
    goodwill.status = status
    goodwill.decided_by = actor
    goodwill.decided_at = at
    goodwill.decision = decision
    goodwill.save(update_fields=["status", "decided_by", "decided_at", "decision"])
    return goodwill
