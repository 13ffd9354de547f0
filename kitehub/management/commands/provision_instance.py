"""`manage.py provision_instance`: opens a school, or finishes what a killed run began."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    no_translations,
)

from kitehub import tenancy
from kitehub.enums import Tier
from kitehub.models import Instance, User
from kitehub.tenancy import provisioning, servers
from kitehub.workflows import Opened, SubdomainTaken, open_instance

ACTOR = "manage.py provision_instance"


class Command(BaseCommand):
    """Opens an instance on a trial of 14 days; safe to repeat."""

    help = "Opens an instance on a trial of 14 days. Run again, it finishes what was cut short."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose school it is, what it is called, and where it shall live."""
        parser.add_argument("subdomain", help="the label before the platform's domain")
        parser.add_argument("--owner", required=True, metavar="EMAIL", help="who owns it")
        parser.add_argument("--name", required=True, help="the school's name, for people")
        parser.add_argument("--tier", choices=Tier.values, default=Tier.BASIC.value)
        parser.add_argument(
            "--silo", action="store_true", help="a database of its own rather than the pool"
        )
        parser.add_argument(
            "--server",
            default="",
            metavar="NAME",
            help="make that database on this server of KITEHUB_SILO_SERVERS",
        )
        parser.add_argument(
            "--custom-domain", default="", metavar="DOMAIN", help="a domain of the school's own"
        )

    @no_translations  # commands speak English
    def handle(self, *args: Any, **options: Any) -> None:
        """Opens it, says where it lives, and shows its first API key."""
        owner = User.objects.filter(email=options["owner"]).first()
        if owner is None:
            raise CommandError(f"Nobody has the e-mail address {options['owner']}.")
        try:
            opened = open_instance(
                subdomain=options["subdomain"],
                organization_name=options["name"],
                owner=owner,
                tier=Tier(options["tier"]),
                silo=options["silo"],
                server=options["server"],
                custom_domain=options["custom_domain"],
                actor=ACTOR,
            )
        except ValidationError as error:
            raise CommandError(f"{options['subdomain']}: {' '.join(error.messages)}") from error
        except SubdomainTaken as error:
            raise CommandError(f"The subdomain {error} is taken.") from error
        self._say(opened)

    def _say(self, opened: Opened) -> None:
        """Where it lives, and its first key: the only time that anybody sees it."""
        instance = opened.instance
        if tenancy.alias_of(instance) == tenancy.POOL:
            self.stdout.write(f"{instance.subdomain} ({instance.id}) lives in the pool.")
        else:
            self._say_where(instance)
        if opened.first_key is not None:
            self.stdout.write(f"Its first API key, shown this once: {opened.first_key.secret_text}")
            return
        self.stdout.write(
            "It had an API key already. If nobody kept the text: "
            f"manage.py api_key list {instance.subdomain}, then rotate --overlap 0s."
        )

    def _say_where(self, instance: Instance) -> None:
        server = servers.server_of(instance)
        on = f" on the server {server}" if server else ""
        database = tenancy.database_of(instance)
        self.stdout.write(
            f"{instance.subdomain} ({instance.id}) lives in its own database {database}{on}."
        )
        with provisioning.administration(server) as admin:
            doors = provisioning.open_doors(admin, instance.database_username)
        if doors:
            self.stdout.write(
                f"Everybody may connect to {', '.join(doors)} there, so its role may too. To close "
                f"one: REVOKE CONNECT ON DATABASE {doors[0]} FROM PUBLIC;"
            )
