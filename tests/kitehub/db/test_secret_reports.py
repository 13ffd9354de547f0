"""An error report shows what every function held, but not a database password."""

import sys
from collections.abc import Callable

import pytest
from django.db import transaction
from django.db.models import Q
from django.test import RequestFactory, override_settings
from django.views.debug import ExceptionReporter

from kitehub.db.secrets import Secret
from kitehub.models import Instance
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.db.sealed import NEW, OLD, store, stored

PASSWORD = "kho-du-lieu-2026"


@pytest.fixture(autouse=True)
def keys(settings, db):
    settings.KITEHUB_FIELD_KEYS = [OLD]


@pytest.fixture
def school() -> Instance:
    return InstanceFactory(database_password=PASSWORD, subdomain="sao-mai")


def duplicate(school: Instance, secret: Secret) -> None:
    twin = InstanceFactory.build(subdomain="sao-mai", database_password=secret, owner=school.owner)
    twin.save()


def duplicates_in_bulk(school: Instance, secret: Secret) -> None:
    fields = {"subdomain": "sao-mai", "owner": school.owner, "database_password": secret}
    Instance.objects.bulk_create([Instance(**fields), Instance(**fields)])


def too_long(school: Instance, secret: Secret) -> None:
    school.database_password = Secret(secret.reveal() * 20)
    school.save()


def invalid(school: Instance, secret: Secret) -> None:
    school.database_password = Secret(secret.reveal() * 20)
    school.full_clean()


def filtered(school: Instance, secret: Secret) -> None:
    Instance.objects.filter(database_password=secret)


def wrong_key(school: Instance, secret: Secret) -> None:
    found = Instance.objects.get(pk=school.pk)
    with override_settings(KITEHUB_FIELD_KEYS=[NEW]):
        found.database_password.reveal()


def plain_row(school: Instance, secret: Secret) -> None:
    rows = Instance.objects.values("database_password").get()
    found = Instance.objects.get()
    assert rows
    found.database_password.reveal()


def no_text(school: Instance, secret: Secret) -> None:
    Secret(f"{secret.reveal()}\ud800")


def plainly_created(school: Instance, secret: Secret) -> None:
    Instance.objects.create(
        subdomain="sao-mai", owner=school.owner, database_password=secret.reveal()
    )


def plainly_updated(school: Instance, secret: Secret) -> None:
    Instance.objects.update(database_password=secret.reveal() * 20)


def plainly_filtered(school: Instance, secret: Secret) -> None:
    Instance.objects.filter(Q(subdomain="x") | Q(database_password=secret.reveal()))


def plainly_named(school: Instance, secret: Secret) -> None:
    password = secret.reveal()
    raise LookupError(len(f"{password}!"))


def elsewhere(school: Instance, secret: Secret) -> None:
    kept = {"school": vars(school), "secret": secret, "rows": list(Instance.objects.values())}
    raise LookupError(len(kept))


FAILING = [
    duplicate,
    duplicates_in_bulk,
    too_long,
    invalid,
    filtered,
    wrong_key,
    plain_row,
    no_text,
]
FAILING += [elsewhere, plainly_created, plainly_updated, plainly_filtered, plainly_named]


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize(
    "failing",
    FAILING,
)
def test_error_reports_do_not_show_it(
    failing: Callable[..., None], debug: bool, school: Instance, settings
) -> None:
    settings.DEBUG = debug
    secret = Secret(PASSWORD)
    if failing is plain_row:
        store(school, PASSWORD)
    try:
        with transaction.atomic():
            failing(school, secret)
    except Exception:  # whatever it is, its report is what counts
        request = RequestFactory().get("/")
        reporter = ExceptionReporter(request, *sys.exc_info())
    reports = reporter.get_traceback_html() + reporter.get_traceback_text()
    assert f"in {failing.__name__}" in reports
    assert PASSWORD not in reports
    assert OLD not in reports
    if failing is wrong_key:
        assert stored(school) not in reports


def test_the_report_of_a_plain_text_would_show_it(school: Instance) -> None:
    """What the tests above can tell apart."""
    try:
        plain = PASSWORD
        raise LookupError(len(plain))
    except LookupError:
        reporter = ExceptionReporter(None, *sys.exc_info())
    assert PASSWORD in reporter.get_traceback_html()
