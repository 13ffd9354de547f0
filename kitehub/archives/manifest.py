"""What an archive says of itself, and whether this code can read it."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_noop as noop

from kitehub.archives.errors import ArchiveError
from kitehub.archives.tables import Part
from kitehub.db.sentences import Sentence

NAME = "manifest.json"
FORMAT = "kitehub-instance"
VERSION = 1
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class File:
    """One table's rows: how many, in which columns, and the hash of the uncompressed file."""

    path: str
    table: str
    part: str
    columns: tuple[str, ...]
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The whole archive. Moments are ISO 8601 in UTC; one snapshot for each database."""

    instance_id: UUID
    subdomain: str
    organization_name: str
    owner_id: UUID
    owner_email: str | None
    schema: str
    migrations: Mapping[str, tuple[str, ...]]
    snapshots: Mapping[str, str]
    files: tuple[File, ...]

    @property
    def rows(self) -> int:
        """How many rows all files have."""
        return sum(file.rows for file in self.files)

    def of(self, part: Part) -> tuple[File, ...]:
        """The files of one part."""
        return tuple(file for file in self.files if file.part == part)

    def dump(self) -> bytes:
        """As it is written."""
        said = {
            "format": FORMAT,
            "format_version": VERSION,
            "instance": {
                "id": str(self.instance_id),
                "subdomain": self.subdomain,
                "organization_name": self.organization_name,
                "owner_id": str(self.owner_id),
                "owner_email": self.owner_email,
            },
            "schema": {"version": self.schema, "migrations": dict(self.migrations)},
            "snapshots": dict(self.snapshots),
            "files": [asdict(file) for file in self.files],
        }
        return json.dumps(said, indent=2, ensure_ascii=False).encode() + b"\n"


def parse(text: bytes) -> Manifest:
    """Reads a manifest; raises ArchiveError for what isn't one, or is of a format to come."""
    try:
        said = json.loads(text)
        if said["format"] != FORMAT:
            raise ArchiveError(
                Sentence(
                    noop("It is no archive of an instance: its format is %(format)s."),
                    format=str(said["format"]),
                )
            )
        if said["format_version"] != VERSION:
            raise ArchiveError(
                Sentence(
                    noop("It has format %(its)s, and this code reads format %(ours)s."),
                    its=str(said["format_version"]),
                    ours=str(VERSION),
                )
            )
        instance = said["instance"]
        return Manifest(
            instance_id=UUID(instance["id"]),
            subdomain=str(instance["subdomain"]),
            organization_name=str(instance["organization_name"]),
            owner_id=UUID(instance["owner_id"]),
            owner_email=instance["owner_email"],
            schema=str(said["schema"]["version"]),
            migrations={
                str(part): tuple(map(str, names))
                for part, names in said["schema"]["migrations"].items()
            },
            snapshots={str(part): str(at) for part, at in said["snapshots"].items()},
            files=tuple(_file(each) for each in said["files"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ArchiveError(
            Sentence(
                noop("Its %(file)s can't be read: %(error)s."),
                file=NAME,
                error=f"{type(error).__name__} {error}",
            )
        ) from error


def _file(said: dict[str, Any]) -> File:
    file = File(
        path=str(said["path"]),
        table=str(said["table"]),
        part=Part(said["part"]),
        columns=tuple(map(str, said["columns"])),
        rows=said["rows"],
        sha256=str(said["sha256"]),
    )
    if not isinstance(file.rows, int) or file.rows < 0 or not _SHA256.fullmatch(file.sha256):
        raise ValueError(f"{file.path} has no number of rows, or no SHA-256")
    return file
