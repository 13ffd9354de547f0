"""Runs one benchmark: `python -m tests.benchmarks NAME [options]`."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path


def main(arguments: list[str]) -> None:
    """Runs the benchmark that the first argument names, with the others."""
    if not arguments or arguments[0] not in _names():
        sys.exit(f"usage: python -m tests.benchmarks {{{','.join(_names())}}} [options]")
    name, *options = arguments
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kitehub.settings")
    import django

    django.setup()
    benchmark = import_module(f"tests.benchmarks.{name}")
    if {"-h", "--help"} & set(options):
        benchmark.main(options)
    with _throwaway_database():
        benchmark.main(options)


def _names() -> list[str]:
    files = (path for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))
    return sorted(path.stem for path in files if "\ndef main(" in path.read_text("utf-8"))


@contextmanager
def _throwaway_database() -> Iterator[None]:
    """The default connection on a new database at the newest migration, dropped at the end."""
    from django.db import connection

    project: str = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = f"kitehub_benchmark_{os.getpid()}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(project, verbosity=0)


if __name__ == "__main__":
    main(sys.argv[1:])
