"""What roles may do: the table, the groups made from it, and what staff change of them."""

from io import StringIO

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command
from django.utils import translation

from kitehub.models import StaffRole
from kitehub.roles import GROUP_NAMES, POWERS, SUPERUSERS_ALONE, Role, permissions_of
from kitehub.services import roles
from tests.factories.kitehub import UserFactory
from tests.migrations.commands import ROOT

DJANGOS = ("add_", "change_", "delete_", "view_")


def declared() -> set[str]:
    """The permissions that models of our apps, groups and the log declare."""
    found = set()
    for label in roles.APPS:
        for model in apps.get_app_config(label).get_models():
            said = model._meta
            found |= {f"{label}.{verb}_{said.model_name}" for verb in said.default_permissions}
            found |= {f"{label}.{codename}" for codename, _ in said.permissions}
    return found


def test_every_permission_is_somebodys() -> None:
    given = {permission for power in POWERS for permission in power.permissions}
    assert declared() - given - SUPERUSERS_ALONE == set(), "decide who may: kitehub/roles.py"
    assert given & SUPERUSERS_ALONE == set()
    named = {name for name in given | SUPERUSERS_ALONE if name.split(".")[1].startswith(DJANGOS)}
    assert named - declared() == set(), "no such permission"


def test_powers_are_said_once_and_looking_changes_nothing() -> None:
    permissions = [permission for power in POWERS for permission in power.permissions]
    assert len(permissions) == len(set(permissions))
    assert all(power.roles and power.permissions for power in POWERS)
    only_looks = permissions_of(Role.AUDITOR)
    assert {name.split(".")[1].split("_")[0] for name in only_looks} == {"view"}
    others = set().union(*(permissions_of(role) for role in Role))
    assert {name for name in others if ".view_" in name} == only_looks, "the auditor sees it all"


def test_nobody_who_has_to_do_with_schools_has_to_do_with_money() -> None:
    def deeds(role: Role) -> set[str]:
        shared = {"kitehub.add_note", "kitehub.change_email"}
        return {name for name in permissions_of(role) if ".view_" not in name} - shared

    assert not any(name.startswith("billing.") for name in deeds(Role.OPERATOR))
    assert not any(name.startswith("kitehub.") for name in deeds(Role.FINANCE))
    assert not deeds(Role.OPERATOR) & deeds(Role.FINANCE)


@pytest.mark.django_db
def test_groups_have_what_the_table_says() -> None:
    existing = {roles.name_of(each) for each in Permission.objects.select_related("content_type")}
    assert set(StaffRole.objects.values_list("role", flat=True)) == set(Role.values)
    for role in Role:
        group = StaffRole.objects.get(pk=role).group
        assert group is not None
        assert group.name == GROUP_NAMES[role]
        assert roles.held_by(group) == permissions_of(role) & existing
    member = UserFactory(staff=True)
    member.groups.add(Group.objects.get(name="Kế toán"))
    assert member.has_perm("billing.request_refund")
    assert not member.has_perm("kitehub.change_instance")


@pytest.mark.django_db
def test_what_staff_changed_of_a_group_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    group = Group.objects.get(name="Hỗ trợ")
    given = Permission.objects.get(codename="change_instanceconfig")
    taken = Permission.objects.get(codename="view_brandingjob")
    group.permissions.add(given)
    group.permissions.remove(taken)
    Group.objects.filter(pk=group.pk).update(name="Chăm sóc khách hàng")
    StaffRole.objects.get(pk=Role.AUDITOR).group.delete()
    before = roles.held_by(group)
    roles.sync()
    assert roles.held_by(group) == before
    assert StaffRole.objects.get(pk=Role.AUDITOR).group is None, "not made again"
    # What a version adds to the table or takes from it reaches the group all the same.
    was = permissions_of(Role.SUPPORT)
    now = (was | {"jobs.view_job"}) - {"billing.view_refund"}
    monkeypatch.setattr(roles, "permissions_of", lambda role: now)
    roles.sync()
    assert roles.held_by(group) == (before | {"jobs.view_job"}) - {"billing.view_refund"}
    roles.sync()
    assert roles.differences()[Role.SUPPORT] == (
        ["branding.view_brandingjob"],
        ["kitehub.change_instanceconfig"],
    )


@pytest.mark.django_db
def test_a_role_is_put_right_by_command() -> None:
    group = Group.objects.get(name="Vận hành")
    existing = roles.held_by(group)
    group.permissions.clear()
    StaffRole.objects.get(pk=Role.SUPPORT).group.delete()
    Group.objects.create(name="Hỗ trợ")
    told = StringIO()
    with pytest.raises(CommandError, match=r"manage\.py roles --restore OPERATOR"):
        call_command("roles", check=True, stdout=told)
    assert "Vận hành: lacks analytics.view_guestevent" in told.getvalue()
    assert "SUPPORT: no group" in told.getvalue()
    call_command("roles", restore="OPERATOR", stdout=told)
    call_command("roles", restore="SUPPORT", stdout=told)
    assert roles.held_by(group) == existing
    assert StaffRole.objects.get(pk=Role.SUPPORT).group.name == "Hỗ trợ 2", "not a stranger's"
    call_command("roles", check=True, stdout=told)


def test_the_docs_say_the_same() -> None:
    docs = (ROOT / "docs" / "roles.md").read_text("utf-8")
    with translation.override("en"):
        rows = [
            [str(power.text), *("yes" if role in power.roles else "" for role in Role)]
            for power in POWERS
        ]
    lines = [line for line in docs.splitlines() if line.startswith("| ")][1:]
    assert [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines] == rows
