"""The facts behind a block, gathered from the platform and, if it can be reached, the school."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.enums import PaymentStatus, PaymentType, SubscriptionStatus
from billing.models import PaymentOrder, Subscription, SubscriptionAdjustment
from billing.services import grace, subscriptions
from kitehub import tenancy
from kitehub.admin.blocked.causes import Closing, Facts, Terms
from kitehub.db.sentences import translated
from kitehub.entitlements import Entitlements, entitlements_of
from kitehub.enums import InstanceStatus, MoveStep
from kitehub.models import (
    ApiKey,
    Instance,
    InstanceConfig,
    InstanceMove,
    InstanceSuspension,
    InstanceWatch,
    Tombstone,
)
from kitehub.models.moves import ENDED
from kitehub.tenancy import gates
from kitehub.tenancy.fanout import explained

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evidence:
    """The rows that the facts come from; `error` is why the school's database can't be read."""

    instance: Instance
    suspension: InstanceSuspension | None
    tombstone: Tombstone | None
    move: InstanceMove | None
    subscription: Subscription | None
    pause: SubscriptionAdjustment | None
    open_order: PaymentOrder | None
    watch: InstanceWatch | None
    rights: Entitlements | None
    error: str


def gather(instance: Instance, *, at: datetime) -> tuple[Facts, Evidence]:
    """All that is known of a school at a moment; one that can't be reached is no error."""
    key = instance.pk
    subscription = Subscription.objects.filter(instance=key).first()
    pauses = SubscriptionAdjustment.objects.pauses(at=at)
    pause = pauses.filter(subscription=subscription).first() if subscription else None
    looked = _look(instance, at)
    evidence = Evidence(
        instance=instance,
        suspension=InstanceSuspension.objects.filter(instance=key, resumed_at=None).first(),
        tombstone=Tombstone.objects.filter(instance=key, canceled_at=None).first(),
        move=InstanceMove.objects.filter(instance=key).exclude(step__in=ENDED).first(),
        subscription=subscription,
        pause=pause,
        open_order=_open_order(key),
        watch=InstanceWatch.objects.filter(instance=key).first(),
        rights=looked.get("rights"),
        error=looked.get("error", ""),
    )
    keys = ApiKey.objects.filter(instance=key)
    facts = Facts(
        status=InstanceStatus(instance.status),
        deleted=instance.deleted,
        closing=_closing(evidence.tombstone),
        suspended=evidence.suspension is not None,
        reachable=not evidence.error,
        whole=looked.get("has_config", True),
        move=MoveStep(evidence.move.step) if evidence.move else None,
        gates=looked.get("gates"),
        terms=_terms(subscription, pause),
        ladder=grace.ladder(),
        silences=grace.silences(since=subscription.current_period_end) if subscription else (),
        features=evidence.rights.features if evidence.rights else None,
        live_keys=keys.live(at=at).count() if keys.exists() else 1,
    )
    return facts, evidence


def _look(instance: Instance, at: datetime) -> dict[str, Any]:
    """What only the school's database knows; nothing of a deleted school's, which may be gone."""
    if instance.deleted:
        return {}
    alias = ""
    try:
        alias = tenancy.alias_of(instance)
        with tenancy.use(instance):
            has_config = InstanceConfig.objects.exists()
        return {
            "gates": gates.reasons(alias, instance.pk),
            "has_config": has_config,
            "rights": entitlements_of(instance, at=at),
        }
    except tenancy.BadPlacement as error:
        return {"error": translated(str(error))}
    except Exception as error:
        logger.warning("Instance %s can't be looked into", instance.pk, exc_info=error)
        return {"error": translated(explained(error, alias))}


def _closing(tombstone: Tombstone | None) -> Closing | None:
    if tombstone is None:
        return None
    return Closing(
        due=tombstone.deprovision_at,
        erasing=tombstone.erasing_at is not None,
        dropped=tombstone.dropped_at is not None,
    )


def _terms(subscription: Subscription | None, pause: SubscriptionAdjustment | None) -> Terms | None:
    if subscription is None:
        return None
    return Terms(
        status=SubscriptionStatus(subscription.status),
        period_end=subscription.current_period_end,
        trial_end=subscription.trial_end,
        tried=subscriptions.is_tried(subscription),
        paused=pause is not None,
        pause_ends=pause.ends_at if pause else None,
    )


def _open_order(key: Any) -> PaymentOrder | None:
    orders = PaymentOrder.objects.of_instance(key).filter(
        type=PaymentType.SUBSCRIPTION, status=PaymentStatus.PENDING
    )
    newest: PaymentOrder | None = orders.order_by("-created_at").first()
    return newest
