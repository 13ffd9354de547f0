"""Opening an archive: nothing of it is believed before every hash fits."""

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from django.utils.translation import gettext_noop as noop
from psycopg import sql

from kitehub.archives import manifest
from kitehub.archives.errors import ArchiveError
from kitehub.archives.manifest import File, Manifest
from kitehub.archives.sessions import Session
from kitehub.archives.tables import Part, Table, tables
from kitehub.archives.writing import lines_of
from kitehub.db.sentences import Sentence

# What zipfile raises for what is cut short, damaged or not made by us.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    UnicodeError,
    ValueError,
    OSError,
)
_BLOCK = 256 * 1024
# The manifest is read whole; ours has some kilobytes.
_LONGEST_MANIFEST = 8 * 1024 * 1024


class Archive:
    """An archive that is open, and has been verified."""

    def __init__(self, path: Path, file: zipfile.ZipFile) -> None:
        self.path = path
        self._zip = file
        names = file.namelist()
        if names.count(manifest.NAME) != 1:
            raise ArchiveError(Sentence(noop("It has no %(file)s."), file=manifest.NAME))
        if file.getinfo(manifest.NAME).file_size > _LONGEST_MANIFEST:
            raise ArchiveError(
                Sentence(noop("Its %(file)s is too large to be ours."), file=manifest.NAME)
            )
        self.manifest: Manifest = manifest.parse(file.read(manifest.NAME))
        expected = [manifest.NAME, *(each.path for each in self.manifest.files)]
        if sorted(names) != sorted(expected) or len(set(names)) != len(names):
            raise ArchiveError(
                Sentence(noop("It holds other files than its %(file)s says."), file=manifest.NAME)
            )

    def blocks(self, file: File) -> Iterator[bytes]:
        """A table's lines, in blocks; raises ArchiveError at the end where hash or count is off."""
        digest, rows, last = hashlib.sha256(), 0, b"\n"
        with self._zip.open(file.path) as entry:
            while block := entry.read(_BLOCK):
                digest.update(block)
                rows += block.count(b"\n")
                last = block
                yield block
        if digest.hexdigest() != file.sha256:
            raise ArchiveError(
                Sentence(
                    noop("%(file)s is not what was archived: its hash differs."),
                    file=file.path,
                )
            )
        if rows != file.rows or not last.endswith(b"\n"):
            raise ArchiveError(
                Sentence(
                    noop("%(file)s is not what was archived: %(rows)s rows rather than %(said)s."),
                    file=file.path,
                    rows=rows,
                    said=file.rows,
                )
            )

    def verify(self, progress: Callable[[str, int], None]) -> None:
        """Reads everything; raises ArchiveError where anything differs from the manifest."""
        for file in self.manifest.files:
            for _ in self.blocks(file):
                pass
            progress(file.table, file.rows)


@contextmanager
def opened(path: Path, *, progress: Callable[[str, int], None]) -> Iterator[Archive]:
    """An archive all of whose hashes fit; raises ArchiveError, with the file's name."""
    with saying(path):
        file = zipfile.ZipFile(path)
    with file:
        with saying(path):
            archive = Archive(path, file)
            archive.verify(progress)
        yield archive


@contextmanager
def saying(path: Path) -> Iterator[None]:
    """Turns whatever a broken file raises into an ArchiveError that names it."""
    try:
        yield
    except ArchiveError as error:
        raise ArchiveError(Sentence("%(path)s: %(error)s", path=path, error=error)) from error
    except FileNotFoundError as error:
        raise ArchiveError(Sentence(noop("%(path)s is not there."), path=path)) from error
    except zipfile.BadZipFile as error:
        raise ArchiveError(
            Sentence(
                noop("%(path)s: It is no whole zip file (%(error)s)."),
                path=path,
                error=error,
            )
        ) from error
    except _BROKEN as error:
        raise ArchiveError(
            Sentence(noop("%(path)s: It can't be read (%(error)s)."), path=path, error=error)
        ) from error


def differences(
    conn: Session,
    said: Manifest,
    part: Part,
    *,
    expected: dict[str, str] | None = None,
    whole: bool = False,
) -> list[str]:
    """The tables of a part whose rows in the database are not those of the archive, byte for byte.

    `expected` are other hashes than the manifest's, by table. With `whole`, a table with
    columns that the archive lacks differs too.
    """
    known = {table.name: table for table in tables()}
    found = []
    for file in said.of(part):
        table = known.get(file.table)
        there = {column.name for column in table.lines.columns} if table else set()
        if (
            table is None
            or not there >= set(file.columns)
            or (whole and len(there) > len(file.columns))
        ):
            found.append(file.table)
            continue
        digest = hashlib.sha256()
        for block in lines_of(conn, table, file.columns, said.instance_id):
            digest.update(block)
        if digest.hexdigest() != (expected or {}).get(file.table, file.sha256):
            found.append(file.table)
    return [*found, *_unarchived(conn, said, part)]


def _unarchived(conn: Session, said: Manifest, part: Part) -> list[str]:
    """Tables with rows of the instance that the archive doesn't know: they are newer."""
    there = {file.table for file in said.files}
    return [
        table.name
        for table in tables()
        if table.part is part and table.name not in there and count(conn, table, said.instance_id)
    ]


def count(conn: Session, table: Table, instance_id: UUID) -> int:
    """How many rows of a table are about the instance."""
    query = sql.SQL("SELECT count(*) FROM {} WHERE {}").format(
        sql.Identifier(table.name), table.rows_of(instance_id)
    )
    row = conn.execute(query).fetchone()
    return int(row[0]) if row else 0
