"""Staff who may change users cannot make themselves, or anybody, more than they are."""

from typing import Any

import pytest
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from kitehub.admin.users import UserAdmin
from kitehub.models import StaffRole, User
from tests.factories.kitehub import UserFactory
from tests.kitehub.backoffice.pages import form_of, list_url, page_url

POWERS = {"is_staff": "on", "is_superuser": "on", "is_active": "on"}
ADD_USER = reverse("admin:kitehub_user_add")


@pytest.fixture
def clerk(db: None) -> User:
    """A member of staff with every permission on users and groups."""
    clerk = UserFactory(staff=True, password="a long password", full_name="Trần Thư Ký")
    for model in ("user", "group", "permission"):
        clerk.user_permissions.add(*Permission.objects.filter(content_type__model=model))
    return clerk


@pytest.fixture
def desk(client: Client, clerk: User) -> Client:
    client.force_login(clerk)
    return client


@pytest.fixture
def everything(db: None) -> Group:
    group = Group.objects.create(name="Mọi quyền")
    group.permissions.set(Permission.objects.all())
    return group


def powers(user: User) -> tuple[Any, ...]:
    user = User.objects.get(pk=user.pk)
    return (
        user.is_staff,
        user.is_superuser,
        user.password,
        user.email,
        sorted(user.groups.values_list("pk", flat=True)),
        sorted(user.user_permissions.values_list("pk", flat=True)),
    )


def forged(group: Group, **others: str) -> dict[str, Any]:
    rights = [str(key) for key in Permission.objects.values_list("pk", flat=True)]
    return {**POWERS, "groups": [str(group.pk)], "user_permissions": rights, **others}


@pytest.mark.parametrize("customer", [True, False], ids=["a customer", "oneself"])
def test_forged_powers_are_passed_over(
    desk: Client, clerk: User, everything: Group, customer: bool
) -> None:
    target = UserFactory() if customer else clerk
    before = powers(target)
    form = form_of(desk.get(page_url(target)))
    assert not {"is_staff", "is_superuser", "groups", "user_permissions"} & set(form)
    answer = desk.post(page_url(target), {**form, **forged(everything, full_name="Lê Mới")})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert powers(target) == before
    target.refresh_from_db()
    assert target.full_name == "Lê Mới"


def test_nobody_but_a_superuser_changes_their_own_login(desk: Client, clerk: User) -> None:
    before = clerk.email
    answer = desk.post(page_url(clerk), {"email": "another@kitehub.test", "full_name": "Lê Mới"})
    assert answer.status_code == 302
    clerk.refresh_from_db()
    assert (clerk.email, clerk.full_name) == (before, "Lê Mới")


@pytest.mark.parametrize("trait", ["staff", "superuser"])
def test_colleagues_are_only_looked_at(desk: Client, everything: Group, trait: str) -> None:
    colleague = UserFactory(**{trait: True}, password="their own password")
    before = powers(colleague)
    page = desk.get(page_url(colleague))
    assert page.status_code == 200
    assert colleague.password not in page.content.decode()
    assert "md5$" not in page.content.decode()
    sent = forged(everything, email="mine@example.vn", full_name="X", password="X")
    assert desk.post(page_url(colleague), sent).status_code == 403
    password = reverse("admin:auth_user_password_change", args=[colleague.pk])
    new = {"usable_password": "true", "password1": "s3cret-s3cret", "password2": "s3cret-s3cret"}
    assert desk.get(password).status_code == 403
    assert desk.post(password, new).status_code == 403
    assert powers(colleague) == before


def test_a_customers_password_may_be_set(desk: Client) -> None:
    customer = UserFactory(password="forgotten")
    new = {"usable_password": "true", "password1": "s3cret-s3cret", "password2": "s3cret-s3cret"}
    answer = desk.post(reverse("admin:auth_user_password_change", args=[customer.pk]), new)
    assert answer.status_code == 302
    customer.refresh_from_db()
    assert customer.check_password("s3cret-s3cret")


def test_a_new_person_has_no_powers(desk: Client, everything: Group) -> None:
    new = {"email": "moi@example.vn", "usable_password": "true", "full_name": "Mới"}
    new |= {"password1": "s3cret-s3cret", "password2": "s3cret-s3cret"}
    for address in (ADD_USER, f"{ADD_USER}?_popup=1&is_superuser=on&is_staff=on"):
        answer = desk.post(address, {**forged(everything), **new})
        assert answer.status_code in {200, 302}
        person = User.objects.get(email="moi@example.vn")
        assert powers(person)[:2] == (False, False)
        assert powers(person)[4:] == ([], [])
        person.delete()


def test_groups_are_only_looked_at(desk: Client, everything: Group) -> None:
    sent = {"name": "Của tôi", "permissions": [str(Permission.objects.first().pk)]}
    assert desk.get(page_url(everything)).status_code == 200
    assert desk.post(reverse("admin:auth_group_add"), sent).status_code == 403
    assert desk.post(page_url(everything), sent).status_code == 403
    assert desk.post(page_url(everything, "delete"), {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [everything.pk], "post": "yes"}
    desk.post(reverse("admin:auth_group_changelist"), chosen)
    assert list(Group.objects.filter(role=None).values_list("name", flat=True)) == ["Mọi quyền"]


def test_superusers_give_powers(back_office: Client, everything: Group) -> None:
    person = UserFactory()
    form = form_of(back_office.get(page_url(person)))
    answer = back_office.post(page_url(person), {**form, **forged(everything)})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert powers(person)[:2] == (True, True)
    assert powers(person)[4] == [everything.pk]


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["SUPPORT", "AUDITOR"])
def test_who_has_which_role_is_seen_by_who_may_see_groups(client: Client, role: str) -> None:
    reader, colleague = UserFactory(staff=True), UserFactory(superuser=True)
    reader.groups.add(StaffRole.objects.get(pk=role).group)
    finance = StaffRole.objects.get(pk="FINANCE").group
    colleague.groups.add(finance)
    client.force_login(reader)
    sees = role == "AUDITOR"
    page = client.get(page_url(colleague))
    people = client.get(list_url(User))
    file = client.get(reverse("admin:kitehub_user_export", args=["csv"])).getvalue().decode()
    head, *rows = file.splitlines()
    assert any(colleague.email in row for row in rows)
    fields = flatten_fieldsets(page.context["adminform"].fieldsets)
    told = {
        "group": "Kế toán" in page.text,
        "fields": {"groups", "is_superuser"} <= set(fields),
        "no field": bool({"groups", "is_superuser"} & set(fields)),
        "tab": "tab=superusers" in people.text,
        "filter": "groups__id__exact" in people.text,
        "file": len(head.split(",")) == len(UserAdmin.export_columns),
    }
    assert told == dict.fromkeys(told, sees)
    for asked in ({"groups__id__exact": finance.pk}, {"is_superuser__exact": "1"}):
        answer = client.get(list_url(User), asked)
        assert answer.status_code == (200 if sees else 302), asked
    found = client.get(list_url(User), {"tab": "superusers"}).context["cl"].result_list
    assert (reader in found) is not sees, "an unknown tab narrows nothing"


@pytest.mark.django_db
def test_without_permission_nothing_opens(client: Client) -> None:
    client.force_login(UserFactory(staff=True))
    for address in (ADD_USER, page_url(UserFactory())):
        assert client.get(address).status_code == 403
