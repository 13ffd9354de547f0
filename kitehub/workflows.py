"""What is done to several apps at once. Nothing below writes to more than one."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from billing.enums import SubscriptionStatus
from billing.models import Subscription
from kitehub import tenancy
from kitehub.db.acting import acting
from kitehub.db.secrets import Secret
from kitehub.domains import clean_subdomain
from kitehub.enums import InstanceStatus, Tier
from kitehub.models import Instance, InstanceConfig, User
from kitehub.plans import PLANS
from kitehub.services import api_keys
from kitehub.services.api_keys import IssuedKey
from kitehub.tenancy import provisioning
from storage import tiers

# Plan, V6: trial_end is 14 days from trial_started_at.
TRIAL = timedelta(days=14)


class SubdomainTaken(Exception):
    """The subdomain is somebody else's, or a deleted instance's."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An instance that is whole, and its first key where this very run issued it."""

    instance: Instance
    first_key: IssuedKey | None


def open_instance(
    *,
    subdomain: str,
    organization_name: str,
    owner: User,
    actor: str,
    tier: Tier = Tier.BASIC,
    silo: bool = False,
    at: datetime | None = None,
) -> Opened:
    """Opens a school on a trial of 14 days, in the pool or in a database of its own.

    Repeating the call finishes what a killed one began, and changes nothing where all is done; the
    tier and the placement are then those of the first call. The text of the first API key is in the
    answer of the run that issued it and in no other: where that run was killed, or nobody kept the
    text, `api_keys.rotate` gives another key. Raises ValidationError for a subdomain
    that can't be one, and SubdomainTaken.
    """
    instance = _register(
        subdomain=clean_subdomain(subdomain),
        organization_name=organization_name,
        owner=owner,
        actor=actor,
        tier=tier,
        silo=silo,
        at=at or timezone.now(),
    )
    return Opened(instance, provision(instance, actor=actor))


def provision(instance: Instance, *, actor: str) -> IssuedKey | None:
    """Makes, or makes whole, the database that an instance's row names, and what has to be in it.

    Every step may be repeated. In the pool only the rows are made. Returns the instance's first
    API key if it had none; that step is the last, so that nothing comes between it and the caller.
    """
    if tenancy.alias_of(instance) != tenancy.POOL:
        with provisioning.administration() as admin:
            template = provisioning.ensure_template(admin, _migrate)
            role = instance.database_username
            provisioning.ensure_role(admin, role, instance.database_password.reveal())
            provisioning.ensure_database(admin, tenancy.database_of(instance), template, role)
    with tenancy.use(instance), tenancy.atomic() as alias, acting(actor, "opened", using=alias):
        tiers.sync(using=alias)
        _fill(instance)
    return api_keys.issue_first(instance=instance, actor=actor)


# --- Steps --------------------------------------------------------------------------------------


def _register(
    *, subdomain: str, owner: User, actor: str, silo: bool, at: datetime, **said: Any
) -> Instance:
    """The instance's row and its subscription, both or neither; the one that is there already.

    The password is kept before any role has it, so that a run that is killed loses none.
    """
    with transaction.atomic(), acting(actor, "opened"):
        new_id = uuid4()
        found, created = Instance.all_objects.get_or_create(
            subdomain=subdomain,
            defaults={
                **said,
                **(_silo(new_id) if silo else _pool()),
                "id": new_id,
                "owner": owner,
                "status": InstanceStatus.TRIAL,
                "trial_started_at": at,
                "trial_expires_at": at + TRIAL,
            },
        )
        if found.deleted or found.owner_id != owner.pk:
            raise SubdomainTaken(subdomain)
        if created:
            Subscription.objects.create(
                instance=found,
                tier=found.tier,
                monthly_price=PLANS[Tier(found.tier)].monthly_price,
                status=SubscriptionStatus.TRIAL,
                current_period_start=at,
                current_period_end=at + TRIAL,
                trial_end=at + TRIAL,
            )
    return found


def _pool() -> dict[str, Any]:
    return {"database_url": tenancy.pool_url(), "database_username": "", "database_password": ""}


def _silo(instance_id: UUID) -> dict[str, Any]:
    # Not the subdomain, which may change: database and role keep their names.
    name = f"kitehub_{instance_id.hex}"
    return {
        "database_url": f"postgres:///{name}",
        "database_username": name,
        "database_password": Secret(secrets.token_urlsafe(32)),
    }


def _fill(instance: Instance) -> None:
    """The config, without exceptions to the tier; a trigger sets the storage limit."""
    InstanceConfig.all_objects.get_or_create(
        instance_id=instance.id, defaults={"tier": instance.tier}
    )


def _migrate(alias: str) -> None:
    call_command("migrate", database=alias, verbosity=0, interactive=False)
