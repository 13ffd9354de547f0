"""V18: a group of staff for each role. What they may do follows after each `migrate`."""

import re
from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

NAMES = {
    "SUPPORT": "Hỗ trợ",
    "FINANCE": "Kế toán",
    "OPERATOR": "Vận hành",
    "AUDITOR": "Kiểm soát (chỉ xem)",
}


def make_groups(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """A group for each role; one of staff's own that is called so already gets nothing by it."""
    using = schema_editor.connection.alias
    groups = apps.get_model("auth", "Group").objects.using(using)
    roles = apps.get_model("kitehub", "StaffRole").objects.using(using)
    taken = set(groups.values_list("name", flat=True))
    for role, name in NAMES.items():
        free, number = name, 2
        while free in taken:
            free, number = f"{name} {number}", number + 1
        roles.create(role=role, group=groups.create(name=free))
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def take_groups_away(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Takes from each group what it got as a role, and a group with nothing of staff's in it.

    One that has members, other permissions or another name stays.
    """
    using = schema_editor.connection.alias
    permissions = apps.get_model("auth", "Permission").objects.using(using)
    users = apps.get_model("kitehub", "User").objects.using(using)
    given: dict[str, list[int]] = {}
    for key, app, codename in permissions.values_list("pk", "content_type__app_label", "codename"):
        given.setdefault(f"{app}.{codename}", []).append(key)
    for row in apps.get_model("kitehub", "StaffRole").objects.using(using).select_related("group"):
        group = row.group
        if group is None:
            continue
        group.permissions.remove(*(key for name in row.granted for key in given.get(name, ())))
        named = re.fullmatch(rf"{re.escape(NAMES.get(row.role, ''))}( \d+)?", group.name)
        row.delete()
        if named and not (group.permissions.exists() or users.filter(groups=group).exists()):
            group.delete()
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):
    dependencies = [
        ("kitehub", "0021_v18_security_log"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.CreateModel(
            name="StaffRole",
            fields=[
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("SUPPORT", "Support"),
                            ("FINANCE", "Finance"),
                            ("OPERATOR", "Operations"),
                            ("AUDITOR", "Audit (read-only)"),
                        ],
                        max_length=20,
                        primary_key=True,
                        serialize=False,
                        verbose_name="role",
                    ),
                ),
                (
                    "granted",
                    models.JSONField(
                        db_comment="Permissions that the group got from the role: billing.view_paymentorder",
                        db_default=[],
                        default=list,
                        verbose_name="granted",
                    ),
                ),
                (
                    "group",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="role",
                        to="auth.group",
                        verbose_name="group",
                    ),
                ),
            ],
            options={
                "verbose_name": "role of staff",
                "verbose_name_plural": "roles of staff",
                "db_table": "staff_roles",
                "db_table_comment": "Roles of staff, and the groups that have them",
            },
        ),
        migrations.RunPython(
            make_groups, take_groups_away, hints={"models": ["kitehub.StaffRole"]}
        ),
    ]
