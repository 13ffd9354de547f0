"""`manage.py reconcile_storage`: are the stored bytes what the events say? See docs/storage.md."""

import argparse
import dataclasses
import json
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from kitehub.db.acting import acting
from storage import services
from storage.models import StorageEvent


class Command(BaseCommand):
    """Prints each drift, puts it right unless told not to, and lists sizes below 0."""

    help = (
        "Compares used and reserved bytes with the events and reservations behind them, and puts "
        "right what differs, by an adjustment in the trail. With --dry-run, exit code 1 says that "
        "something differs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which instance, whether to change anything, and how to print."""
        parser.add_argument("--instance", type=_uuid, metavar="UUID", help="only this instance")
        parser.add_argument("--dry-run", action="store_true", help="say it, and change nothing")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compares, puts right, prints."""
        instance_id, dry_run = options["instance"], options["dry_run"]
        compare = services.drifts if dry_run else _reconcile
        found = compare(instance_id=instance_id)
        negative = StorageEvent.objects.negative().order_by("created_at", "id")
        if instance_id:
            negative = negative.of_instance(instance_id)
        self._print(found, list(negative), options)
        if dry_run and found:
            raise CommandError(f"Instances that differ from their events: {len(found)}.")

    def _print(
        self, found: list[services.Drift], negative: list[StorageEvent], options: dict[str, Any]
    ) -> None:
        if options["json"]:
            data = {
                "corrected": not options["dry_run"],
                "drifts": [_as_json(drift) for drift in found],
                "negative_sizes": [str(event.pk) for event in negative],
            }
            self.stdout.write(json.dumps(data, indent=2))
            return
        for drift in found:
            self.stdout.write(f"{drift.instance_id}: {drift}")
        for event in negative:
            self.stdout.write(
                f"{event.instance_id}: event {event.pk} has a negative size: "
                f"{event.operation} of {event.file_size_bytes}"
            )
        if not found:
            self.stdout.write("Every sum is that of its rows.")
        elif not options["dry_run"]:
            self.stdout.write(f"Put right: {len(found)}.")


def _reconcile(*, instance_id: UUID | None) -> list[services.Drift]:
    """An instance at a time, each in a transaction that says who did it."""
    put_right: list[services.Drift] = []
    for drift in services.drifts(instance_id=instance_id):
        with transaction.atomic(), acting("manage.py reconcile_storage"):
            put_right += services.reconcile(instance_id=drift.instance_id)
    return put_right


def _as_json(drift: services.Drift) -> dict[str, Any]:
    data = dataclasses.asdict(drift)
    return {**data, "instance_id": str(drift.instance_id), "true_used": drift.true_used}


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no UUID") from None
