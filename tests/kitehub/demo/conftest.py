"""The demo, loaded once for a module of tests."""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

# A Sunday evening in Vietnam.
AT = datetime(2026, 3, 1, 14, 30, tzinfo=UTC)
# What a demo has none of: it lives for minutes, or is of schools that move, leave or have programs.
ABSENT = {
    *("reservation", "apikey", "tombstone", "archiverun", "tierlimit"),
    *("instancegate", "instancechange", "instancemove", "instancesuspension"),
    *("email", "signinattempts", "statementmapping", "subscriptionadjustment"),
    *("note", "orderview", "manualpayment", "goodwill", "plannedmatch", "dailyfigure"),
    # The migrations' own, and what is kept of how people use the back office.
    *("staffrole", "securityevent", "signedinsession", "secondfactor"),
}
TABLES = sorted(
    model._meta.db_table
    for app in ("kitehub", "billing", "analytics", "branding", "storage")
    for model in apps.get_app_config(app).get_models()
    if model._meta.model_name not in ABSENT
)


@pytest.fixture(scope="module")
def demo(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[list[str]]:
    """What `manage.py demo` printed; its rows are there for the module's tests.

    They are committed, since every test has a transaction and a connection of its own, and each
    needs the mark `django_db`: without one pytest-django makes no test database.
    """
    printed = StringIO()
    with django_db_blocker.unblock():
        call_command("demo", "--no-silos", "--at", AT.isoformat(), stdout=printed)
    yield printed.getvalue().splitlines()
    with django_db_blocker.unblock():
        with connection.cursor() as cursor:
            # The append-only tables refuse it otherwise.
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(f"TRUNCATE {', '.join(TABLES)}, security_events CASCADE")
            cursor.execute("RESET session_replication_role")
        connection.close()
