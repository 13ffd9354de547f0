"""What is done to several apps at once. Nothing below writes to more than one."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from billing.enums import SubscriptionStatus
from billing.models import Subscription
from kitehub import archives, closing, tenancy
from kitehub.archives import Part, Place, Progress, Written, quiet
from kitehub.db import locks
from kitehub.db.acting import acting
from kitehub.db.secrets import Secret
from kitehub.domains import clean_subdomain
from kitehub.enums import InstanceStatus, Tier
from kitehub.models import Instance, InstanceConfig, Tombstone, User
from kitehub.plans import PLANS
from kitehub.tenancy import provisioning

# Plan, V6: trial_end is 14 days from trial_started_at.
TRIAL = timedelta(days=14)
# How long a closed school can be opened again, unless somebody says otherwise.
GRACE = timedelta(days=30)


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
    at: datetime | None = None,
) -> Instance:
    """Opens a school on a trial of 14 days, in the pool or in a database of its own.

    Repeating the call finishes what a killed one began, and changes nothing where all is done; the
    tier and the placement are then those of the first call. Raises ValidationError for a subdomain
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
    provision(instance, actor=actor)
    return instance


def provision(instance: Instance, *, actor: str) -> None:
    """Makes, or makes whole, the database that an instance's row names, and what has to be in it.

    Every step may be repeated. In the pool only the rows are made.
    """
    if tenancy.alias_of(instance) != tenancy.POOL:
        with provisioning.administration() as admin:
            _make_silo(admin, instance)
    with tenancy.use(instance), tenancy.atomic() as alias, acting(actor, "opened", using=alias):
        _fill(instance)


def export_instance(instance: Instance, *, to: Path, progress: Progress = quiet) -> Written:
    """Writes an instance's rows to a new file; raises ArchiveError and OSError.

    What an archive holds, and what it leaves out: docs/scaling.md.
    """
    return archives.write(instance, to, progress=progress)


def import_instance(
    path: Path,
    *,
    actor: str,
    subdomain: str = "",
    owner: User | None = None,
    silo: bool = False,
    dry_run: bool = False,
    progress: Progress = quiet,
) -> archives.Manifest:
    """Brings an archived instance back under its own id; where it raises, nothing was written.

    All rows are those of the archive, byte for byte; only the subdomain, the owner and where it
    lives may be others. A new silo is filled before the platform knows of it, so that repeating the
    call finishes what a killed one began. Raises ArchiveError, and ValidationError for a subdomain
    that can't be one.
    """
    with archives.opened(path, progress=progress) as archive:
        said = archive.manifest
        name = clean_subdomain(subdomain) if subdomain else said.subdomain
        owner_id = archives.check_free(archive, name, owner)
        where = _silo(said.instance_id) if silo else _pool()
        place = _place(name, owner_id, **where)
        trace: dict[str, Any] = {
            "actor": actor,
            "sha256": archives.file_digest(path),
            "progress": progress,
        }
        if not silo:
            both = [Part.PLATFORM, Part.TENANT]
            archives.load(archive, place, tenancy.POOL, both, keep=not dry_run, **trace)
        elif not dry_run:
            with _new_silo(Instance(id=said.instance_id, **where)) as alias:
                archives.load(archive, place, alias, [Part.TENANT], **trace)
                archives.load(archive, place, tenancy.POOL, [Part.PLATFORM], **trace)
    return said


def deprovision(
    instance: Instance,
    *,
    archive_to: Path,
    actor: str,
    reason: str = "",
    grace: timedelta = GRACE,
    at: datetime | None = None,
    progress: Progress = quiet,
) -> Tombstone:
    """Closes a school: archives it, hides it, and says when its data goes.

    Until then `cancel_deprovision` opens it again. Repeating the call finishes what a killed one
    began, and renews an archive that the rows have left behind; the date stays that of the first
    call. Raises ClosingError, ArchiveError and OSError, and then the school is as it was.
    """
    return closing.close(
        instance=instance,
        folder=archive_to,
        grace=grace,
        actor=actor,
        reason=reason,
        at=at or timezone.now(),
        progress=progress,
    )


def cancel_deprovision(instance: Instance, *, actor: str, at: datetime | None = None) -> Tombstone:
    """Opens a closed school again; raises ClosingError once its data has begun to go."""
    return closing.cancel(instance=instance, actor=actor, at=at or timezone.now())


def drop_deprovisioned(
    tombstone: Tombstone, *, actor: str, at: datetime | None = None, progress: Progress = quiet
) -> closing.Dropped:
    """Drops a closed school's data if it is due and its archive has every row of it.

    Raises ClosingError where it hasn't, and where the time is not over. The platform's rows stay,
    the tombstone among them, and the subdomain stays taken.
    """
    return closing.drop(tombstone, actor=actor, at=at or timezone.now(), progress=progress)


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


def _place(subdomain: str, owner_id: UUID, *, database_password: Any, **where: str) -> Place:
    password: Any = Instance._meta.get_field("database_password")
    sealed = password.get_prep_value(database_password)
    return Place(subdomain=subdomain, owner_id=owner_id, sealed_password=sealed, **where)


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


def _make_silo(admin: provisioning.Admin, instance: Instance) -> None:
    template = provisioning.ensure_template(admin, _migrate)
    role = instance.database_username
    provisioning.ensure_role(admin, role, instance.database_password.reveal())
    provisioning.ensure_database(admin, tenancy.database_of(instance), template, role)


@contextmanager
def _new_silo(instance: Instance) -> Iterator[str]:
    """The alias of an empty silo, which is dropped again if what fills it fails.

    One of its name that nobody lives in is what a killed run left.
    """
    name, role = tenancy.database_of(instance), instance.database_username
    lived_in = Instance.all_objects.filter(database_url=instance.database_url)
    with locks.held(connection, f"silo {name}") as mine, provisioning.administration() as admin:
        if not mine or lived_in.exists():
            raise archives.ArchiveError(f"The database {name} is being made, or is in use.")
        provisioning.drop(admin, name, role)
        _make_silo(admin, instance)
        try:
            yield tenancy.alias_of(instance)
        except BaseException:
            if not lived_in.exists():
                provisioning.drop(admin, name, role)
            raise


def _fill(instance: Instance) -> None:
    """The config, with what the catalogue says of the tier; a trigger sets the storage limit."""
    plan = PLANS[Tier(instance.tier)]
    InstanceConfig.all_objects.get_or_create(
        instance_id=instance.id,
        defaults={
            "tier": plan.tier,
            "features": dict(plan.features),
            "limitations": dict(plan.limitations),
        },
    )


def _migrate(alias: str) -> None:
    call_command("migrate", database=alias, verbosity=0, interactive=False)
