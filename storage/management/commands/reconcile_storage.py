"""`manage.py reconcile_storage`: are the stored bytes what the events say? See docs/storage.md."""

import dataclasses
import json
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from kitehub import tenancy
from kitehub.db.acting import acting
from kitehub.models import Instance
from storage import services


class Command(BaseCommand):
    """Prints each drift, in the pool and in every silo, and puts it right unless told not to."""

    help = (
        "Compares used and reserved bytes with the events and reservations behind them, and puts "
        "right what differs, by an adjustment in the trail. With --dry-run, exit code 1 says that "
        "something differs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which instance, whether to change anything, and how to print."""
        parser.add_argument("--instance", metavar="SUBDOMAIN_OR_UUID", help="only this instance")
        parser.add_argument("--dry-run", action="store_true", help="say it, and change nothing")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compares, puts right, prints."""
        work = services.drifts if options["dry_run"] else _reconcile
        found: list[services.Drift] = []
        failed: list[str] = []
        for home, instance_id in _homes(options["instance"]):
            try:
                with tenancy.use(home) if home else nullcontext():
                    found += work(instance_id=instance_id)
            except (Error, ImproperlyConfigured, tenancy.WritesRefused) as error:
                reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
                failed.append(f"{home.subdomain if home else 'The pool'}: {reason}")
        self._print(found, failed, options)
        if failed:
            raise CommandError(f"Databases that could not be reconciled: {len(failed)}.")
        if options["dry_run"] and found:
            raise CommandError(f"Instances that differ from their events: {len(found)}.")

    def _print(
        self, found: list[services.Drift], failed: list[str], options: dict[str, Any]
    ) -> None:
        if options["json"]:
            data = {
                "corrected": not options["dry_run"],
                "drifts": [_as_json(drift) for drift in found],
                "failed": failed,
            }
            self.stdout.write(json.dumps(data, indent=2, ensure_ascii=False))
            return
        for drift in found:
            self.stdout.write(f"{drift.instance_id}: {drift}")
        for line in failed:
            self.stdout.write(line)
        if not found and not failed:
            self.stdout.write("Every sum is that of its rows.")
        elif found and not options["dry_run"]:
            self.stdout.write(f"Put right: {len(found)}.")


def _homes(named: str | None) -> Iterator[tuple[Instance | None, UUID | None]]:
    """Where to look, and for which instance: the pool as a whole, then each silo's instances.

    Rows in the pool may be of an id that is no instance any more, so an id need not be one's.
    """
    if named is not None:
        instance = Instance.all_objects.named(named).first()
        if instance is None:
            yield None, _uuid(named)
        else:
            yield instance, instance.pk
        return
    yield None, None
    for instance in Instance.objects.order_by("created_at", "id"):
        if tenancy.alias_of(instance) != tenancy.POOL:
            yield instance, instance.pk


def _reconcile(*, instance_id: UUID | None) -> list[services.Drift]:
    """An instance at a time, each in a transaction that says who did it."""
    put_right: list[services.Drift] = []
    for drift in services.drifts(instance_id=instance_id):
        with tenancy.atomic() as alias, acting("manage.py reconcile_storage", using=alias):
            put_right += services.reconcile(instance_id=drift.instance_id)
    return put_right


def _as_json(drift: services.Drift) -> dict[str, Any]:
    data = dataclasses.asdict(drift)
    return {**data, "instance_id": str(drift.instance_id), "true_used": drift.true_used}


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise CommandError(f"There is no instance {text}.") from None
