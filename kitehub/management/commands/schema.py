"""`manage.py schema`: the versions of the schema, for those who know Flyway. See docs/flyway.md."""

import argparse
import json
import sys
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, Error, connections

from kitehub.db.errors import explain
from kitehub.db.versions import label
from kitehub.management.arguments import add_lock_timeout
from kitehub.management.schema import baseline, clean, info, live, move, online, report, validate
from kitehub.management.schema.outcome import Exit, Refused, SchemaError


class Command(BaseCommand):
    """Parses the subcommands, prints what their functions return, and ends with their codes."""

    help = "Shows, moves, checks, takes over or drops the database schema by version (V0, V1, ...)."
    # The database may be empty or half-built, which is what this command is for.
    requires_system_checks = ()
    stealth_options = ("action",)

    def add_arguments(self, parser: CommandParser) -> None:
        """One parser for each subcommand."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="subcommand")
        _action(actions, "info", "list the versions, what is applied and when")
        to = _action(actions, "to", "go forward or back to a version")
        to.add_argument("version", help="V0 to the newest, or latest")
        to.add_argument("--yes", action="store_true", help="go without asking")
        to.add_argument(
            "--online",
            action="store_true",
            help="on the way to V9, build indexes while large tables are in use",
        )
        add_lock_timeout(to)
        _action(actions, "validate", "compare the schema with what the applied migrations make")
        take = _action(actions, "baseline", "take over a database that Flyway built")
        take.add_argument("--at", metavar="V6", help="its version, where Flyway left no history")
        take.add_argument("--table", help="Flyway's history, if it has another name")
        take.add_argument("--dry-run", action="store_true", help="check, and change nothing")
        drop = _action(actions, "clean", "drop what migrations made (with DJANGO_DEBUG on)")
        drop.add_argument("--yes", action="store_true", help="required: there is no way back")

    def handle(self, *args: Any, **options: Any) -> None:
        """Runs the subcommand; raises CommandError with one of the codes of Exit."""
        connection = connections[options["database"]]
        try:
            getattr(self, f"_{options['action']}")(connection, options)
        except SchemaError as error:
            if options["json"]:
                self._say_json({"error": str(error), "details": error.details})
            else:
                self._say(f"  {detail}" for detail in error.details)
            raise CommandError(str(error), returncode=error.code) from error
        except Error as error:
            if options.get("traceback"):
                raise
            raise CommandError(_line(error, connection.alias), returncode=Exit.FAILED) from error

    # --- One method for each subcommand --------------------------------------------------------

    def _info(self, connection: Any, options: dict[str, Any]) -> None:
        found = info.info(live.read(connection))
        self._print(options, report.info_lines(found), report.info_json(found))

    def _validate(self, connection: Any, options: dict[str, Any]) -> None:
        found = validate.validate(live.read(connection))
        self._print(options, report.validation_lines(found), report.validation_json(found))
        if not found.clean:
            count = report.counted(len(found.lines), "difference")
            raise CommandError(
                f"{count} from what the applied migrations make.", returncode=Exit.DIFFERS
            )

    def _to(self, connection: Any, options: dict[str, Any]) -> None:
        with live.alone(connection, lock_timeout=options["lock_timeout"]):
            before = live.read(connection)
            target = before.version(options["version"])
            way = move.plan(before, target)
            if not options["json"]:
                self._say(report.move_lines(way))
            if not way.empty:
                self._ask(options["yes"], target)
                tell = self._tell(options)
                if options["online"]:
                    online.shed(before, way, tell)
                move.go(before, way, tell=tell)
            if options["online"]:
                online.restore(connection, self._tell(options))
            done = f"At {label(target)}."
            self._print(options, [done], report.move_json(way, done=True))

    def _baseline(self, connection: Any, options: dict[str, Any]) -> None:
        dry_run = options["dry_run"]
        with live.alone(connection):
            before = live.read(connection)
            at = options["at"] and before.version(options["at"])
            found = baseline.baseline(before, at=at, table=options["table"], dry_run=dry_run)
        self._print(
            options,
            report.baseline_lines(found, dry_run=dry_run),
            report.baseline_json(found, dry_run=dry_run),
        )

    def _clean(self, connection: Any, options: dict[str, Any]) -> None:
        if not options["yes"]:
            raise Refused("clean drops every table that migrations made. Add --yes to do it.")
        with live.alone(connection):
            dropped = clean.clean(live.read(connection))
        self._print(options, report.clean_lines(dropped), report.clean_json(dropped))

    # --- Talking --------------------------------------------------------------------------------

    def _ask(self, confirmed: bool, target: int) -> None:
        if confirmed:
            return
        if not sys.stdin.isatty():
            raise Refused(
                f"Nothing was done: add --yes to go to {label(target)} without being asked."
            )
        self.stdout.write(f"Go to {label(target)}? [y/N] ", ending="")
        self.stdout.flush()
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            raise Refused("Nothing was done.")

    def _tell(self, options: dict[str, Any]) -> move.Tell:
        return (lambda line: None) if options["json"] else (lambda line: self._say([line]))

    def _print(self, options: dict[str, Any], lines: Iterable[str], data: dict[str, Any]) -> None:
        if options["json"]:
            self._say_json(data)
        else:
            self._say(lines)

    def _say(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.stdout.write(line)
        self.stdout.flush()

    def _say_json(self, data: dict[str, Any]) -> None:
        self._say([json.dumps(data, indent=2, ensure_ascii=False)])


def _line(error: Error, alias: str) -> str:
    said = next(iter(str(error).splitlines()), type(error).__name__)
    return explain(error, using=alias) or f"The database refused, and nothing was done: {said}."


def _action(actions: Any, name: str, what: str) -> CommandParser:
    parser: CommandParser = actions.add_parser(
        name, help=what, description=f"{what[0].upper()}{what[1:]}."
    )
    parser.add_argument(
        "--database",
        default=DEFAULT_DB_ALIAS,
        choices=tuple(connections),
        help="the alias of the database",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    # After the subcommand too; unset, what was said before it holds.
    parser.add_argument("--traceback", action="store_true", default=argparse.SUPPRESS)
    return parser
