"""Which user of the operating system PostgreSQL runs as, and what that user can reach.

PostgreSQL refuses to run as root. Where we are root, it runs as the owner of its data: `nobody`
for data made here, so that no user has to be added. That user must be able to pass through the
folders above the data and the programs; those that it can't get `o+x`, never more, and it is said.
"""

import logging
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kitehub.db.errors import EmbeddedServerError

logger = logging.getLogger("kitehub.db.embedded")

ROOT = 0


@dataclass(frozen=True)
class Account:
    """The user that PostgreSQL's programs run as; without ids, the one that we are."""

    uid: int | None = None
    gid: int | None = None

    @property
    def popen(self) -> dict[str, Any]:
        """The arguments that make subprocess run a program as this user."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Gives a file, or a folder without what is in it, to this user."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def claim(self, folder: Path) -> None:
        """Sees to it that nobody else can put a socket into a folder with a name that is known.

        Raises EmbeddedServerError if it is another user's, or open to others.
        """
        found = folder.lstat()
        if found.st_uid == os.geteuid():
            self.own(folder)
        elif found.st_uid != self.uid:
            raise EmbeddedServerError(f"The folder {folder} belongs to another user; remove it.")
        if not stat.S_ISDIR(found.st_mode) or stat.S_IMODE(found.st_mode) != 0o700:
            raise EmbeddedServerError(f"{folder} is not a private folder; remove it.")

    def require_name(self) -> None:
        """Raises EmbeddedServerError where this user has no name, without which initdb won't work.

        The server itself needs none, so data that was made elsewhere is served all the same.
        """
        uid = os.geteuid() if self.uid is None else self.uid
        try:
            pwd.getpwuid(uid)
        except KeyError:
            raise EmbeddedServerError(
                f"The user id {uid} has no entry in /etc/passwd, and PostgreSQL makes a data "
                "folder only for a user with a name. Add an entry for it, or set DATABASE_URL."
            ) from None

    def make_reachable(self, *paths: Path) -> None:
        """Lets this user pass through the folders above each path."""
        if self.uid is None:
            return
        for path in paths:
            for folder in path.parents:
                self._let_through(folder)

    def _let_through(self, folder: Path) -> None:
        found = folder.stat()
        if found.st_uid == self.uid:
            needed = stat.S_IXUSR
        elif found.st_gid == self.gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if found.st_mode & needed:
            return
        logger.info("chmod %s %s, so that PostgreSQL reaches its files", _spell(needed), folder)
        folder.chmod(stat.S_IMODE(found.st_mode) | needed)


def server_account(folder: Path) -> Account:
    """The account for a server whose data is, or will be, in a folder."""
    if os.geteuid() != ROOT:
        return Account()
    owner = folder.stat().st_uid
    try:
        entry = pwd.getpwnam("nobody") if owner == ROOT else pwd.getpwuid(owner)
    except KeyError:
        raise EmbeddedServerError(
            f"PostgreSQL doesn't run as root, and the owner of {folder} is no user of this "
            "machine. Run as an ordinary user, or set DATABASE_URL."
        ) from None
    return Account(entry.pw_uid, entry.pw_gid)


def foreign_owner(folder: Path) -> str | None:
    """The name of the user whose folder this is, if that keeps us from using it."""
    owner = folder.stat().st_uid
    if os.geteuid() in {ROOT, owner}:
        return None
    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:
        return str(owner)


def _spell(bit: int) -> str:
    return {stat.S_IXUSR: "u+x", stat.S_IXGRP: "g+x", stat.S_IXOTH: "o+x"}[bit]
