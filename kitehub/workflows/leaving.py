"""A school leaves, for a while or for good: its rows in an archive, its tombstone, its end."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from kitehub import archives, closing, tenancy
from kitehub.archives import Part, Place, Progress, Written, quiet
from kitehub.db import locks
from kitehub.domains import clean_subdomain
from kitehub.models import Instance, Tombstone, User
from kitehub.tenancy import provisioning, servers
from kitehub.workflows.opening import make_silo, pool_placement, silo_placement

# How long a closed school can be opened again, unless somebody says otherwise.
GRACE = timedelta(days=30)


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
        where = (
            silo_placement(servers.OWN, said.instance_id)
            if silo
            else pool_placement(said.instance_id)
        )
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
    asked_at: datetime | None = None,
) -> Tombstone:
    """Closes a school: archives it, hides it, and says when its data goes.

    Until then `cancel_deprovision` opens it again. Repeating the call finishes what a killed one
    began, and renews an archive that the rows have left behind; the date stays that of the first
    call. Raises ClosingError (also for a school that was opened again since `asked_at`),
    ArchiveError and OSError, and then the school is as it was.
    """
    return closing.close(
        instance=instance,
        folder=archive_to,
        grace=grace,
        actor=actor,
        reason=reason,
        at=at or timezone.now(),
        progress=progress,
        asked_at=asked_at,
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


def _place(subdomain: str, owner_id: UUID, *, database_password: Any, **where: str) -> Place:
    password: Any = Instance._meta.get_field("database_password")
    sealed = password.get_prep_value(database_password)
    return Place(subdomain=subdomain, owner_id=owner_id, sealed_password=sealed, **where)


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
        make_silo(admin, instance)
        try:
            yield tenancy.alias_of(instance)
        except BaseException:
            if not lived_in.exists():
                provisioning.drop(admin, name, role)
            raise
