"""What an instance may do follows its tier, the exceptions to it, and its subscription's state."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from billing.enums import SubscriptionStatus
from billing.models import Subscription
from kitehub import tenancy
from kitehub.entitlements import Entitlement, Entitlements, entitlements_of
from kitehub.enums import EntitlementReason as Reason
from kitehub.enums import InstanceStatus, Standing, Tier
from kitehub.models import Instance, InstanceConfig
from kitehub.plans import UnknownFeature
from tests.factories.billing import (
    BankFeedFactory,
    FeedSilenceFactory,
    SubscriptionAdjustmentFactory,
    SubscriptionFactory,
)
from tests.factories.kitehub import InstanceConfigFactory, InstanceFactory
from tests.factories.storage import StorageEventFactory
from tests.storage.ledger import upload

pytestmark = pytest.mark.django_db
NOW = timezone.now()
DAY = timedelta(days=1)


def school(tier: Tier = Tier.STANDARD, *, config: dict[str, Any] | None = None, **paid: Any) -> Any:
    """A school with its config and a subscription that began yesterday."""
    instance = InstanceFactory(tier=tier)
    InstanceConfigFactory(instance_id=instance.id, tier=tier, **(config or {}))
    SubscriptionFactory(instance=instance, tier=tier, current_period_start=NOW - DAY, **paid)
    return instance


def of(instance: Instance, name: str, at: datetime = NOW) -> tuple[Any, ...]:
    found: Entitlement = entitlements_of(instance, at=at).features[name]
    return found.access, found.limit, found.reason.value, found.source.value


def test_tier_says_what_is_allowed_and_how_much() -> None:
    basic, premium = school(Tier.BASIC), school(Tier.PREMIUM)
    assert of(basic, "media") == (False, 0, "TIER", "tier")
    assert of(basic, "maxStudents") == (True, 50, "TIER", "tier")
    assert of(basic, "maxStorageBytes") == (False, 0, "TIER", "tier")
    assert of(premium, "media") == (True, None, "TIER", "tier")
    assert of(premium, "maxStudents") == (True, None, "TIER", "tier")


def test_exception_comes_before_the_tier() -> None:
    instance = school(
        config={
            "features": {"media": False, "premium": True, "engagement": "rubbish"},
            "limitations": {"maxStudents": 0, "maxStorageBytes": None},
        }
    )
    assert of(instance, "media") == (False, 0, "OVERRIDE", "config")
    assert of(instance, "premium") == (True, None, "OVERRIDE", "config")
    assert of(instance, "maxStudents") == (False, 0, "OVERRIDE", "config")
    assert of(instance, "maxStorageBytes") == (True, None, "OVERRIDE", "config")
    assert of(instance, "engagement") == (True, None, "TIER", "tier")


def test_used_is_what_the_ledger_has_counted_and_unknown_elsewhere() -> None:
    instance = school()
    upload(instance.id, 5)
    rights = entitlements_of(instance, at=NOW)
    assert rights.features["maxStorageBytes"].used == 5
    assert rights.features["maxStudents"].used is None


TRIAL = {"status": SubscriptionStatus.TRIAL, "trial_end": NOW + 29 * DAY}
# Refunded: the lifecycle has no way back to a trial.
ONCE_PAID = {**TRIAL, "status": SubscriptionStatus.ACTIVE}
CANCELED = {"status": SubscriptionStatus.CANCELED, "canceled_at": NOW}
PAST_DUE = {"status": SubscriptionStatus.PAST_DUE}


@pytest.mark.parametrize(
    ("paid", "after", "standing", "ends", "media"),
    [
        ({}, 0, Standing.ACTIVE, 29, Reason.TIER),
        ({}, 29, Standing.PAST_DUE, 32, Reason.TIER),
        ({}, 32, Standing.PAST_DUE, 36, Reason.TIER),
        ({}, 36, Standing.ENDED, None, Reason.SUBSCRIPTION_ENDED),
        (PAST_DUE, 30, Standing.PAST_DUE, 32, Reason.TIER),
        (PAST_DUE, 36, Standing.ENDED, None, Reason.SUBSCRIPTION_ENDED),
        (TRIAL, 0, Standing.TRIAL, 29, Reason.TRIAL),
        (TRIAL, 29, Standing.ENDED, None, Reason.TRIAL_ENDED),
        (ONCE_PAID, 0, Standing.ACTIVE, 29, Reason.TIER),
        (ONCE_PAID, 29, Standing.ENDED, None, Reason.TRIAL_ENDED),
        (CANCELED, 0, Standing.CANCELED, 29, Reason.TIER),
        (CANCELED, 29, Standing.ENDED, None, Reason.SUBSCRIPTION_ENDED),
        ({"status": "EXPIRED"}, 0, Standing.ENDED, None, Reason.SUBSCRIPTION_ENDED),
        ({"deleted": True}, 0, Standing.ENDED, None, Reason.NO_SUBSCRIPTION),
    ],
)
def test_state_of_the_subscription_by_the_clock(
    paid: dict[str, Any], after: int, standing: Standing, ends: int | None, media: Reason
) -> None:
    instance = school(**paid)
    rights = entitlements_of(instance, at=NOW + after * DAY)
    found = rights.features["media"]
    open_ = standing != Standing.ENDED
    until = None if ends is None else NOW + ends * DAY
    assert (rights.status, rights.valid_until) == (standing, until)
    assert (found.access, found.limit, found.reason) == (open_, None if open_ else 0, media)
    assert rights.allows("media") is open_
    assert (rights.limit("maxStudents") == 200) is open_
    # What was true at the last moment isn't at the end.
    if rights.valid_until:
        later = entitlements_of(instance, at=rights.valid_until)
        assert (later.status, later.changes_allowed) != (standing, rights.changes_allowed)


def test_late_in_the_grace_nothing_new_may_be_made(settings: Any) -> None:
    instance = school()
    allowed = [entitlements_of(instance, at=NOW + n * DAY).changes_allowed for n in (28, 31, 32)]
    assert allowed == [True, True, False]
    assert entitlements_of(instance, at=NOW + 32 * DAY).allows("media")
    assert not entitlements_of(instance, at=NOW + 36 * DAY).changes_allowed
    settings.KITEHUB_GRACE = (1, 1, 20)
    assert entitlements_of(instance, at=NOW + 29 * DAY).status == Standing.ACTIVE
    assert not entitlements_of(instance, at=NOW + 30 * DAY).changes_allowed


def test_grace_is_longer_by_the_silence_of_kitehubs_own_feed() -> None:
    instance = school()
    feed = BankFeedFactory(account_number="0123499999")
    FeedSilenceFactory(feed=feed, starts_at=NOW + 30 * DAY, ends_at=NOW + 34 * DAY)
    FeedSilenceFactory(starts_at=NOW)  # of somebody else's account
    assert entitlements_of(instance, at=NOW + 35 * DAY).changes_allowed
    assert entitlements_of(instance, at=NOW + 35 * DAY).valid_until == NOW + 36 * DAY


def test_a_pause_closes_everything_until_it_ends() -> None:
    instance = school()
    for starts, ends in ((5, 6), (10, None)):
        SubscriptionAdjustmentFactory(
            subscription=Subscription.objects.get(),
            kind="PAUSE",
            days=None,
            starts_at=NOW + starts * DAY,
            ends_at=ends and NOW + ends * DAY,
        )
    rights = entitlements_of(instance, at=NOW + 5 * DAY)
    assert (rights.status, rights.valid_until) == (Standing.PAUSED, NOW + 6 * DAY)
    assert of(instance, "media", NOW + 5 * DAY) == (False, 0, "PAUSED", "subscription")
    assert entitlements_of(instance, at=NOW + 6 * DAY).allows("media")
    rights = entitlements_of(instance, at=NOW + 90 * DAY)
    assert (rights.status, rights.valid_until) == (Standing.PAUSED, None)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"status": InstanceStatus.SUSPENDED}, "SUSPENDED"),
        ({"status": InstanceStatus.CLOSED}, "CLOSED"),
        ({"deleted": True, "status": InstanceStatus.SUSPENDED}, "DELETED"),
    ],
)
def test_state_of_the_instance_closes_what_is_paid_for(
    changed: dict[str, Any], reason: str
) -> None:
    instance = school(config={"features": {"media": True}})
    upload(instance.id, 5)
    Instance.objects.filter(pk=instance.pk).update(**changed)
    instance = Instance.all_objects.get(pk=instance.pk)
    assert of(instance, "media") == (False, 0, reason, "instance")
    assert entitlements_of(instance, at=NOW).features["maxStorageBytes"].used == 5


def test_without_config_the_instances_tier_holds_without_exceptions() -> None:
    instance = school(Tier.PREMIUM, config={"features": {"media": False}})
    InstanceConfig.objects.all().delete()
    assert of(instance, "media") == (True, None, "TIER", "tier")
    assert of(instance, "maxStorageBytes")[:2] == (False, 0)  # as the ledger has it
    assert entitlements_of(instance, at=NOW).version.startswith("0.0.")


def test_version_changes_with_all_that_changes_the_answer_and_with_nothing_else(settings) -> None:
    instance = school()

    def version(at: datetime = NOW) -> str:
        return entitlements_of(Instance.objects.get(pk=instance.pk), at=at).version

    seen = [version()]
    assert version(NOW + timedelta(hours=1)) == seen[0]
    InstanceConfig.objects.update(limitations={"maxCourses": 5})
    seen.append(version())
    Subscription.objects.update(current_period_end=NOW + 90 * DAY)
    seen.append(version())
    upload(instance.id, 5)
    seen.append(version())
    settings.KITEHUB_PLANS = {"STANDARD": {"limitations": {"maxStudents": 7}}}
    seen.append(version())
    seen.append(version(NOW + 91 * DAY))
    Instance.objects.update(status=InstanceStatus.SUSPENDED)
    seen.append(version())
    assert len(set(seen)) == len(seen)
    assert [each[:4] for each in seen[:3]] == ["0.0.", "1.0.", "1.1."]


def test_unknown_name_is_an_error_that_says_what_there_is() -> None:
    rights = entitlements_of(school(), at=NOW)
    with pytest.raises(UnknownFeature, match="no 'medai', only engagement, media, premium"):
        rights.allows("medai")
    with pytest.raises(UnknownFeature, match="no 'media', only maxStudents"):
        rights.limit("media")


def test_pool_takes_three_queries(django_assert_num_queries: Any) -> None:
    instance = school()
    other = school(Tier.PREMIUM)
    with django_assert_num_queries(3):
        rights = entitlements_of(instance, at=NOW)
    assert (rights.instance_id, rights.tier) == (instance.id, Tier.STANDARD)
    assert other.id != instance.id


def test_silo_takes_one_of_the_platform_and_two_of_its_own(silo: Instance) -> None:
    SubscriptionFactory(instance=silo, tier=Tier.PREMIUM)
    with tenancy.use(silo):
        InstanceConfig.objects.create(tier=Tier.PREMIUM)
        StorageEventFactory(instance_id=silo.id, file_size_bytes=5)
        own = connections[tenancy.alias_of(silo)]
        with (
            CaptureQueriesContext(own) as there,
            CaptureQueriesContext(connections["default"]) as here,
        ):
            rights: Entitlements = entitlements_of(silo)
    assert (len(there), len(here)) == (2, 1)
    assert (rights.tier, rights.allows("premium")) == (Tier.PREMIUM, True)
    assert rights.features["maxStorageBytes"].used == 5
