"""Opening a school in the admin: in the pool, in a silo, and what is said where it can't be."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connections
from django.test import Client
from django.urls import reverse

from billing.models import Subscription
from kitehub import tenancy
from kitehub.db.servers import servers
from kitehub.enums import Tier
from kitehub.models import ApiKey, Instance, InstanceConfig, InstanceWatch, User
from kitehub.tenancy import provisioning
from kitehub.tenancy.connections import close_all
from kitehub.workflows import watch_instances
from tests.factories.kitehub import ApiKeyFactory, InstanceFactory, UserFactory
from tests.kitehub.backoffice.pages import act_on_all, page_url
from tests.kitehub.jobs.working import run_due, states

OPEN = "admin:kitehub_instance_open"


def form(who: User, **changes: str) -> dict[str, str]:
    return {
        "organization_name": "Sao Mai",
        "subdomain": "sao-mai",
        "custom_domain": "",
        "owner": str(who.pk),
        "tier": Tier.STANDARD.value,
        "where": "pool",
        **changes,
    }


def said(page: Any) -> list[str]:
    return [str(message) for message in get_messages(page.wsgi_request)]


@pytest.fixture
def no_silo_left(transactional_db: None) -> Iterator[None]:
    yield
    close_all()
    with provisioning.administration() as admin:
        for school in Instance.all_objects.exclude(database_username=""):
            provisioning.drop(admin, tenancy.database_of(school), school.database_username)
        provisioning.drop_templates(admin)


def test_school_in_the_pool_is_opened_with_its_trial_by_who_is_signed_in(
    back_office: Client, staff: User
) -> None:
    assert re.search(
        r'type="submit"[^>]*>\s*Mở trường\s*</button>', back_office.get(reverse(OPEN)).text
    )
    page = back_office.post(reverse(OPEN), form(UserFactory(), custom_domain="Học.Vn"))
    school = Instance.objects.get()
    assert page.status_code == 200
    key = ApiKey.objects.get(instance=school)
    assert f"kh_live_{key.prefix}" in page.text, "its first key, shown this once"
    assert (school.created_by, school.custom_domain) == (staff.email, "xn--hc-68s.vn")
    assert Subscription.objects.get().instance_id == school.pk
    with tenancy.use(school):
        assert InstanceConfig.objects.get().tier == Tier.STANDARD


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subdomain", "www"),
        ("subdomain", "taken"),
        ("custom_domain", "https://x.vn"),
        ("organization_name", ""),
        ("owner", ""),
        ("tier", "GOLD"),
        ("where", "silo:b"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_opens_nothing(
    field: str, value: str, back_office: Client
) -> None:
    owner = UserFactory()
    InstanceFactory(subdomain="taken", owner=owner)
    page = back_office.post(reverse(OPEN), form(owner, **{field: value}))
    assert list(page.context["form"].errors) == [field]
    assert Instance.all_objects.count() == 1


@pytest.mark.django_db
def test_nobody_without_the_right_to_add_opens_a_school(client: Client) -> None:
    client.force_login(UserFactory(is_staff=True))
    assert client.get(reverse(OPEN)).status_code == 403
    assert client.post(reverse(OPEN), form(UserFactory())).status_code == 403
    assert not Instance.objects.exists()


@pytest.mark.usefixtures("no_silo_left")
def test_school_whose_database_fails_is_finished_by_the_action(
    back_office: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any) -> None:
        raise provisioning.ServerRefused("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(provisioning, "ensure_database", fails)
        page = back_office.post(reverse(OPEN), form(UserFactory(), where="silo"))
        school = Instance.objects.get()
        assert page.url == reverse("admin:kitehub_instance_change", args=[school.pk])
        assert "The disk is full." in said(page)[0]
        changelist = reverse("admin:kitehub_instance_changelist")
        work = reverse("admin:kitehub_instance_work", args=[school.pk])
        finish = partial(act_on_all, back_office, changelist, "finish_selected", [school])
        assert list(InstanceWatch.objects.unfinished()) == [InstanceWatch.objects.get()]
        assert finish(reason="đĩa đầy").context["outcomes"][0].done
        run_due()
        assert "The disk is full." in back_office.get(work).text
    detail = reverse("admin:kitehub_instance_finish_opening", args=[school.pk])
    assert back_office.get(detail).status_code == 200  # only asks
    assert not InstanceConfig.objects.exists()
    asked = finish(reason="")
    assert not InstanceConfig.objects.exists(), "no reason, no work"
    assert asked.context["outcomes"][0].done, "it can be done"
    assert finish(reason="đĩa đầy").context["outcomes"][0].done
    assert not InstanceConfig.objects.exists(), "no database is made within a request"
    busy = finish(reason="đĩa đầy").context["outcomes"][0]
    assert not busy.done
    run_due()
    assert not InstanceWatch.objects.unfinished().exists()
    with tenancy.use(school):
        assert InstanceConfig.objects.get().tier == Tier.STANDARD
    assert connections[tenancy.alias_of(school)].settings_dict["USER"] == school.database_username
    # Again, it changes nothing.
    done = back_office.post(detail, {"_form_submitted": "1", "reason": "lại"})
    assert done["Location"] == work
    run_due()
    assert states() == ["failed", "succeeded", "succeeded"]
    version = school.version
    school.refresh_from_db()
    assert school.version == version


@pytest.mark.django_db
def test_finishing_is_offered_where_something_is_missing_and_foretells_a_key(
    back_office: Client,
) -> None:
    school = InstanceFactory()
    finish = reverse("admin:kitehub_instance_finish_opening", args=[school.pk])
    assert finish in back_office.get(page_url(school)).text
    said = "khóa đầu tiên sẽ được cấp nhưng không ai xem được"
    assert said in back_office.get(finish).text
    ApiKeyFactory(instance=school)
    assert said not in back_office.get(finish).text
    with tenancy.use(school):
        InstanceConfig.objects.create(tier=Tier.STANDARD)
    watch_instances()
    assert finish not in back_office.get(page_url(school)).text, "nothing is missing"
    InstanceWatch.objects.update(reachable=False)
    assert finish in back_office.get(page_url(school)).text, "its role may be what is missing"


def test_servers_that_the_settings_name_can_be_chosen(back_office: Client, settings: Any) -> None:
    settings.KITEHUB_SILO_SERVERS = servers("b=postgres://hub:pw@db2/postgres")
    page = back_office.get(reverse(OPEN))
    offered = [value for value, _ in page.context["form"].fields["where"].choices]
    assert offered == ["pool", "silo", "silo:b"]
    assert "pw" not in page.text.split("silo:b")[1][:200]
