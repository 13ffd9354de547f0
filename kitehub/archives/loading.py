"""Bringing an archive's rows into a database: all of them exactly, or none."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from billing.restoring import load_subscriptions
from kitehub import tenancy
from kitehub.archives.errors import ArchiveError
from kitehub.archives.manifest import File, Manifest
from kitehub.archives.reading import Archive, count, differences
from kitehub.archives.sessions import Session, recorded, session
from kitehub.archives.tables import Part, Table, tables
from kitehub.archives.writing import Progress
from kitehub.db.json_lines import Column, Lines, Staged
from kitehub.models import ArchiveRun, Instance, User
from storage.restoring import load_events, load_reservations, load_usage

Loader = Callable[[Staged, str], object]


def _load_plainly(staged: Staged, instance_id: str) -> None:
    staged.insert()


# Where triggers would write what the archive has as well. Configs come first, because the others'
# triggers look at them; the last ones are what triggers write to.
_LOADERS: dict[str, tuple[int, Loader]] = {
    "instances": (0, _load_plainly),
    "instance_configs": (0, _load_plainly),
    "storage_events": (1, load_events),
    "storage_reservations": (2, load_reservations),
    "storage_usage": (3, load_usage),
    # Last of the platform's, because others wait for it meanwhile.
    "subscriptions": (4, load_subscriptions),
    "subscription_history": (5, _load_plainly),
}
_USUAL = (1, _load_plainly)


@dataclass(frozen=True, slots=True)
class Place:
    """What an archive doesn't say of an instance: its name here, its owner, where it lives."""

    subdomain: str
    owner_id: UUID
    database_url: str
    database_username: str
    # As the column has it: encrypted, or empty.
    sealed_password: str


def check_free(archive: Archive, subdomain: str, owner: User | None) -> UUID:
    """The owner's id; raises ArchiveError for what this code can't read, or what is in the way."""
    said = archive.manifest
    _check_schema(said)
    if Instance.all_objects.filter(pk=said.instance_id).exists():
        raise ArchiveError(f"The instance {said.instance_id} exists already.")
    if Instance.all_objects.filter(subdomain=subdomain).exists():
        raise ArchiveError(f"The subdomain {subdomain} is taken; choose another one with --as.")
    domain = row_of(archive).get("custom_domain")
    if domain and Instance.all_objects.at_domain(domain).exists():
        raise ArchiveError(f"The domain {domain} is another school's.")
    if owner is not None:
        return owner.pk
    if not User.objects.filter(pk=said.owner_id).exists():
        raise ArchiveError(
            f"Its owner {said.owner_email or said.owner_id} isn't here; name one with --owner."
        )
    return said.owner_id


def row_of(archive: Archive) -> dict[str, Any]:
    """The instance's own row."""
    file = next((file for file in archive.manifest.files if file.table == "instances"), None)
    lines = b"".join(archive.blocks(file)).splitlines() if file else []
    try:
        row = json.loads(lines[0])
        if len(lines) != 1 or UUID(row["id"]) != archive.manifest.instance_id:
            raise ValueError("it is not of this instance")
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise ArchiveError(f"Its instance can't be read ({error}).") from error
    return dict(row)


def load(
    archive: Archive,
    place: Place,
    alias: str,
    parts: Sequence[Part],
    *,
    actor: str,
    sha256: str,
    progress: Progress,
    keep: bool = True,
) -> None:
    """Loads parts of an archive into a database, in one transaction.

    Raises ArchiveError where the rows don't fit in or differ afterwards from the archive's; then,
    and where `keep` is false, nothing stays.
    """
    with session(alias) as conn, _one_line(), conn.transaction(force_rollback=not keep):
        _check_empty(conn, archive.manifest, parts)
        _sanction(conn, archive.manifest.instance_id, actor=actor, sha256=sha256)
        expected: dict[str, str] = {}
        for part in parts:
            expected |= _load_part(conn, archive, part, place, progress)
        for part in parts:
            differ = differences(conn, archive.manifest, part, expected=expected)
            if differ:
                raise ArchiveError(
                    f"Its rows can't be kept exactly here: {', '.join(differ)} would differ."
                )
        conn.execute(
            "UPDATE archive_runs SET finished_at = clock_timestamp()"
            " WHERE instance_id = %s AND finished_at IS NULL",
            [archive.manifest.instance_id],
        )


def in_order(part: Part) -> list[Table]:
    """A part's tables; those that triggers write to come after those whose triggers they are."""
    return sorted((table for table in tables() if table.part is part), key=_when)


# --- Parts --------------------------------------------------------------------------------------


def _check_schema(said: Manifest) -> None:
    known = {table.name: table for table in tables()}
    here = set(recorded(tenancy.POOL))
    newer = sorted({name for names in said.migrations.values() for name in names} - here)
    if newer:
        raise ArchiveError(
            f"It is of a newer schema, {said.schema}: {newer[0]} is not applied here."
        )
    names = [file.table for file in said.files]
    if len(set(names)) != len(names):
        raise ArchiveError("It has a table twice.")
    for file in said.files:
        table = known.get(file.table)
        if table is None or table.part != file.part:
            raise ArchiveError(f"{file.path}: there is no such table here.")
        there = {column.name for column in table.lines.columns}
        strange = [name for name in file.columns if name not in there]
        if strange or "id" not in file.columns:
            name = strange[0] if strange else "id"
            raise ArchiveError(f"{file.path}: it has no column {name} here, or lacks it.")


def _check_empty(conn: Session, said: Manifest, parts: Sequence[Part]) -> None:
    for table in tables():
        if table.part in parts and count(conn, table, said.instance_id):
            raise ArchiveError(f"{table.name} has rows of this instance already.")


def _sanction(conn: Session, instance_id: UUID, *, actor: str, sha256: str) -> None:
    """Lets triggers leave archived rows alone; also the trace of who did this."""
    conn.execute(
        "INSERT INTO archive_runs (instance_id, kind, actor, archive_sha256)"
        " VALUES (%s, %s, %s, %s)",
        [instance_id, ArchiveRun.Kind.IMPORT, actor, sha256],
    )


def _when(table: Table) -> tuple[int, int, str]:
    phases = [_LOADERS.get(table.name, _USUAL)[0]]
    above = table
    while above.parent:
        above = above.parent
        phases.append(_LOADERS.get(above.name, _USUAL)[0])
    return max(phases), table.depth, table.name


def _load_part(
    conn: Session, archive: Archive, part: Part, place: Place, progress: Progress
) -> dict[str, str]:
    """Loads a part's tables; the hashes of those whose rows are others here."""
    files = {file.table: file for file in archive.manifest.of(part)}
    expected = {}
    for table in in_order(part):
        file = files.get(table.name)
        if file is None:
            continue
        if table.model is Instance:
            expected[table.name] = _load_instance(conn, archive, file, place)
        else:
            _load_table(conn, archive, file, table, progress)
    return expected


def _load_table(
    conn: Session, archive: Archive, file: File, table: Table, progress: Progress
) -> None:
    _, loader = _LOADERS.get(file.table, _USUAL)
    with conn.cursor() as cursor:
        staged = _lines(table, file).stage(cursor, _watched(archive, file, progress))
        loader(staged, str(archive.manifest.instance_id))
    progress(file.table, file.rows)


def _load_instance(conn: Session, archive: Archive, file: File, place: Place) -> str:
    """Loads the instance under its name and owner here; the hash that its line then has."""
    row = row_of(archive) | {"subdomain": place.subdomain, "owner_id": str(place.owner_id)}
    line = json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    table = next(table for table in tables() if table.name == file.table)
    with conn.cursor() as cursor:
        staged = _lines(table, file).stage(cursor, [line])
        staged.insert(
            database_url=place.database_url,
            database_username=place.database_username,
            database_password=place.sealed_password,
        )
    return hashlib.sha256(line).hexdigest()


def _lines(table: Table, file: File) -> Lines:
    known: dict[str, Column] = {column.name: column for column in table.lines.columns}
    return Lines(table.name, tuple(known[name] for name in file.columns))


def _watched(archive: Archive, file: File, progress: Progress) -> Iterator[bytes]:
    rows = 0
    for block in archive.blocks(file):
        rows += block.count(b"\n")
        progress(file.table, rows)
        yield block


@contextmanager
def _one_line() -> Iterator[None]:
    """Says what PostgreSQL thinks of a row that it doesn't take."""
    try:
        yield
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        said = error.diag
        where = f"{said.table_name}: " if said.table_name else ""
        detail = f" ({said.message_detail})" if said.message_detail else ""
        raise ArchiveError(
            f"Its rows don't fit in here: {where}{said.message_primary}{detail}"
        ) from error
