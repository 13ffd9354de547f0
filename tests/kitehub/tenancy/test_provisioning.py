"""Opening a school: all of it or what is missing of it, and a database that is its own."""

import os
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.utils import timezone

from billing.models import Subscription, SubscriptionHistory
from kitehub import tenancy, workflows
from kitehub.db import catalog
from kitehub.enums import Tier
from kitehub.models import ApiKey, Instance, InstanceConfig, User
from kitehub.plans import GIB
from kitehub.services import api_keys
from kitehub.tenancy import provisioning
from kitehub.tenancy.connections import close_all
from storage.models import StorageUsage
from tests import programs
from tests.factories.kitehub import UserFactory
from tests.migrations.databases import url

ENVIRONMENT = {"DJANGO_SETTINGS_MODULE": "kitehub.settings", "DJANGO_DEBUG": "on"}

# What is done to a silo, in order; each name is patched to die when it begins or once it is done.
STEPS = [
    "provisioning.ensure_template",
    "provisioning._make_template",
    "provisioning.ensure_role",
    "provisioning.ensure_database",
    "opening.fill",
    "api_keys.issue_first",
]
KILLED = """
import os
import django
django.setup()
from kitehub import workflows
from kitehub.services import api_keys
from kitehub.tenancy import provisioning
from kitehub.workflows import opening
from kitehub.models import User
module, name = {step!r}.split(".")
module = globals()[module]
whole = getattr(module, name)
def dying(*args, **kwargs):
    if {after}:
        whole(*args, **kwargs)
    os._exit(9)
setattr(module, name, dying)
owner = User.objects.get(email={owner!r})
workflows.open_instance(
    subdomain="sao-mai", organization_name="Sao Mai", owner=owner, actor="t", silo=True
)
"""


@pytest.fixture
def owner(transactional_db: None) -> Iterator[User]:
    """Somebody who opens schools, which are gone afterwards with their databases."""
    yield UserFactory()
    close_all()
    with provisioning.administration() as admin:
        for school in Instance.all_objects.exclude(database_username=""):
            provisioning.drop(admin, tenancy.database_of(school), school.database_username)


@pytest.fixture(scope="module", autouse=True)
def _no_template_left() -> Iterator[None]:
    yield
    with provisioning.administration() as admin:
        provisioning.drop_templates(admin)


def open_silo(owner: User, subdomain: str = "sao-mai", tier: Tier = Tier.STANDARD) -> Instance:
    return open_with_key(owner, subdomain, tier).instance


def open_with_key(
    owner: User, subdomain: str = "sao-mai", tier: Tier = Tier.STANDARD
) -> workflows.Opened:
    return workflows.open_instance(
        subdomain=subdomain,
        organization_name="Sao Mai",
        owner=owner,
        tier=tier,
        silo=True,
        actor="sales@kitehub.test",
    )


def assert_whole(school: Instance, *, tried: bool = True) -> None:
    subscription = Subscription.objects.get(instance=school)
    if tried:
        assert (subscription.trial_end - school.trial_started_at).days == 14
    assert SubscriptionHistory.objects.filter(subscription=subscription).count() == 1
    with tenancy.use(school):
        assert InstanceConfig.objects.get().tier == school.tier
        assert StorageUsage.objects.count() == 1
    assert bool(school.database_password) is tenancy.is_silo(tenancy.alias_of(school))
    assert list(school.api_keys.values_list("name", flat=True)) == ["Khóa đầu tiên"]


def test_school_in_the_pool_has_its_rows_and_no_database(owner: User) -> None:
    school = workflows.open_instance(
        subdomain="Sao-Mai", organization_name="Sao Mai", owner=owner, actor="sales@kitehub.test"
    ).instance
    assert tenancy.alias_of(school) == tenancy.POOL
    assert (school.subdomain, school.created_by) == ("sao-mai", "sales@kitehub.test")
    with tenancy.use(school):
        config = InstanceConfig.objects.get()
        assert (config.features, config.limitations) == ({}, {})  # all of it follows the tier
        assert (config.limit("maxStudents"), config.allows("media")) == (50, False)
        assert StorageUsage.objects.get().limit_bytes == 0


def test_silo_is_a_copy_of_the_newest_schema_with_the_schools_rows(owner: User) -> None:
    school = open_silo(owner)
    assert_whole(school)
    own = connections[tenancy.alias_of(school)]
    with tenancy.use(school):
        assert StorageUsage.objects.get().limit_bytes == 5 * GIB
    pool = catalog.read(connection)
    made = catalog.read(own)
    assert {key: pool.get(key) for key in made if key.table != "django_migrations"} == {
        key: made[key] for key in made if key.table != "django_migrations"
    }
    assert InstanceConfig.objects.count() == 0  # nothing of it is in the pool
    call_command("migrate", database=own.alias, verbosity=0)  # its own role may change the schema


def test_role_may_connect_to_its_own_database_and_no_other(owner: User) -> None:
    one, other = open_silo(owner), open_silo(owner, "sao-hom")
    assert one.database_password.reveal() != other.database_password.reveal()
    for school in (one, other):
        own = connections[tenancy.alias_of(school)].get_connection_params()
        for name in ("cursor_factory", "context", "prepare_threshold"):
            own.pop(name, None)
        allowed = tenancy.database_of(school)
        foreign = {tenancy.database_of(one), tenancy.database_of(other)} - {allowed}
        foreign.add(connection.settings_dict["NAME"])
        with psycopg.connect(**{**own, "dbname": allowed}) as mine:
            row = mine.execute(
                "SELECT current_user, rolsuper OR rolcreatedb OR rolcreaterole"
                " FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
            assert row == (school.database_username, False)
        for name in foreign:
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(**{**own, "dbname": name})


def test_password_is_sent_as_its_verifier_and_stored_encrypted(owner: User) -> None:
    school = open_silo(owner)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolpassword FROM pg_authid WHERE rolname = %s", [school.database_username]
        )
        assert cursor.fetchone()[0].startswith("SCRAM-SHA-256$")
        cursor.execute("SELECT database_password FROM instances WHERE id = %s", [school.id])
        assert cursor.fetchone()[0].startswith("gAAAAA")


def test_repeating_changes_nothing(owner: User) -> None:
    opened = open_with_key(owner)
    repeated = open_with_key(owner, tier=Tier.PREMIUM)
    first, again = opened.instance, repeated.instance
    assert (again.pk, again.tier, again.version) == (first.pk, first.tier, first.version)
    assert again.database_password == first.database_password
    assert_whole(again)
    assert repeated.first_key is None
    assert opened.first_key is not None
    assert api_keys.authenticate(opened.first_key.secret_text).instance == first


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_killed_run_is_finished_by_the_next(step: str, after: bool, owner: User) -> None:
    if step == "provisioning._make_template":
        with provisioning.administration() as admin:
            provisioning.drop_templates(admin)
    code = KILLED.format(step=step, after=after, owner=owner.email)
    environment = {**os.environ, **ENVIRONMENT, "DATABASE_URL": url(connection)}
    killed = programs.run("-c", code, env=environment)
    assert killed.returncode == 9, killed.stderr
    opened = open_with_key(owner, tier=Tier.BASIC)
    assert_whole(opened.instance)
    # Somebody has a key that works: of this run or, where its text died with the other, a new one.
    lost = step == "api_keys.issue_first" and after
    assert (opened.first_key is None) == lost
    issued = opened.first_key or api_keys.rotate(
        key=ApiKey.objects.get(), actor="t", overlap=timedelta(0)
    )
    assert api_keys.authenticate(issued.secret_text).instance == opened.instance
    assert ApiKey.objects.live(at=timezone.now()).count() == 1


@pytest.mark.parametrize(
    "subdomain", ["Bad Domain!", "www", "-a", "xn--kite", "a" * 51, "tên", "", "kіte"]
)
def test_impossible_subdomain_opens_nothing(subdomain: str, owner: User) -> None:
    with pytest.raises(ValidationError):
        open_silo(owner, subdomain)
    assert not Instance.all_objects.exists()


def test_many_are_opened_at_once_and_one_that_fails_keeps_no_other_back(owner: User) -> None:
    schools = [
        workflows.NewSchool("sao-mai", "Sao Mai", owner, silo=True),
        workflows.NewSchool("www", "Reserved", owner, silo=True),
        workflows.NewSchool("sao-hom", "Sao Hôm", owner, tier=Tier.PREMIUM, silo=True),
        workflows.NewSchool("sao-bang", "Sao Băng", owner),
    ]
    found = workflows.open_instances(schools, actor="sales@kitehub.test")
    assert [one.school for one in found] == schools
    assert [type(one.error).__name__ for one in found if one.error] == ["ValidationError"]
    for one in found:
        if one.opened:
            assert one.opened.first_key is not None
            assert_whole(one.opened.instance, tried=False)
    # Whichever was first is tried, the others of the same owner wait for their first payment.
    states = Subscription.objects.values_list("status", flat=True)
    assert sorted(states) == ["EXPIRED", "EXPIRED", "TRIAL"]
    second = Subscription.objects.filter(status="EXPIRED")[0]
    assert second.current_period_start == second.current_period_end
    assert second.instance.status == "ACTIVE"
    assert second.instance.trial_started_at is second.trial_end is None
    assert Instance.objects.filter(created_by="sales@kitehub.test").count() == 3


def test_custom_domain_is_stored_as_the_dns_has_it_and_an_impossible_one_opens_nothing(
    owner: User,
) -> None:
    given = {"subdomain": "sao-mai", "organization_name": "Sao Mai", "owner": owner, "actor": "t"}
    for wrong in ("https://saomai.vn", "saomai", "*.saomai.vn"):
        with pytest.raises(ValidationError):
            workflows.open_instance(**given, custom_domain=wrong)
    with pytest.raises(ValidationError):
        workflows.open_instance(**{**given, "organization_name": "x" * 201})
    assert not Instance.all_objects.exists()
    school = workflows.open_instance(**given, custom_domain="Học.SaoMai.vn")
    assert school.instance.custom_domain == "xn--hc-68s.saomai.vn"


def test_subdomain_of_somebody_else_or_of_a_deleted_school_is_taken(owner: User) -> None:
    school = workflows.open_instance(
        subdomain="sao-mai", organization_name="Sao Mai", owner=owner, actor="t"
    ).instance
    with pytest.raises(workflows.SubdomainTaken):
        open_silo(UserFactory())
    school.delete()
    with pytest.raises(workflows.SubdomainTaken):
        open_silo(owner)


def test_command_opens_a_school_and_says_where_it_lives(
    owner: User, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["provision_instance", "sao-mai", "--owner", owner.email, "--name", "Sao Mai"]
    call_command(*arguments, "--silo", "--tier", "PREMIUM")
    school = Instance.objects.get()
    said = capsys.readouterr().out
    assert f"({school.id}) lives in its own database kitehub_{UUID(str(school.id)).hex}." in said
    assert_whole(school)
    assert api_keys.authenticate(said.split()[-1]).instance == school
    call_command(*arguments)
    assert "It had an API key already." in capsys.readouterr().out
    with pytest.raises(CommandError, match="Nobody has the e-mail address"):
        call_command("provision_instance", "b", "--owner", "nobody@x.vn", "--name", "B")
    with pytest.raises(CommandError, match="is taken"):
        call_command("provision_instance", "sao-mai", "--owner", UserFactory().email, "--name", "B")
