"""The data of a closed school goes, and never without the export.

Steps, each of which may be repeated: the tombstone says that erasing has begun, which ends the
time to cancel; the archive is hashed again and compared with the rows as they are; a silo that is
the school's alone is dropped with its role, everywhere else the school's rows are deleted; the
tombstone says that it is done.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import psycopg
from django.db import connection, connections, transaction
from django.utils import timezone
from psycopg import sql
from psycopg.errors import SerializationFailure

from kitehub import archives, tenancy
from kitehub.archives import ArchiveError, Manifest, Progress
from kitehub.archives.loading import in_order
from kitehub.archives.sessions import Session, session, snapshot
from kitehub.closing.tombstones import ClosingError, counts, instance_of, verified, was_erased
from kitehub.db import locks
from kitehub.db.acting import acting
from kitehub.models import ArchiveRun, Instance, Tombstone
from kitehub.tenancy import provisioning, servers

# How long to wait for those who write to a silo that goes.
_PATIENCE = "5s"


@dataclass(frozen=True, slots=True)
class Dropped:
    """A school whose data is gone: with its database, or so many rows of it."""

    tombstone: Tombstone
    database: str
    rows: int


def drop(tombstone: Tombstone, *, actor: str, at: datetime, progress: Progress) -> Dropped:
    """Drops a closed school's data; repeating it finishes what a killed run began.

    Raises ClosingError where it may not go: it isn't closed or not yet due, its archive is lost or
    changed, or its rows are not those of the archive. Then all is as it was.
    """
    with locks.held(connection, f"dropping {tombstone.instance_id}") as mine:
        if not mine:
            raise ClosingError("Another run is dropping it.")
        tombstone.refresh_from_db()
        instance = instance_of(tombstone)
        _check(tombstone, instance, at)
        database = _own_database(instance)
        resumed = _begin(tombstone)
        try:
            rows = _erase(tombstone, instance, database, resumed, actor, progress)
        except (ArchiveError, ClosingError) as error:
            _step_back(tombstone, instance, database)
            raise ClosingError(f"{error} Nothing was dropped.") from error
        except psycopg.Error:
            with suppress(psycopg.Error):
                _step_back(tombstone, instance, database)
            raise
        _check_nothing_left(instance, database)
        _finish(tombstone, instance, database, actor)
    return Dropped(tombstone, database, rows)


# --- Steps --------------------------------------------------------------------------------------


def _check(tombstone: Tombstone, instance: Instance, at: datetime) -> None:
    if tombstone.canceled_at or tombstone.dropped_at:
        raise ClosingError("It was cancelled." if tombstone.canceled_at else "It was dropped.")
    if tombstone.deprovision_at > at:
        due = timezone.localtime(tombstone.deprovision_at)
        raise ClosingError(f"It is due on {due:%Y-%m-%d %H:%M}.")
    if not instance.deleted:
        raise ClosingError(
            "It was restored without cancelling its closing: cancel that, or delete it again."
        )


def _begin(tombstone: Tombstone) -> bool:
    """Ends the time to cancel; whether an earlier run had."""
    still = Tombstone.objects.filter(pk=tombstone.pk, canceled_at__isnull=True)
    if tombstone.erasing_at is not None:
        return True
    if not still.filter(erasing_at__isnull=True).update(erasing_at=timezone.now()):
        raise ClosingError("It was cancelled.")
    return False


def _erase(
    tombstone: Tombstone,
    instance: Instance,
    database: str,
    resumed: bool,
    actor: str,
    progress: Progress,
) -> int:
    with verified(tombstone, progress) as archive:
        said = archive.manifest
        if said.instance_id != instance.id:
            raise ArchiveError(f"{archive.path} is of another school.")
        if database:
            _drop_database(instance, database, said, resumed)
            return sum(file.rows for file in said.of(archives.TENANT))
        return _delete_rows(instance, said, tombstone.archive_sha256, actor, progress)


def _drop_database(instance: Instance, database: str, said: Manifest, resumed: bool) -> None:
    """Compares under locks that let nobody write, and drops before it lets go of them."""
    with provisioning.administration(servers.server_of(instance)) as admin:
        if not provisioning.exists(admin, database):
            if not resumed:
                raise ClosingError(f"The database {database} isn't there to be compared.")
            provisioning.drop(admin, database, instance.database_username)
            return
        alias = tenancy.alias_of(instance)
        # This thread's own connection would be among those that are ended.
        connections[alias].close()
        dropped = False
        try:
            with session(alias) as conn, conn.transaction():
                _lock(conn)
                _compare(conn, said)
                provisioning.drop(admin, database, instance.database_username)
                dropped = True
        except psycopg.OperationalError:
            # The drop ends the session that holds the locks, and those that wait for them.
            if not dropped:
                raise


def _delete_rows(
    instance: Instance, said: Manifest, sha256: str, actor: str, progress: Progress
) -> int:
    """Compares and deletes in one snapshot, so that what goes is what is archived."""
    rows = 0
    try:
        with session(tenancy.alias_of(instance)) as conn, snapshot(conn, read_only=False):
            if was_erased(conn, instance, sha256):
                return 0
            _compare(conn, said)
            run = conn.execute(
                "INSERT INTO archive_runs (instance_id, kind, actor, archive_sha256)"
                " VALUES (%s, %s, %s, %s) RETURNING id",
                [instance.id, ArchiveRun.Kind.ERASURE, actor, sha256],
            ).fetchone()
            for table in in_order(archives.TENANT):
                query = sql.SQL("DELETE FROM {} WHERE {}").format(
                    sql.Identifier(table.name), table.rows_of(instance.id)
                )
                gone = conn.execute(query).rowcount
                progress(table.name, gone)
                rows += gone
            conn.execute(
                "UPDATE archive_runs SET finished_at = clock_timestamp() WHERE id = %s", run
            )
    except SerializationFailure as error:
        raise ClosingError("Its rows are being written to at this moment.") from error
    return rows


def _check_nothing_left(instance: Instance, database: str) -> None:
    left = {} if database else counts(instance)
    if left:
        what = ", ".join(f"{name} {number:,}" for name, number in left.items())
        raise ClosingError(
            f"Rows were written while the archived ones went, and are kept ({what}). Stop their "
            "writer and close the school again, which archives them too."
        )


def _finish(tombstone: Tombstone, instance: Instance, database: str, actor: str) -> None:
    with transaction.atomic(), acting(actor, "data dropped"):
        rows = Tombstone.objects.filter(pk=tombstone.pk, dropped_at__isnull=True)
        rows.update(dropped_at=timezone.now())
        if database:
            # Its role is gone.
            Instance.all_objects.filter(pk=instance.pk).update(database_password="")
    tombstone.refresh_from_db()


# --- Parts --------------------------------------------------------------------------------------


def _own_database(instance: Instance) -> str:
    """The name of the database that goes with the school; empty where others live in it too."""
    if not tenancy.is_silo(tenancy.alias_of(instance)) or not tenancy.is_provisioned(instance):
        return ""
    gone = Tombstone.objects.filter(dropped_at__isnull=False).values("instance_id")
    others = Instance.all_objects.exclude(pk=instance.pk).exclude(pk__in=gone)
    for other in others.exclude(database_url=tenancy.pool_url()).iterator():
        with suppress(tenancy.BadPlacement):
            if tenancy.same_database(instance, other):
                return ""
    return tenancy.database_of(instance)


def _compare(conn: Session, said: Manifest) -> None:
    differ = archives.differences(conn, said, archives.TENANT, whole=True)
    if differ:
        raise ClosingError(
            f"Rows have changed since they were archived ({', '.join(differ)}): close the school "
            "again, which makes a new archive."
        )


def _lock(conn: Session) -> None:
    names = [sql.Identifier(table.name) for table in in_order(archives.TENANT)]
    conn.execute("SELECT set_config('lock_timeout', %s, true)", [_PATIENCE])
    conn.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(sql.SQL(", ").join(names)))


def _step_back(tombstone: Tombstone, instance: Instance, database: str) -> None:
    """Gives back the time to cancel where nothing has gone yet."""
    if _something_has_gone(tombstone, instance, database):
        return
    Tombstone.objects.filter(pk=tombstone.pk, dropped_at__isnull=True).update(erasing_at=None)
    tombstone.refresh_from_db()


def _something_has_gone(tombstone: Tombstone, instance: Instance, database: str) -> bool:
    if database:
        with provisioning.administration(servers.server_of(instance)) as admin:
            return not provisioning.exists(admin, database)
    archived = [tombstone.archive_sha256, *(was["sha256"] for was in tombstone.earlier_archives)]
    with session(tenancy.alias_of(instance)) as conn:
        return any(was_erased(conn, instance, sha256) for sha256 in archived)
