"""`manage.py import_statement`: books what a bank's statement says and no feed told."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, no_translations
from django.utils import timezone

from billing.enums import StatementOutcome
from billing.models import StatementMapping
from billing.services.statements import (
    ImportResult,
    StatementRefused,
    import_statement,
    mapping_named,
    save_mapping,
)
from billing.statements import BadMapping, Mapping, Role, Unreadable, preview

ACTOR = "manage.py import_statement"


class Command(BaseCommand):
    """Reads the file, imports it, and says row by row what can't be read."""

    help = (
        "Imports a bank statement, CSV or XLSX. Lines that a feed or an earlier statement told are "
        "not booked again, so a file may be imported any number of times."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, its account, and which column is what."""
        parser.add_argument("file", type=Path, help="the statement: .csv or .xlsx, up to 10 MB")
        parser.add_argument("--account", required=True, help="the number of its account")
        parser.add_argument(
            "--mapping", help="the saved format that says which column is what; guessed without"
        )
        parser.add_argument("--save-mapping", metavar="NAME", help="keep the format under a name")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be done, and change nothing"
        )

    @no_translations  # commands speak English
    def handle(self, **options: Any) -> None:
        """Imports, then prints what became of the lines; ends with 1 if a row can't be read."""
        file: Path = options["file"]
        try:
            data = file.read_bytes()
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from None
        try:
            mapping = self._mapping(data, file.name, options["mapping"])
            if mapping and Role.MEMO not in mapping.columns:
                self.stderr.write(
                    "Warning: no column was taken for the memo. Without memos there are no order"
                    " codes, and each line waits for a person."
                )
            result = import_statement(
                data=data,
                filename=file.name,
                mapping=mapping,
                account_number=options["account"],
                actor=ACTOR,
                at=timezone.now(),
                dry_run=options["dry_run"],
            )
        except (Unreadable, StatementRefused, BadMapping) as error:
            raise CommandError(f"{file}: {error}") from None
        if options["save_mapping"] and mapping and not options["dry_run"]:
            save_mapping(name=options["save_mapping"], mapping=mapping, actor=ACTOR)
        self._say(result)

    def _mapping(self, data: bytes, filename: str, name: str | None) -> Mapping | None:
        if name:
            try:
                return mapping_named(name)
            except StatementMapping.DoesNotExist:
                raise CommandError(f"There is no format {name!r}.") from None
        mapping = preview(data, filename).mapping
        for role, header in mapping.columns.items() if mapping else ():
            self.stdout.write(f"{role.value}: {header}")
        return mapping

    def _say(self, result: ImportResult) -> None:
        for problem in result.problems:
            self.stderr.write(f"Row {problem}")
        new, told, known = (result.count(outcome) for outcome in StatementOutcome)
        self.stdout.write(
            f"Account {result.account_number}. Lines: {new:,} new,"
            f" {told:,} that a feed told before, {known:,} of an earlier statement."
        )
        if result.dry_run:
            self.stdout.write("Nothing was changed.")
        if result.problems:
            raise CommandError(f"{len(result.problems)} rows can't be read.")
