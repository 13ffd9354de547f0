"""Whose a school is and where its students pay to: superusers change it, and say why."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.test import Client

from kitehub.models import Email, Instance, StaffRole
from kitehub.roles import Role
from tests.factories.kitehub import InstanceFactory, UserFactory
from tests.kitehub.backoffice.pages import act, form_of, messages_of, page_url, save
from tests.kitehub.jobs.working import run_due

pytestmark = pytest.mark.django_db
ACCOUNT = {
    "bank_code": "970436",
    "account_number": "0123 456.789",
    "account_name": "Trần Thị Lân",
    "reason": "chủ trường gọi điện",
}


@pytest.fixture
def school(db: None) -> Instance:
    return InstanceFactory(subdomain="sao-mai", account_number="0011223344", bank_code="970415")


def fresh(school: Instance) -> Instance:
    return Instance.objects.get(pk=school.pk)


def test_the_account_is_changed_after_a_look_and_the_owner_is_told(
    back_office: Client, school: Instance
) -> None:
    sent = {"_form_submitted": "True", **ACCOUNT, "retyped": "sao-mai"}
    page: Any = None
    for wrong in ({"retyped": "sao"}, {"reason": ""}, {"account_number": "1"}, {}):
        page = back_office.post(page_url(school, "change_bank_account"), {**sent, **wrong})
        assert page.status_code == 200
    assert "0011223344" in page.text
    assert "0123456789 · TRAN THI LAN" in page.text
    assert school.owner.email in page.text
    assert (fresh(school).account_number, Email.objects.count()) == ("0011223344", 0)
    back_office.post(
        page_url(school, "change_bank_account"), {**sent, "plan": form_of(page)["plan"]}
    )
    now = fresh(school)
    assert (now.bank_name, now.account_number) == ("Vietcombank", "0123456789")
    assert (now.account_name, now.qr_template) == ("TRAN THI LAN", school.qr_template)
    assert now.updated_by == "staff@kitehub.test"
    assert Email.objects.get().recipient == school.owner.email
    assert LogEntry.objects.count() == 1
    told = back_office.get(page_url(school, "history")).text
    for part in ("0011223344 → 0123456789", "chủ trường gọi điện"):
        assert part in told


def test_a_school_gets_another_owner_who_is_there(back_office: Client, school: Instance) -> None:
    lan, gone = UserFactory(), UserFactory(is_active=False)
    said = {"retyped": "sao-mai", "reason": "sang nhượng"}
    for email in ("nobody@example.vn", gone.email):
        refused = act(back_office, school, "change_owner", email=email, **said)
        assert refused.status_code == 200
        assert fresh(school).owner == school.owner
    act(back_office, school, "change_owner", email=lan.email, **{**said, "retyped": "x"})
    assert fresh(school).owner == school.owner
    done = act(back_office, school, "change_owner", email=lan.email, **said)
    assert fresh(school).owner == lan
    assert len(messages_of(done)) == 1
    assert str(lan) in back_office.get(page_url(school, "history")).text
    fresh(school).delete()
    refused = act(back_office, school, "change_owner", email=school.owner.email, **said)
    assert Instance.all_objects.get().owner == lan


@pytest.mark.django_db(transaction=True)
def test_both_owners_are_told_once_each_in_their_language(
    back_office: Client, school: Instance, settings: Any
) -> None:
    settings.KITEHUB_BASE_URL = "https://hub.example.vn"
    settings.KITEHUB_SELLER_CONTACT = "1900 1234"
    lan, before = UserFactory(email="lan@example.com", language="en"), school.owner
    said = {"retyped": "sao-mai", "reason": "sang nhượng"}
    looked = back_office.post(
        page_url(school, "change_owner"),
        {"_form_submitted": "True", "email": lan.email, **said},
    )
    assert f"{lan.email}, {before.email}" in looked.text
    assert not Email.objects.exists(), "a look tells nobody"
    act(back_office, school, "change_owner", email=lan.email, **said)
    again = act(back_office, school, "change_owner", email=lan.email, **said)
    assert "Trường đã thuộc về người này." in again.text
    run_due()
    assert len(mail.outbox) == 2
    to_lan, to_before = sorted(mail.outbox, key=lambda each: each.to != [lan.email])
    assert to_lan.subject == f"{school.organization_name} is yours now"
    for part in (
        lan.email,
        "https://hub.example.vn/\n",
        "https://hub.example.vn/password/",
        "1900 1234",
    ):
        assert part in to_lan.body
    assert to_before.to == [before.email]
    assert to_before.subject == f"{school.organization_name} đã có chủ trường mới"
    assert ("sao-mai" in to_before.body, "1900 1234" in to_before.body) == (True, True)
    assert lan.email not in to_before.body
    page = back_office.get(page_url(school)).text
    for person in (lan, before):
        assert f"Đã gửi email tới {person.email}" in page
    # Back and forth is news each time.
    act(back_office, school, "change_owner", email=before.email, **said)
    run_due()
    assert [each.to for each in mail.outbox[2:]] == [[before.email], [lan.email]]


def test_a_school_of_nobody_gets_an_owner_who_alone_is_told(
    back_office: Client, school: Instance
) -> None:
    Instance.objects.update(owner_id=uuid4())  # of an account that is gone
    lan = UserFactory()
    act(back_office, school, "change_owner", email=lan.email, retyped="sao-mai", reason="mới")
    assert (fresh(school).owner, Email.objects.get().recipient) == (lan, lan.email)


def test_operations_change_neither(client: Client, school: Instance) -> None:
    clerk = UserFactory(is_staff=True)
    clerk.groups.add(StaffRole.objects.get(pk=Role.OPERATOR).group)
    client.force_login(clerk)
    for name in ("change_bank_account", "change_owner"):
        assert client.post(page_url(school, name), {}).status_code == 403
    forged = {**ACCOUNT, "owner": str(clerk.pk), "organization_name": "Sao Mai"}
    assert save(client, school, **forged).status_code == 302
    now = fresh(school)
    assert now.organization_name == "Sao Mai"
    assert (now.account_number, now.owner) == ("0011223344", school.owner)
