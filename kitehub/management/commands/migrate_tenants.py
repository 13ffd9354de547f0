"""`manage.py migrate_tenants`: brings the databases beside the pool up to date. docs/scaling.md."""

import json
import traceback
from argparse import ArgumentTypeError
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, transaction

from kitehub import tenancy
from kitehub.management.arguments import add_lock_timeout, instance_named
from kitehub.management.schema.outcome import Exit
from kitehub.management.silos import report
from kitehub.management.silos.obstacles import Lookout
from kitehub.management.silos.status import Standing, Survey
from kitehub.models import Instance
from kitehub.tenancy.fanout import Fanout, Misplaced, Result, Silo, State, gather, run_each
from kitehub.workflows import note_schemas

JOBS = 8
CANARIES = 5


class Command(BaseCommand):
    """Takes the silos of the instances, and tells what becomes of each."""

    help = (
        "Brings every database of instances outside the pool to the newest migration, several at a "
        "time. One that fails is rolled back, reported and skipped, and a second run goes on. Exit "
        "code 1 says that some failed."
    )
    # What is checked of the platform's database is migrate's affair.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Which instances, how many at a time, and whether to look only."""
        parser.add_argument(
            "--instance",
            action="append",
            default=[],
            metavar="SUBDOMAIN_OR_UUID",
            help="only this one's database; may be given again",
        )
        parser.add_argument(
            "--jobs",
            type=_count(1),
            default=JOBS,
            help=f"how many at a time (default {JOBS})",
        )
        parser.add_argument(
            "--canary",
            type=_count(0),
            default=CANARIES,
            metavar="N",
            help=f"go on once the first N succeeded (default {CANARIES}; 0: all at once)",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would run where, and change nothing"
        )
        parser.add_argument(
            "--status", action="store_true", help="say at which version each one is"
        )
        parser.add_argument(
            "--validate", action="store_true", help="with --status: compare each schema as well"
        )
        parser.add_argument("--json", action="store_true", help="print JSON")
        add_lock_timeout(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrates or looks; raises CommandError with one of the codes of Exit."""
        if options["validate"] and not options["status"]:
            raise CommandError("--validate goes with --status.", returncode=Exit.USAGE)
        if options["dry_run"] and options["status"]:
            raise CommandError("--status changes nothing anyway.", returncode=Exit.USAGE)
        silos, misplaced = gather(_instances(options["instance"]))
        if options["status"]:
            self._status(silos, [_no_standing(each) for each in misplaced], options)
        else:
            self._migrate(silos, [_no_result(each) for each in misplaced], options)

    def _migrate(self, silos: list[Silo], results: list[Result], options: dict[str, Any]) -> None:
        fanout = Fanout(
            jobs=options["jobs"],
            canaries=options["canary"],
            lock_timeout=options["lock_timeout"],
            dry_run=options["dry_run"],
            look=Lookout().look,
        )
        total = len(silos) + len(results)
        for result in results:
            self._tell(result, options)

        def tell(result: Result) -> None:
            results.append(result)
            self._tell(result, options)
            self._progress(len(results), total)

        try:
            fanout.run(silos, tell)
        finally:
            # An interrupted run says how far it came, too.
            self._progress(0, 0)
            if not options["dry_run"]:
                self._note(results)
            if options["json"]:
                self._say_json(report.run_json(results, dry_run=options["dry_run"]))
            else:
                self._say([*report.plan_lines(results), report.summary(results)])
        failed = sum(result.state is State.FAILED for result in results)
        held = sum(result.state is State.HELD for result in results)
        if failed:
            rest = f", and {held:,} {'was' if held == 1 else 'were'} held back" if held else ""
            raise CommandError(
                f"{failed:,} of {total:,} failed{rest}. Run this again once that is mended.",
                returncode=Exit.FAILED,
            )

    def _status(
        self, silos: list[Silo], standings: list[Standing], options: dict[str, Any]
    ) -> None:
        total = len(silos) + len(standings)

        def tell(standing: Standing) -> None:
            standings.append(standing)
            self._progress(len(standings), total)

        survey = Survey(validate=options["validate"])
        run_each(silos, survey.visit, jobs=options["jobs"], tell=tell)
        self._progress(0, 0)
        standings.sort(key=lambda standing: standing.silo.tenants)
        if options["json"]:
            self._say_json(report.status_json(standings))
        else:
            self._say(report.status_lines(standings))
        if failed := sum(bool(standing.error) for standing in standings):
            raise CommandError(f"{failed:,} of {total:,} can't be read.", returncode=Exit.FAILED)
        if differ := sum(bool(standing.drift or standing.unknown) for standing in standings):
            raise CommandError(
                f"{differ:,} of {total:,} differ from what the applied migrations make.",
                returncode=Exit.DIFFERS,
            )

    def _note(self, results: list[Result]) -> None:
        """What became of the silos, for the back office; never at the cost of this run."""
        try:
            with transaction.atomic():
                note_schemas(results)
        except DatabaseError as error:
            self.stderr.write(f"The back office was not told: {type(error).__name__}.")

    # --- Talking --------------------------------------------------------------------------------

    def _tell(self, result: Result, options: dict[str, Any]) -> None:
        if options.get("traceback") and result.cause:
            self.stderr.write("".join(traceback.format_exception(result.cause)))
        quiet = {State.TO_DO} if options["verbosity"] > 1 else {State.TO_DO, State.UP_TO_DATE}
        if not options["json"] and result.state not in quiet | {State.HELD}:
            self._progress(0, 0)
            self._say(report.result_lines(result))

    def _progress(self, done: int, total: int) -> None:
        """One line that is written over, for people; wiped where the total is 0."""
        if self.stderr.isatty():
            text = f"{done:,} of {total:,} silos" if total else ""
            self.stderr.write(f"\r\x1b[K{text}", self.style.NOTICE, ending="")
            self.stderr.flush()

    def _say(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.stdout.write(line)
        self.stdout.flush()

    def _say_json(self, data: dict[str, Any]) -> None:
        self._say([json.dumps(data, indent=2, ensure_ascii=False)])


def _instances(wanted: Sequence[str]) -> Iterable[tuple[str, Instance]]:
    """The instances by subdomain, the oldest first; raises CommandError for one that isn't there.

    Also for one in the pool, which this command has nothing to do with.
    """
    if not wanted:
        return [(row.subdomain, row) for row in Instance.objects.order_by("created_at", "id")]
    rows = [instance_named(text) for text in dict.fromkeys(wanted)]
    chosen = [(row.subdomain, row) for row in rows]
    for name, row in chosen:
        if not _in_silo(row):
            raise CommandError(
                f"{name} lives in the pool, which `manage.py migrate` brings up to date.",
                returncode=Exit.USAGE,
            )
    return chosen


def _in_silo(row: Instance) -> bool:
    try:
        return tenancy.is_silo(tenancy.alias_of(row))
    except tenancy.BadPlacement:
        return True  # reported with the others


def _nowhere(tenant: str) -> Silo:
    return Silo("", "no address", (tenant,))


def _no_result(found: Misplaced) -> Result:
    error = found.error
    return Result(_nowhere(found.tenant), State.FAILED, error=str(error), cause=error)


def _no_standing(found: Misplaced) -> Standing:
    return Standing(_nowhere(found.tenant), error=str(found.error))


def _count(least: int) -> Any:
    def count(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise ArgumentTypeError(f"{text!r} is no number from {least} on.")
        return int(text)

    return count
