"""What is done to several apps at once. Nothing below writes to more than one."""

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
from kitehub.tenancy import provisioning, servers
from kitehub.tenancy.connections import close_all

# Plan, V6: trial_end is 14 days from trial_started_at.
TRIAL = timedelta(days=14)


_NAME: Any = Instance._meta.get_field("organization_name")


class SubdomainTaken(Exception):
    """The subdomain is somebody else's, or a deleted instance's."""


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
) -> Instance:
    """Opens a school on a trial of 14 days, in the pool or in a database of its own.

    `silo` makes that database on the platform's own server, `server` on one that
    KITEHUB_SILO_SERVERS names. Repeating the call finishes what a killed one began, and changes
    nothing where all is done; the tier and the placement are then those of the first call. Raises
    ValidationError for a subdomain, domain or name that can't be one, SubdomainTaken,
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
        placement=partial(_silo, server) if silo or server else _pool,
        at=at or timezone.now(),
    )
    provision(instance, actor=actor)
    return instance


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
class Opened:
    """What became of a school: its row, or the error that `open_instance` raised."""

    school: NewSchool
    instance: Instance | None = None
    error: Exception | None = None


def open_instances(
    schools: Sequence[NewSchool], *, actor: str, jobs: int = 3, at: datetime | None = None
) -> list[Opened]:
    """Opens many schools, `jobs` at a time; one that fails keeps no other from being opened.

    Must not be called within a transaction: each thread has connections of its own, one to every
    server for all its schools.
    """
    waiting = iter(schools)
    found: dict[int, Opened] = {}
    turn = threading.Lock()

    def work() -> None:
        try:
            with provisioning.staying_connected():
                while True:
                    with turn:
                        school = next(waiting, None)
                    if school is None:
                        return
                    found[id(school)] = _opened(school, actor=actor, at=at)
                    close_all()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(jobs) as pool:
        for done in [pool.submit(work) for _ in range(jobs)]:
            done.result()
    return [found[id(school)] for school in schools]


def _opened(school: NewSchool, *, actor: str, at: datetime | None) -> Opened:
    told = {each.name: getattr(school, each.name) for each in fields(school)}
    try:
        return Opened(school, open_instance(**told, actor=actor, at=at))
    except Exception as error:
        return Opened(school, error=error)


def provision(instance: Instance, *, actor: str) -> None:
    """Makes, or makes whole, the database that an instance's row names, and what has to be in it.

    Every step may be repeated. In the pool only the rows are made.
    """
    if tenancy.alias_of(instance) != tenancy.POOL:
        with provisioning.administration(servers.server_of(instance)) as admin:
            template = provisioning.ensure_template(admin, _migrate)
            role = instance.database_username
            provisioning.ensure_role(admin, role, instance.database_password.reveal())
            provisioning.ensure_database(admin, tenancy.database_of(instance), template, role)
    _make_rows(instance, actor)


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

    The password is kept before any role has it, so that a run that is killed loses none.
    """
    with transaction.atomic(), acting(actor, "opened"):
        new_id = uuid4()
        found, created = Instance.all_objects.get_or_create(
            subdomain=subdomain,
            defaults={
                **said,
                **placement(new_id),
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


def _pool(instance_id: UUID) -> dict[str, Any]:
    return {"database_url": tenancy.pool_url(), "database_username": "", "database_password": ""}


def _silo(server: str, instance_id: UUID) -> dict[str, Any]:
    # Not the subdomain, which may change: database and role keep their names.
    name = f"kitehub_{instance_id.hex}"
    return {
        "database_url": servers.silo_url(server, name),
        "database_username": name,
        "database_password": Secret(secrets.token_urlsafe(32)),
    }


def _make_rows(instance: Instance, actor: str) -> None:
    with tenancy.use(instance), tenancy.atomic() as alias, acting(actor, "opened", using=alias):
        _fill(instance)


def _fill(instance: Instance) -> None:
    """The config, with what the catalogue says of the tier; a trigger sets the storage limit."""
    plan = PLANS[Tier(instance.tier)]
    config = InstanceConfig(
        instance_id=instance.id,
        tier=plan.tier,
        features=dict(plan.features),
        limitations=dict(plan.limitations),
    )
    # One statement, which leaves what is there.
    InstanceConfig.all_objects.bulk_create([config], ignore_conflicts=True)


def _migrate(alias: str) -> None:
    call_command("migrate", database=alias, verbosity=0, interactive=False)
