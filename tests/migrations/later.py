"""Migrations of a test's own that come after an app's last one."""

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from django.db.migrations.loader import MigrationLoader
from django.test import override_settings

from kitehub.db.versions import MigrationKey

_HEAD = """
import datetime, time, uuid
import django.contrib.postgres.operations as postgres
from django.db import migrations, models
from kitehub.db.operations import *

USAGE = {"models": ("storage.StorageUsage",)}
"""


@contextmanager
def later(app: str, folder: Path, **bodies: str) -> Iterator[list[MigrationKey]]:
    """The app has these migrations too; a body is the class body, and before it what it needs.

    `folder` is where their files are written. Yields their keys.
    """
    loader = MigrationLoader(None)
    ((_, last),) = loader.graph.leaf_nodes(app)
    before = last
    module = f"later_{secrets.token_hex(4)}"
    own = import_module(MigrationLoader.migrations_module(app)[0])
    (folder / module).mkdir()
    init = f"__path__ = {[*own.__path__, str(folder / module)]!r}"
    (folder / module / "__init__.py").write_text(init, "utf-8")
    keys = []
    for number, (name, body) in enumerate(bodies.items(), start=9001):
        prelude, _, rest = body.rpartition("---")
        text = f"{_HEAD}\n{prelude}\nclass Migration(migrations.Migration):\n"
        # A squashed migration takes the place of all that come after the app's own.
        after = last if "replaces =" in rest else before
        text += f"    dependencies = [({app!r}, {after!r})]\n"
        text += "".join(f"    {line}\n" for line in rest.strip().splitlines())
        before = f"{number}_{name}"
        (folder / module / f"{before}.py").write_text(text, "utf-8")
        keys.append((app, before))
    sys.path.insert(0, str(folder))
    try:
        with override_settings(MIGRATION_MODULES={app: module}):
            yield keys
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.startswith(module)]:
            del sys.modules[name]
