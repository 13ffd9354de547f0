"""Tombstones: a school is closed by one, and opened again as long as its data is there."""

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
from django.db import OperationalError, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop as noop

from kitehub import archives, tenancy
from kitehub.archives import Archive, ArchiveError, Progress, Written
from kitehub.archives.loading import in_order
from kitehub.archives.reading import count
from kitehub.archives.sessions import Session, session
from kitehub.archives.writing import snapshots
from kitehub.db.acting import acting
from kitehub.db.sentences import Sentence
from kitehub.models import ArchiveRun, Instance, Tombstone

CLOSED = "closed"


class ClosingError(Exception):
    """One line for people: why a school can't be closed, opened again or dropped."""


def close(
    *,
    instance: Instance,
    folder: Path,
    grace: timedelta,
    actor: str,
    reason: str,
    at: datetime,
    progress: Progress,
    asked_at: datetime | None = None,
) -> Tombstone:
    """Archives a school into a folder and hides it; its data goes once the grace time is over.

    Repeating the call finishes what a killed one began. Of a school that is closed already it makes
    a new archive if the old one is lost or its rows have changed, and leaves the date alone. A
    school that was opened again since `asked_at` stays open.
    Raises ClosingError and ArchiveError, and then the school is as it was.
    """
    found = Tombstone.objects.filter(instance=instance, canceled_at__isnull=True).first()
    if found is None:
        _refuse_reopened(instance, asked_at)
        written = _archive(instance, folder, at, progress)
        found = _bury(instance, written, at + grace, actor=actor, reason=reason, asked_at=asked_at)
    if found.dropped_at is not None:
        raise ClosingError(
            Sentence(
                noop("%(school)s was closed, and its data is gone."),
                school=instance.subdomain,
            )
        )
    if found.erasing_at is not None and not left_over(found):
        return found
    # What was written while the archive was being made, or since.
    if what_differs(found, progress=progress):
        renew(found, folder=folder, actor=actor, at=timezone.now(), progress=progress)
    return found


def renew(
    tombstone: Tombstone, *, folder: Path, actor: str, at: datetime, progress: Progress
) -> Written:
    """Makes a new archive of a closed school; the earlier ones stay on its tombstone."""
    written = _archive(instance_of(tombstone), folder, at, progress)
    was = {
        "path": tombstone.archive_path,
        "sha256": tombstone.archive_sha256,
        "replaced_at": at.isoformat(),
        "replaced_by": actor,
    }
    earlier = [*tombstone.earlier_archives, was]
    new = {"archive_path": str(written.path), "archive_sha256": written.sha256}
    rows = Tombstone.objects.filter(
        pk=tombstone.pk,
        archive_sha256=tombstone.archive_sha256,
        canceled_at__isnull=True,
        dropped_at__isnull=True,
    )
    if not rows.update(earlier_archives=earlier, **new):
        raise ClosingError(
            Sentence(noop("%(what)s was changed by somebody else meanwhile."), what=tombstone)
        )
    tombstone.refresh_from_db()
    return written


def cancel(*, instance: Instance, actor: str, at: datetime) -> Tombstone:
    """Opens a closed school again; raises ClosingError where it isn't closed or its data goes."""
    with transaction.atomic(), acting(actor, "closing cancelled"):
        rows = Tombstone.objects.filter(instance=instance, canceled_at__isnull=True)
        tombstone = rows.first()
        if tombstone is None:
            raise ClosingError(
                Sentence(noop("%(school)s isn't closed."), school=instance.subdomain)
            )
        open_ones = rows.filter(erasing_at__isnull=True)
        if not open_ones.update(canceled_at=at, canceled_by=actor):
            raise ClosingError(
                Sentence(
                    noop("It is too late: the data of %(school)s is going or gone."),
                    school=instance.subdomain,
                )
            )
        Instance.all_objects.filter(pk=instance.pk).restore()
    tombstone.refresh_from_db()
    return tombstone


def what_differs(tombstone: Tombstone, *, progress: Progress) -> str:
    """Why a tombstone's archive doesn't stand for the instance's data; empty if it does.

    The file is hashed again, all that is in it, and the rows as they are now.
    """
    try:
        with verified(tombstone, progress) as archive, snapshots(instance_of(tombstone)) as seen:
            conn = seen[archives.TENANT][0]
            differ = archives.differences(conn, archive.manifest, archives.TENANT, whole=True)
    except ArchiveError as error:
        return str(error)
    return f"these tables have changed since: {', '.join(differ)}" if differ else ""


# --- Parts --------------------------------------------------------------------------------------


def left_over(tombstone: Tombstone) -> bool:
    """Whether rows came after an erasure had finished: those that no archive has."""
    instance = instance_of(tombstone)
    try:
        with session(tenancy.alias_of(instance)) as conn:
            erased = was_erased(conn, instance, tombstone.archive_sha256)
        return erased and bool(counts(instance))
    except (psycopg.OperationalError, OperationalError):
        return False  # its database is gone


def was_erased(conn: Session, instance: Instance, sha256: str) -> bool:
    """Whether the rows that an archive has were deleted from a database."""
    query = (
        "SELECT FROM archive_runs WHERE instance_id = %s AND kind = %s AND archive_sha256 = %s"
        " AND finished_at IS NOT NULL"
    )
    return bool(conn.execute(query, [instance.id, ArchiveRun.Kind.ERASURE, sha256]).rowcount)


def counts(instance: Instance) -> dict[str, int]:
    """How many rows of an instance its database has, by table; only those that have any."""
    with session(tenancy.alias_of(instance)) as conn:
        found = {t.name: count(conn, t, instance.id) for t in in_order(archives.TENANT)}
    return {name: number for name, number in found.items() if number}


def verified(tombstone: Tombstone, progress: Progress) -> AbstractContextManager[Archive]:
    """The tombstone's archive, open, if it is still the same file; raises ArchiveError."""
    path = Path(tombstone.archive_path)
    if not path.is_file():
        raise ArchiveError(Sentence(noop("%(path)s is not there."), path=path))
    if archives.file_digest(path) != tombstone.archive_sha256:
        raise ArchiveError(
            Sentence(
                noop("%(path)s is not the file that was archived: its hash differs."),
                path=path,
            )
        )
    return archives.opened(path, progress=progress)


def instance_of(tombstone: Tombstone) -> Instance:
    """The closed school, whose row stays; raises ClosingError where somebody removed it."""
    instance = Instance.all_objects.filter(pk=tombstone.instance_id).first()
    if instance is None:
        raise ClosingError(
            Sentence(
                noop("The instance %(instance)s is gone from the platform."),
                instance=tombstone.instance_id,
            )
        )
    return instance


def _refuse_reopened(instance: Instance, asked_at: datetime | None) -> None:
    """Who opened it again knew better than a request from before that."""
    if asked_at is None:
        return
    since = Tombstone.objects.filter(instance=instance, canceled_at__gte=asked_at)
    if since.exists():
        raise ClosingError(
            Sentence(
                noop("%(school)s was opened again since this was asked for."),
                school=instance.subdomain,
            )
        )


def _archive(instance: Instance, folder: Path, at: datetime, progress: Progress) -> Written:
    stem = f"{instance.subdomain}-{at:%Y%m%dT%H%M%S}"
    path = next(
        path
        for number in range(1, 1000)
        if not (path := folder / f"{stem}{f'-{number}' if number > 1 else ''}.zip").exists()
    )
    return archives.write(instance, path.absolute(), progress=progress)


def _bury(
    instance: Instance,
    written: Written,
    due: datetime,
    *,
    actor: str,
    reason: str,
    asked_at: datetime | None,
) -> Tombstone:
    """The tombstone and the hiding, both or neither."""
    with transaction.atomic(), acting(actor, reason or CLOSED):
        locked = Instance.all_objects.select_for_update(of=("self",)).get(pk=instance.pk)
        _refuse_reopened(locked, asked_at)
        tombstone, _ = Tombstone.objects.get_or_create(
            instance=locked,
            canceled_at=None,
            defaults={
                "reason": reason,
                "requested_by": actor,
                "deprovision_at": due,
                "archive_path": str(written.path),
                "archive_sha256": written.sha256,
            },
        )
        locked.delete()
    return tombstone
