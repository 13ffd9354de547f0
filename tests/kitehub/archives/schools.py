"""A school with rows in every table, and what its archive looks like inside."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connections, transaction

from billing.enums import SubscriptionStatus
from kitehub import tenancy, workflows
from kitehub.db.acting import acting
from kitehub.enums import Tier
from kitehub.models import Instance, InstanceConfig
from kitehub.plans import GIB, PLANS
from storage.enums import StorageOperation
from storage.models import StorageUsage
from tests.factories.analytics import GuestEventFactory, GuestSessionFactory
from tests.factories.billing import PaymentOrderFactory, SubscriptionFactory
from tests.factories.branding import BrandingJobFactory
from tests.factories.storage import ReservationFactory, StorageEventFactory

TABLES = {
    *("branding_jobs", "instances", "payment_orders", "subscription_history", "subscriptions"),
    *("guest_events", "guest_sessions", "instance_configs"),
    *("storage_events", "storage_reservations", "storage_usage"),
}
# Quotes, backslashes, an escape that is none, line ends that only some know, and much of Unicode.
ODD = "\"'\\ \\u0000 \n\r\t\x01\x7f \u2028\u2029\x85 🦜 e\u0301 \uffff"
SENT = datetime(2026, 3, 1, 7, 8, 9, 123456, tzinfo=UTC)


def full(school: Instance) -> Instance:
    """Gives a saved school rows in every table, among them what triggers would change."""
    with transaction.atomic(), acting("lan@kitehub.test", "bán hàng"):
        paid = SubscriptionFactory(instance=school, tier=Tier.STANDARD)
        PaymentOrderFactory(instance=school, paid=True)
        PaymentOrderFactory(instance=school, expires_at=SENT)
        BrandingJobFactory(instance=school, completed=True)
        paid.status = SubscriptionStatus.PAST_DUE
        paid.save()
    alias = tenancy.alias_of(school)
    with tenancy.use(school), tenancy.atomic():
        plan = PLANS[Tier.STANDARD]
        InstanceConfig.objects.create(
            tier=plan.tier, features=dict(plan.features), limitations={"maxStudents": 1.50}
        )
        visit = GuestSessionFactory(instance_id=school.id)
        GuestEventFactory(instance_id=school.id, session_id=visit.session_id, timestamp=SENT)
        GuestEventFactory(instance_id=school.id, metadata=None)
        odd = GuestEventFactory(
            instance_id=school.id, course_name=ODD, metadata={ODD: [ODD, 10**40]}
        )
        for size in (5_000, 70_000, 2**45):
            StorageEventFactory(instance_id=school.id, file_size_bytes=size)
        for operation, size in (
            (StorageOperation.DELETE, 2**45),
            (StorageOperation.DELETE, 90_000),
        ):
            StorageEventFactory(instance_id=school.id, operation=operation, file_size_bytes=size)
        StorageEventFactory(instance_id=school.id, file_size_bytes=4_000)
        ReservationFactory(instance_id=school.id, size_bytes=GIB)
        # A smaller tier than what is stored and reserved.
        StorageUsage.objects.update(limit_bytes=1_000, last_updated=SENT)
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "INSERT INTO guest_events (session_id, instance_id, event_type, metadata)"
            " VALUES ('json-null', %s, 'x', 'null')",
            [school.id],
        )
        cursor.execute("UPDATE guest_events SET timestamp = 'infinity' WHERE id = %s", [odd.id])
    return school


def export(school: Instance, folder: Path, name: str = "a.zip") -> Path:
    """The school's archive."""
    return workflows.export_instance(school, to=folder / name).path


def files(path: Path) -> dict[str, bytes]:
    """What is in an archive's files of rows."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if "manifest" not in name}


def manifest(path: Path) -> dict[str, Any]:
    """What an archive says of itself."""
    with zipfile.ZipFile(path) as archive:
        said: dict[str, Any] = json.loads(archive.read("manifest.json"))
        return said


def rows(path: Path, table: str) -> list[dict[str, Any]]:
    """A table's rows."""
    return [json.loads(line) for line in files(path)[f"{table}.jsonl"].split(b"\n")[:-1]]


def erase(school: Instance, *, platform: bool = True) -> None:
    """Takes a school's rows away as no command may, as if this were another server."""
    alias = tenancy.alias_of(school)
    with transaction.atomic(alias), connections[alias].cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table in sorted(TABLES - PLATFORM):
            cursor.execute(f"DELETE FROM {table} WHERE instance_id = %s", [school.id])
    if not platform:
        return
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "DELETE FROM subscription_history WHERE subscription_id IN"
            " (SELECT id FROM subscriptions WHERE instance_id = %s)",
            [school.id],
        )
        for table in ("subscriptions", "payment_orders", "branding_jobs"):
            cursor.execute(f"DELETE FROM {table} WHERE instance_id = %s", [school.id])
        cursor.execute("DELETE FROM instances WHERE id = %s", [school.id])


PLATFORM = {
    *("branding_jobs", "instances", "payment_orders", "subscription_history", "subscriptions"),
}
SHORTLY = timedelta(minutes=5)


def rewritten(
    path: Path,
    change: Callable[[dict[str, Any], dict[str, bytes]], object],
    *,
    honest: bool = True,
) -> Path:
    """Another archive, in which manifest and files are changed; an honest one hashes them anew."""
    said, texts = manifest(path), files(path)
    change(said, texts)
    if honest:
        for file in said["files"]:
            text = texts.get(file["path"], b"")
            file |= {"sha256": hashlib.sha256(text).hexdigest(), "rows": text.count(b"\n")}
    to = path.with_name(f"rewritten-{path.name}")
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
        archive.writestr("manifest.json", json.dumps(said))
    return to
