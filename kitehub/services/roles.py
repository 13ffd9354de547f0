"""Groups of staff, kept to what `kitehub.roles` says."""

from collections.abc import Iterable

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db import DEFAULT_DB_ALIAS, connections, transaction

from kitehub.db.acting import acting
from kitehub.models import StaffRole
from kitehub.roles import GROUP_NAMES, Role, permissions_of

# The apps whose permissions roles are made of.
APPS = ("kitehub", "billing", "analytics", "branding", "storage", "jobs", "auth", "admin")


def sync(*, using: str = DEFAULT_DB_ALIAS) -> None:
    """Gives each role's group what is new in the table, and takes what is no longer in it.

    What staff gave the group beside that, or took from it, stays as they left it.
    """
    with transaction.atomic(using=using), acting("migrate", "roles of staff", using=using):
        for row in _rows(using):
            wanted = permissions_of(Role(row.role))
            new = _existing(wanted - set(row.granted), using)
            gone = set(row.granted) - wanted
            if not (new or gone) or row.group is None:
                continue
            row.group.permissions.add(*new.values())
            row.group.permissions.remove(*_existing(gone, using).values())
            row.granted = sorted({*row.granted, *new} - gone)
            row.save(using=using, update_fields=["granted"])


def restore(*, role: Role, actor: str, using: str = DEFAULT_DB_ALIAS) -> Group:
    """Gives a role exactly what the table says; makes its group anew where it was deleted.

    Returns the group. What staff gave it beside the role is taken from it.
    """
    with transaction.atomic(using=using), acting(actor, "roles of staff", using=using):
        row, _ = StaffRole.objects.using(using).get_or_create(pk=role.value)
        if row.group is None:
            row.group = Group.objects.using(using).create(name=_free_name(role, using))
        found = _existing(permissions_of(role), using)
        row.group.permissions.set(found.values())
        row.granted = sorted(found)
        row.save(using=using)
        return row.group


def differences(*, using: str = DEFAULT_DB_ALIAS) -> dict[Role, tuple[list[str], list[str]]]:
    """By role that has a group: what the group lacks of the table, and what it has beside it."""
    found = {}
    for row in _rows(using):
        if row.group is not None:
            has, wanted = held_by(row.group), set(_existing(permissions_of(Role(row.role)), using))
            found[Role(row.role)] = (sorted(wanted - has), sorted(has - wanted))
    return found


def held_by(group: Group) -> set[str]:
    """The permissions of a group, as `app.codename`."""
    rows = group.permissions.order_by().select_related("content_type")
    return {name_of(permission) for permission in rows}


def name_of(permission: Permission) -> str:
    """A permission as code asks for it: `app.codename`."""
    return f"{permission.content_type.app_label}.{permission.codename}"


def sync_after_migrate(*, using: str, apps: object = installed, **kwargs: object) -> None:
    """For post_migrate: makes the permissions that are missing, then gives them out.

    Django makes each app's after that app's receivers have run, so they are made here for all.
    """
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT to_regclass('staff_roles') IS NOT NULL")
        (there,) = cursor.fetchone()
    if not there:  # a silo, or a version before V18
        return
    for label in APPS:
        create_permissions(
            installed.get_app_config(label),
            verbosity=0,
            interactive=False,
            using=using,
            apps=apps,  # type: ignore[arg-type]
        )
    sync(using=using)


# --- Parts --------------------------------------------------------------------------------------


def _rows(using: str) -> Iterable[StaffRole]:
    rows = StaffRole.objects.using(using).filter(pk__in=Role.values).order_by("pk")
    return rows.select_related("group")


def _existing(names: Iterable[str], using: str) -> dict[str, Permission]:
    wanted = set(names)
    if not wanted:
        return {}
    rows = Permission.objects.using(using).order_by().select_related("content_type")
    return {name_of(row): row for row in rows if name_of(row) in wanted}


def _free_name(role: Role, using: str) -> str:
    """The role's name, with a number where another group has it: that one must not get more."""
    name, number = GROUP_NAMES[role], 2
    while Group.objects.using(using).filter(name=name).exists():
        name = f"{GROUP_NAMES[role]} {number}"
        number += 1
    return name
