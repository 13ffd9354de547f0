"""What an instance may do at a moment: its tier, the exceptions to it, its subscription's state.

    rights = entitlements_of(school)
    rights.allows("media"), rights.limit("maxStudents")

docs/api.md tells programs of instances about the same.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Subquery
from django.utils import timezone

from billing.dunning import Step, stage
from billing.enums import SubscriptionStatus
from billing.models import Subscription, SubscriptionAdjustment
from billing.services import grace, subscriptions
from kitehub import tenancy
from kitehub.enums import (
    EntitlementReason,
    EntitlementSource,
    InstanceStatus,
    Standing,
    Tier,
)
from kitehub.models import Instance, InstanceConfig
from kitehub.plans import FEATURES, LIMITATIONS, STORAGE, UnknownFeature
from storage.models import UNLIMITED, StorageUsage


@dataclass(frozen=True, slots=True)
class Entitlement:
    """One feature or limitation. A limit of None is no limit, 0 is none; storage is in bytes.

    `used` is None where it isn't known: only stored bytes are counted here.
    """

    access: bool
    limit: int | None
    used: int | None
    reason: EntitlementReason
    source: EntitlementSource


@dataclass(frozen=True, slots=True)
class Entitlements:
    """All that an instance may do at a moment.

    `changes_allowed` is whether new things may be made and old ones changed: a school that is past
    due keeps its features for some days, and after the first few of them may only use what it has.
    `valid_until` is when the answer ends by itself, None where nothing says when. `version` is
    another whenever anything else here is: the config's version, the subscription's (0 where there
    is none), and a digest.
    """

    instance_id: UUID
    tier: Tier
    status: Standing
    changes_allowed: bool
    valid_until: datetime | None
    features: Mapping[str, Entitlement]
    version: str

    def allows(self, feature: str) -> bool:
        """Whether a feature may be used now; raises UnknownFeature."""
        return self._named(feature, FEATURES).access

    def limit(self, name: str) -> int | None:
        """The limit that holds now, None for no limit; raises UnknownFeature."""
        return self._named(name, LIMITATIONS).limit

    def _named(self, name: str, known: tuple[str, ...]) -> Entitlement:
        if name not in known:
            raise UnknownFeature(name, known)
        return self.features[name]


@dataclass(frozen=True, slots=True)
class _State:
    """A standing, until when, and, where it closes everything, why."""

    standing: Standing
    until: datetime | None = None
    closed_by: EntitlementReason | None = None
    source: EntitlementSource = EntitlementSource.SUBSCRIPTION
    blocked: bool = False

    @property
    def changes_allowed(self) -> bool:
        """Nothing may be changed where nothing may be used, and late in the grace."""
        return self.closed_by is None and not self.blocked


def entitlements_of(instance: Instance, *, at: datetime | None = None) -> Entitlements:
    """What an instance may do, in three queries: one of the platform's and two of its own database.

    A fourth where it is past due. The instance's row is taken as it is. Raises BadPlacement and
    OperationalError where its database can't be reached.
    """
    at = at or timezone.now()
    pauses = SubscriptionAdjustment.objects.pauses(at=at).filter(subscription=OuterRef("pk"))
    subscription = (
        Subscription.objects.of_instance(instance.pk)
        .annotate(paused=Exists(pauses), pause_ends=Subquery(pauses.values("ends_at")[:1]))
        .first()
    )
    with tenancy.use(instance):
        config = InstanceConfig.objects.first()
        usage = StorageUsage.objects.first()
    state = _state(instance, subscription, at=at)
    # Without a config nobody has made an exception.
    said = config or InstanceConfig(instance_id=instance.pk, tier=instance.tier)
    features = {name: _entitlement(name, said, usage, state) for name in (*FEATURES, *LIMITATIONS)}
    return Entitlements(
        instance_id=instance.pk,
        tier=Tier(said.tier),
        status=state.standing,
        changes_allowed=state.changes_allowed,
        valid_until=state.until,
        features=features,
        version=".".join(
            (
                str(config.version if config else 0),
                str(subscription.version if subscription else 0),
                _digest(said, state, features),
            )
        ),
    )


# --- The state ----------------------------------------------------------------------------------


def _state(instance: Instance, subscription: Subscription | None, *, at: datetime) -> _State:
    """The instance's own state comes first: whoever was suspended may have paid all the same."""
    if instance.deleted:
        return _closed_instance(Standing.DELETED, EntitlementReason.DELETED)
    if instance.status == InstanceStatus.CLOSED:
        return _closed_instance(Standing.CLOSED, EntitlementReason.CLOSED)
    if instance.status == InstanceStatus.SUSPENDED:
        return _closed_instance(Standing.SUSPENDED, EntitlementReason.SUSPENDED)
    if subscription is None:
        return _State(Standing.ENDED, closed_by=EntitlementReason.NO_SUBSCRIPTION)
    return _subscribed(subscription, at=at)


def _closed_instance(standing: Standing, reason: EntitlementReason) -> _State:
    return _State(standing, closed_by=reason, source=EntitlementSource.INSTANCE)


def _subscribed(subscription: Subscription, *, at: datetime) -> _State:
    """What docs/subscriptions.md says of each state, by the clock.

    The job that moves the state may be late: a trial, what was cancelled and a grace end when they
    end.
    """
    if subscription.paused:  # type: ignore[attr-defined]  # annotated
        ends = subscription.pause_ends  # type: ignore[attr-defined]
        return _State(Standing.PAUSED, ends, closed_by=EntitlementReason.PAUSED)
    end = subscription.current_period_end
    match subscription.status:
        case SubscriptionStatus.TRIAL:
            return _until(Standing.TRIAL, subscription.trial_end or end, at=at)
        case SubscriptionStatus.ACTIVE if at < end:
            return _State(Standing.ACTIVE, end)
        case SubscriptionStatus.ACTIVE if subscriptions.is_tried(subscription):
            return _State(Standing.ENDED, closed_by=EntitlementReason.TRIAL_ENDED)
        case SubscriptionStatus.ACTIVE | SubscriptionStatus.PAST_DUE:
            return _past_due(end, at=at)
        case SubscriptionStatus.CANCELED:
            return _until(Standing.CANCELED, end, at=at)
    return _State(Standing.ENDED, closed_by=EntitlementReason.SUBSCRIPTION_ENDED)


def _until(standing: Standing, end: datetime, *, at: datetime) -> _State:
    if at < end:
        return _State(standing, end)
    trial = standing == Standing.TRIAL
    reason = EntitlementReason.TRIAL_ENDED if trial else EntitlementReason.SUBSCRIPTION_ENDED
    return _State(Standing.ENDED, closed_by=reason)


def _past_due(end: datetime, *, at: datetime) -> _State:
    """The step of the grace ladder that an unpaid subscription has come to."""
    ladder, silences = grace.ladder(), grace.silences(since=end)
    now = stage(period_end=end, at=at, silences=silences, ladder=ladder)
    if now.step == Step.SUSPENDED:
        return _State(Standing.ENDED, closed_by=EntitlementReason.SUBSCRIPTION_ENDED)
    if now.step == Step.CURRENT:
        return _State(Standing.ACTIVE, now.until)
    return _State(Standing.PAST_DUE, now.until, blocked=now.step == Step.BLOCKED)


# --- One feature --------------------------------------------------------------------------------


def _entitlement(
    name: str, config: InstanceConfig, usage: StorageUsage | None, state: _State
) -> Entitlement:
    used = usage.used_bytes if name == STORAGE and usage else None
    if state.closed_by is not None:
        return Entitlement(False, 0, used, state.closed_by, state.source)
    if name in FEATURES:
        limit = None if config.allows(name) else 0
    elif name == STORAGE and usage:
        # What is enforced, also where it isn't what the config says.
        limit = None if usage.limit_bytes == UNLIMITED else usage.limit_bytes
    else:
        limit = config.limit(name)
    access = limit != 0
    if config.overrides(name):
        reason, source = EntitlementReason.OVERRIDE, EntitlementSource.CONFIG
    elif access and state.standing == Standing.TRIAL:
        reason, source = EntitlementReason.TRIAL, EntitlementSource.SUBSCRIPTION
    else:
        reason, source = EntitlementReason.TIER, EntitlementSource.TIER
    return Entitlement(access, limit, used, reason, source)


def _digest(config: InstanceConfig, state: _State, features: Mapping[str, Entitlement]) -> str:
    """Of the whole answer, because time and the catalogue change it and no row's version."""
    said: list[Any] = [
        str(config.instance_id),
        config.tier,
        state.standing,
        state.changes_allowed,
        state.until and state.until.isoformat(),
        [[name, e.access, e.limit, e.used, e.reason, e.source] for name, e in features.items()],
    ]
    return blake2b(json.dumps(said).encode(), digest_size=8).hexdigest()
