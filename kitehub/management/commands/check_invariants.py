"""`manage.py check_invariants`: finds rows that no trigger or constraint has kept right."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from kitehub import tenancy
from kitehub.db.invariants import Finding, findings, validate_constraints
from kitehub.management.arguments import instance_named
from kitehub.management.schema import live


class Command(BaseCommand):
    """Prints what the checks find; exit code 1 if anything is broken."""

    help = (
        "Finds rows that triggers and constraints could not keep right: written before them, or "
        "past them by replication. Changes nothing without --validate. Exit code 1 says that "
        "something is broken."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which database, what to print, and whether to validate constraints."""
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--database", default=DEFAULT_DB_ALIAS, choices=tuple(connections), help="its alias"
        )
        which.add_argument(
            "--instance", metavar="SUBDOMAIN_OR_UUID", help="the database that this one lives in"
        )
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument(
            "--validate",
            action="store_true",
            help="validate first the constraints that no row breaks any more",
        )

    def handle(self, **options: Any) -> None:
        """Checks and prints."""
        if options["instance"]:
            instance = instance_named(options["instance"])
            with tenancy.use(instance):
                self._check(connections[tenancy.alias_of(instance)], options)
        else:
            self._check(connections[options["database"]], options)

    def _check(self, connection: BaseDatabaseWrapper, options: dict[str, Any]) -> None:
        if live.read(connection).pending:
            raise CommandError(
                "The database is not at the newest version: run manage.py migrate or, for a silo, "
                "migrate_tenants first."
            )
        validated = validate_constraints(connection) if options["validate"] else []
        found = findings(connection)
        broken = [finding for finding in found if finding.broken]
        if options["json"]:
            report = {
                "clean": not broken,
                "validated": validated,
                "findings": [asdict(finding) for finding in found],
            }
            self.stdout.write(json.dumps(report, indent=2, ensure_ascii=False))
        else:
            for line in _lines(validated, found):
                self.stdout.write(line)
        if broken:
            raise CommandError(f"Broken: {len(broken)}.")
        if not options["json"]:
            self.stdout.write("Nothing is broken.")


def _lines(validated: list[str], found: list[Finding]) -> Iterator[str]:
    for name in validated:
        yield f"Validated {name}."
    for finding in found:
        label = "" if finding.broken else "note: "
        count = f" ({finding.count:,})" if finding.count else ""
        yield f"{label}{finding.table}: {finding.what}{count}"
        for row in finding.rows:
            yield f"  {row}"
        if finding.count > len(finding.rows):
            yield f"  and {finding.count - len(finding.rows):,} more"
