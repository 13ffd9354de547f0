"""A school's rows in one file, out of the database and back in.

An archive is a zip with one file of JSON Lines for each table and `manifest.json`, which says what
each file holds and how it hashes. docs/scaling.md has the format and what it leaves out.
"""

from kitehub.archives.errors import ArchiveError
from kitehub.archives.loading import Place, check_free, load, row_of
from kitehub.archives.manifest import Manifest
from kitehub.archives.reading import Archive, differences, opened
from kitehub.archives.tables import TENANT, Part, Table, tables
from kitehub.archives.writing import Progress, Written, file_digest, quiet, write

__all__ = [
    "TENANT",
    "Archive",
    "ArchiveError",
    "Manifest",
    "Part",
    "Place",
    "Progress",
    "Table",
    "Written",
    "check_free",
    "differences",
    "file_digest",
    "load",
    "opened",
    "quiet",
    "row_of",
    "tables",
    "write",
]
