"""A school is opened: its rows, its database, its first key."""

import secrets
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.core.management import call_command
from django.db import connections, transaction
from django.utils import timezone

from billing.enums import SubscriptionStatus
from billing.models import Subscription
from kitehub import tenancy
from kitehub.db.acting import acting
from kitehub.db.secrets import Secret
from kitehub.domains import clean_domain, clean_subdomain
from kitehub.enums import InstanceStatus, Tier
from kitehub.models import Instance, InstanceConfig, User
from kitehub.plans import PLANS
from kitehub.services import api_keys
from kitehub.services.api_keys import IssuedKey
from kitehub.tenancy import provisioning, servers
from kitehub.tenancy.connections import close_all
from kitehub.tenancy.placement import Placed, silo_name
from storage import tiers

# Plan, V6: trial_end is 14 days from trial_started_at.
TRIAL = timedelta(days=14)


_NAME: Any = Instance._meta.get_field("organization_name")


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
    server: str = "",
    custom_domain: str = "",
    at: datetime | None = None,
) -> Opened:
    """Opens a school on a trial of 14 days, in the pool or in a database of its own.

    An owner has one trial: a second school of theirs opens with a subscription that waits for its
    first payment.

    `silo` makes that database on the platform's own server, `server` on one that
    KITEHUB_SILO_SERVERS names. Repeating the call finishes what a killed one began, and changes
    nothing where all is done; the tier and the placement are then those of the first call. The text
    of the first API key is in the answer of the run that issued it and in no other: where that run
    was killed, or nobody kept the text, `api_keys.rotate` gives another key.

    Raises ValidationError for a subdomain, domain or name that can't be one, SubdomainTaken,
    UnknownServer, and ServerRefused where that server can't be used. Within
    `provisioning.staying_connected()` many are opened faster.
    """
    instance = _register(
        subdomain=clean_subdomain(subdomain),
        custom_domain=clean_domain(custom_domain) if custom_domain else None,
        organization_name=_NAME.clean(organization_name, None),
        owner=owner,
        actor=actor,
        tier=tier,
        placement=partial(silo_placement, server) if silo or server else pool_placement,
        at=at or timezone.now(),
    )
    return Opened(instance, provision(instance, actor=actor))


@dataclass(frozen=True)
class NewSchool:
    """What `open_instance` is told of one school."""

    subdomain: str
    organization_name: str
    owner: User
    tier: Tier = Tier.BASIC
    silo: bool = False
    server: str = ""
    custom_domain: str = ""


@dataclass(frozen=True)
class Opening:
    """What became of a school: what `open_instance` returned, or the error that it raised."""

    school: NewSchool
    opened: Opened | None = None
    error: Exception | None = None


def open_instances(
    schools: Sequence[NewSchool], *, actor: str, jobs: int = 3, at: datetime | None = None
) -> list[Opening]:
    """Opens many schools, `jobs` at a time; one that fails keeps no other from being opened.

    Must not be called within a transaction: each thread has connections of its own, one to every
    server for all its schools.
    """
    waiting = iter(schools)
    found: dict[int, Opening] = {}
    turn = threading.Lock()

    def work() -> None:
        try:
            with provisioning.staying_connected():
                while True:
                    with turn:
                        school = next(waiting, None)
                    if school is None:
                        return
                    found[id(school)] = _opening(school, actor=actor, at=at)
                    close_all()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(jobs) as pool:
        for done in [pool.submit(work) for _ in range(jobs)]:
            done.result()
    return [found[id(school)] for school in schools]


def _opening(school: NewSchool, *, actor: str, at: datetime | None) -> Opening:
    told = {each.name: getattr(school, each.name) for each in fields(school)}
    try:
        return Opening(school, open_instance(**told, actor=actor, at=at))
    except Exception as error:
        return Opening(school, error=error)


def provision(instance: Instance, *, actor: str) -> IssuedKey | None:
    """Makes, or makes whole, the database that an instance's row names, and what has to be in it.

    Every step may be repeated. In the pool, and in a database that somebody else made, only the
    rows are made. Returns the instance's first API key if it had none; that step is the last, so
    that nothing comes between it and the caller.
    """
    if is_of_our_making(instance):
        with provisioning.administration(servers.server_of(instance)) as admin:
            make_silo(admin, instance)
    _make_rows(instance, actor)
    return api_keys.issue_first(instance=instance, actor=actor)


def is_of_our_making(instance: Placed) -> bool:
    """Whether an instance's database and role are its own, with the names that we give."""
    name = silo_name(instance.id)
    return (
        tenancy.alias_of(instance) != tenancy.POOL
        and tenancy.database_of(instance) == name == instance.database_username
    )


def make_silo(admin: provisioning.Admin, instance: Placed) -> None:
    """Makes an instance's role and database, or makes them whole; every step may be repeated."""
    template = provisioning.ensure_template(admin, _migrate)
    role = instance.database_username
    with provisioning.school(admin, role):
        provisioning.ensure_role(admin, role, instance.database_password.reveal())
        provisioning.ensure_database(admin, tenancy.database_of(instance), template, role)


# --- Steps --------------------------------------------------------------------------------------


def _register(
    *,
    subdomain: str,
    owner: User,
    actor: str,
    placement: Callable[[UUID], dict[str, Any]],
    at: datetime,
    **said: Any,
) -> Instance:
    """The instance's row and its subscription, both or neither; the one that is there already.

    The password is kept before any role has it, so that a run that is killed loses none; for the
    same reason no transaction around it may undo it.
    """
    with transaction.atomic(durable=True), acting(actor, "opened"):
        new_id = uuid4()
        found, created = Instance.all_objects.get_or_create(
            subdomain=subdomain,
            defaults={
                **said,
                **placement(new_id),
                **_trial(owner, at),
                "id": new_id,
                "owner": owner,
            },
        )
        if found.deleted or found.owner_id != owner.pk:
            raise SubdomainTaken(subdomain)
        if created:
            tried = found.trial_expires_at
            subscription = Subscription.objects.create(
                instance=found,
                tier=found.tier,
                monthly_price=PLANS[Tier(found.tier)].monthly_price,
                status=SubscriptionStatus.TRIAL if tried else SubscriptionStatus.EXPIRED,
                current_period_start=at,
                current_period_end=tried or at,
                trial_end=tried,
            )
            found.subscription_id = subscription.pk
            found.save(update_fields=["subscription_id"])
    return found


def _trial(owner: User, at: datetime) -> dict[str, Any]:
    """The columns of an instance that say that it is tried, or that its owner has had a trial."""
    # Two schools of one owner that open at once must not both be the first.
    list(User.objects.select_for_update(of=("self",), no_key=True).filter(pk=owner.pk))
    if Instance.all_objects.filter(owner=owner, trial_started_at__isnull=False).exists():
        return {"status": InstanceStatus.ACTIVE}
    return {
        "status": InstanceStatus.TRIAL,
        "trial_started_at": at,
        "trial_expires_at": at + TRIAL,
    }


def pool_placement(instance_id: UUID) -> dict[str, Any]:
    """The columns of an instance that say where it lives: in the pool."""
    return {"database_url": tenancy.pool_url(), "database_username": "", "database_password": ""}


def silo_placement(server: str, instance_id: UUID) -> dict[str, Any]:
    """The columns that say so for a silo on a server, with a new password."""
    name = silo_name(instance_id)
    return {
        "database_url": servers.silo_url(server, name),
        "database_username": name,
        "database_password": Secret(secrets.token_urlsafe(32)),
    }


def _make_rows(instance: Instance, actor: str) -> None:
    with tenancy.use(instance), tenancy.atomic() as alias, acting(actor, "opened", using=alias):
        tiers.sync(using=alias)
        fill(instance)


def fill(instance: Instance) -> None:
    """The config, without exceptions to the tier; a trigger sets the storage limit."""
    config = InstanceConfig(instance_id=instance.id, tier=instance.tier)
    # One statement, which leaves what is there.
    InstanceConfig.all_objects.bulk_create([config], ignore_conflicts=True)


def _migrate(alias: str) -> None:
    call_command("migrate", database=alias, verbosity=0, interactive=False)
