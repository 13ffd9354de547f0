"""`manage.py roles`: how the groups of staff differ from the table, and puts one right."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import Group
from django.core.management import BaseCommand, CommandError

from kitehub.models import StaffRole
from kitehub.roles import Role
from kitehub.services import roles


class Command(BaseCommand):
    """Compares groups with roles; changes nothing unless it is told to."""

    help = (
        "Shows how the groups of staff differ from what docs/roles.md says of their roles. "
        "--restore gives one role exactly that, in a new group where its own was deleted."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declares the options."""
        parser.add_argument("--restore", choices=Role.values, help="the role to put right")
        parser.add_argument(
            "--check", action="store_true", help="exit with an error where a group differs"
        )

    def handle(self, *, restore: str | None = None, check: bool = False, **options: Any) -> None:
        """Restores, or tells the differences."""
        if restore:
            made = roles.restore(role=Role(restore), actor="manage.py roles")
            self.stdout.write(f"{restore}: the group “{made.name}” has what the role says.")
            return
        differing = []
        found = roles.differences()
        groups = {row.role: row.group for row in StaffRole.objects.select_related("group")}
        for role in Role:
            group: Group | None = groups.get(role.value)
            if group is None:
                self.stdout.write(f"{role.value}: no group has this role.")
                differing.append(role)
                continue
            lacks, beside = found[role]
            for name in lacks:
                self.stdout.write(f"{group.name}: lacks {name}")
            for name in beside:
                self.stdout.write(f"{group.name}: has {name} beside its role")
            if lacks or beside:
                differing.append(role)
            else:
                self.stdout.write(f"{group.name}: as the table says.")
        if check and differing:
            advice = "; ".join(f"manage.py roles --restore {role.value}" for role in differing)
            raise CommandError(f"Groups differ from their roles. To put them right: {advice}.")
