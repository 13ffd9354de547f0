"""`manage.py move_instance`: moves an instance to another database, or finishes such a move."""

import json
from argparse import ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    no_translations,
)

from kitehub.management.arguments import add_instance, instance_named
from kitehub.management.moves import in_words, move_as_data, one_line, plan_as_data
from kitehub.models import Instance
from kitehub.moving import abort, move, plan, purge

ACTOR = "manage.py move_instance"


class Command(BaseCommand):
    """Moves an instance's rows; safe to repeat, and to kill."""

    help = (
        "Moves an instance to the pool, to a database of its own, or to the database with an "
        "address. Run again, it finishes what was cut short. The source is kept until --purge."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which instance, where to, and what to do with what is left."""
        add_instance(parser)
        parser.add_argument(
            "--to", metavar="pool|silo[:SERVER]|postgres://…", help="where it lives then"
        )
        parser.add_argument(
            "--admin-url",
            default="",
            metavar="postgres://…",
            help="an administrator's database on another server, to make the target there",
        )
        parser.add_argument(
            "--refuse-for",
            type=_seconds,
            default=timedelta(seconds=60),
            metavar="SECONDS",
            help="refuse writes for no longer than this at a time (60)",
        )
        parser.add_argument(
            "--purge", action="store_true", help="remove what finished moves left at their sources"
        )
        parser.add_argument("--abort", action="store_true", help="give up a move before its switch")
        parser.add_argument("--dry-run", action="store_true", help="say what would be done")
        parser.add_argument("--json", action="store_true", help="the result, for programs")

    @no_translations  # commands speak English
    def handle(self, *args: Any, **options: Any) -> None:
        """Does one of these, and says what has become of the instance."""
        if not (options["to"] or options["purge"] or options["abort"]):
            raise CommandError("Say where to with --to, or give --purge or --abort.")
        if options["abort"] and (options["to"] or options["purge"]):
            raise CommandError("--abort goes alone.")
        if options["dry_run"] and not options["to"]:
            raise CommandError("--dry-run needs --to.")
        instance = instance_named(options["instance"])
        with one_line(instance):
            said = self._do(instance, options)
        if options["json"]:
            self.stdout.write(json.dumps({"subdomain": instance.subdomain, **said}))
            return
        self.stdout.write(f"{instance.subdomain} {said['result']}.")
        for line in in_words(said) if "rows" in said else ():
            self.stdout.write(f"  {line}")

    def _do(self, instance: Instance, options: dict[str, Any]) -> dict[str, Any]:
        if options["abort"]:
            ended = abort(instance=instance, admin_url=options["admin_url"], tell=self._tell)
            return {"result": "stays where it is", **move_as_data(ended)}
        if options["dry_run"]:
            planned = plan(instance=instance, to=options["to"], admin_url=options["admin_url"])
            return {"result": "would move", **plan_as_data(planned)}
        said: dict[str, Any] = {"result": "has nothing to remove"}
        if options["to"]:
            said = self._move(instance, options)
        if options["purge"]:
            instance.refresh_from_db()
            purged = purge(instance=instance, admin_url=options["admin_url"], tell=self._tell)
            said["purged"] = len(purged)
            if purged and not options["to"]:
                said["result"] = "left nothing at its old places"
        return said

    def _move(self, instance: Instance, options: dict[str, Any]) -> dict[str, Any]:
        moved = move(
            instance=instance,
            to=options["to"],
            actor=ACTOR,
            admin_url=options["admin_url"],
            refuse_for=options["refuse_for"],
            tell=self._tell,
        )
        if moved is None:
            return {"result": "lives there already"}
        return {"result": "has moved", **move_as_data(moved)}

    def _tell(self, line: str) -> None:
        self.stderr.write(line)


def _seconds(text: str) -> timedelta:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 3600:
        raise ArgumentTypeError(f"{text!r} is no number of seconds from 1 to 3600.")
    return timedelta(seconds=seconds)
