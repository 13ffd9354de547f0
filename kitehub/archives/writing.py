"""Making an archive: a consistent snapshot of each database, in constant memory."""

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.db.migrations.loader import MigrationLoader
from django.utils.translation import gettext_noop as noop

from kitehub import tenancy
from kitehub.archives import manifest
from kitehub.archives.errors import ArchiveError
from kitehub.archives.manifest import File, Manifest
from kitehub.archives.sessions import Session, check_current, session, snapshot
from kitehub.archives.tables import PLATFORM, TENANT, Part, Table, tables
from kitehub.db.sentences import Sentence
from kitehub.db.versions import Versions, label
from kitehub.models import Instance

# Is told the table and how many of its rows are done.
Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Written:
    """An archive that is on disk."""

    path: Path
    sha256: str
    size: int
    manifest: Manifest


def quiet(table: str, rows: int) -> None:
    """Progress that nobody watches."""


def write(instance: Instance, path: Path, *, progress: Progress = quiet) -> Written:
    """Writes an instance's archive under a name that is free; raises ArchiveError and OSError.

    It has the name once it is whole and on disk, so a run that was killed leaves none. Only its
    owner may read the file.
    """
    if path.exists():
        raise ArchiveError(Sentence(noop("%(path)s exists already."), path=path))
    with _whole(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        said = _write_all(instance, archive, progress)
        _entry(archive, manifest.NAME, [said.dump()])
    return Written(path, file_digest(path), path.stat().st_size, said)


def file_digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def snapshots(instance: Instance) -> Iterator[dict[Part, tuple[Session, datetime]]]:
    """Of each part a session that sees one moment; in the pool both parts have the same."""
    alias = tenancy.alias_of(instance)
    with ExitStack() as stack:
        platform = stack.enter_context(session(tenancy.POOL))
        own = stack.enter_context(session(alias)) if tenancy.is_silo(alias) else platform
        seen = {PLATFORM: (platform, stack.enter_context(snapshot(platform)))}
        seen[TENANT] = (
            (own, stack.enter_context(snapshot(own))) if own is not platform else (seen[PLATFORM])
        )
        yield seen


def lines_of(
    conn: Session, table: Table, columns: tuple[str, ...], instance_id: UUID
) -> Iterator[bytes]:
    """The lines of an instance's rows, with some of the table's columns, in blocks."""
    chosen = {column.name: column for column in table.lines.columns}
    lines = type(table.lines)(table.name, tuple(chosen[name] for name in columns))
    with conn.cursor() as cursor:
        yield from lines.read(cursor, table.rows_of(instance_id))


# --- Parts --------------------------------------------------------------------------------------


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A file beside `path` that gets its name only once it is written and on disk."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    part = Path(name)
    try:
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
        _sync_folder(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_all(instance: Instance, archive: zipfile.ZipFile, progress: Progress) -> Manifest:
    versions = Versions(MigrationLoader(None))
    schema, migrations = _schema(instance, versions)
    with snapshots(instance) as seen:
        files = tuple(
            _write_table(archive, table, seen[table.part][0], instance.id, progress)
            for table in tables()
        )
    if {file.table: file.rows for file in files}["instances"] != 1:
        raise ArchiveError(
            Sentence(
                noop("There is no instance %(subdomain)s any more."),
                subdomain=instance.subdomain,
            )
        )
    owner = instance.owner
    return Manifest(
        instance_id=instance.id,
        subdomain=instance.subdomain,
        organization_name=instance.organization_name,
        owner_id=instance.owner_id,
        owner_email=owner.email if owner else None,
        schema=schema,
        migrations=migrations,
        snapshots={part: at.isoformat() for part, (_, at) in seen.items()},
        files=files,
    )


def _schema(instance: Instance, versions: Versions) -> tuple[str, dict[str, tuple[str, ...]]]:
    """The schema's version, and each database's migrations; both must be up to date."""
    apps = {table.model._meta.app_label for table in tables()}
    expected = {f"{app}.{name}" for app, name in versions.order if app in apps}
    alias = tenancy.alias_of(instance)
    platform = check_current(tenancy.POOL, expected, "The platform's database")
    own = platform
    if tenancy.is_silo(alias):
        own = check_current(alias, expected, f"The database of {instance.subdomain}")
    return label(versions.newest), {PLATFORM: platform, TENANT: own}


def _write_table(
    archive: zipfile.ZipFile, table: Table, conn: Session, instance_id: UUID, progress: Progress
) -> File:
    columns = tuple(column.name for column in table.lines.columns)
    path = f"{table.name}.jsonl"
    digest, rows = hashlib.sha256(), 0

    def watched() -> Iterator[bytes]:
        nonlocal rows
        for block in lines_of(conn, table, columns, instance_id):
            digest.update(block)
            rows += block.count(b"\n")
            progress(table.name, rows)
            yield block

    _entry(archive, path, watched())
    return File(path, table.name, table.part, columns, rows, digest.hexdigest())


def _entry(archive: zipfile.ZipFile, name: str, blocks: Iterable[bytes]) -> None:
    """One file of the archive."""
    # The same rows make the same file: no clock, nobody's rights.
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    with archive.open(info, "w", force_zip64=True) as entry:
        for block in blocks:
            entry.write(block)
