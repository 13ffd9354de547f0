"""`manage.py deprovision_instance`: closes a school, or opens a closed one again."""

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser, no_translations
from django.utils import timezone

from kitehub import workflows
from kitehub.management.arguments import instance_named
from kitehub.management.instances import (
    MENDABLE,
    InstanceCommand,
    duration,
    folder,
    line,
)
from kitehub.models import Tombstone

ACTOR = "manage.py deprovision_instance"


class Command(InstanceCommand):
    """Archives the school, hides it, and says when its data goes."""

    help = (
        "Closes a school: archives and hides it. deprovision_due drops its data once the grace time"
        " is over; until then --cancel opens it again. Safe to repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which school, where its archive goes, and when its data does."""
        parser.add_argument("instance", metavar="SUBDOMAIN_OR_UUID")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument(
            "--archive", type=folder, metavar="DIR", help="the folder that the archive goes to"
        )
        what.add_argument("--cancel", action="store_true", help="open the closed school again")
        when = parser.add_mutually_exclusive_group()
        when.add_argument(
            "--grace",
            type=duration,
            default=workflows.GRACE,
            metavar="TIME",
            help="how long it can be cancelled: 30d (the default), 12h, 45min",
        )
        when.add_argument(
            "--now", action="store_true", help="no grace time: drop the data in this run"
        )
        parser.add_argument("--reason", default="", help="why; kept with the tombstone")
        self.add_json(parser)

    @no_translations  # commands speak English
    def handle(self, *args: Any, **options: Any) -> None:
        """Closes it, or opens it again."""
        if len(options["reason"]) > 500 or "\x00" in options["reason"]:
            raise CommandError("A reason has at most 500 characters.")
        instance = instance_named(options["instance"], deleted=True)
        name = instance.subdomain
        try:
            if options["cancel"]:
                tombstone = workflows.cancel_deprovision(instance, actor=ACTOR)
                text = f"{name} is open again. Its archive stays in {tombstone.archive_path}."
            else:
                tombstone, text = self._close(instance, options)
        except MENDABLE as error:
            raise CommandError(f"{name}: {line(error)}") from error
        self.say(options, text, as_json(tombstone))

    def _close(self, instance: Any, options: dict[str, Any]) -> tuple[Tombstone, str]:
        progress = self.watcher()
        tombstone = workflows.deprovision(
            instance,
            archive_to=options["archive"],
            grace=timedelta(0) if options["now"] else options["grace"],
            reason=options["reason"],
            actor=ACTOR,
            progress=progress,
        )
        where = f"Its archive is {tombstone.archive_path}."
        if not options["now"]:
            due = f"{timezone.localtime(tombstone.deprovision_at):%Y-%m-%d %H:%M}"
            return tombstone, f"{instance.subdomain} is closed, and its data goes on {due}. {where}"
        # Also where it was closed before, with time that is now given up.
        done = workflows.drop_deprovisioned(
            tombstone, actor=ACTOR, at=tombstone.deprovision_at, progress=progress
        )
        return done.tombstone, f"{instance.subdomain} is closed, and its data is gone. {where}"


def as_json(tombstone: Tombstone) -> dict[str, Any]:
    """A tombstone for programs."""
    return {
        "instance": tombstone.instance_id,
        "deprovision_at": tombstone.deprovision_at.isoformat(),
        "archive": tombstone.archive_path,
        "sha256": tombstone.archive_sha256,
        "canceled": tombstone.canceled_at is not None,
        "dropped": tombstone.dropped_at is not None,
    }
