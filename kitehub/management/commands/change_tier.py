"""`manage.py change_tier`: changes what a school has bought."""

from typing import Any

from django.core.management.base import (
    BaseCommand,
    CommandError,
    CommandParser,
    no_translations,
)

from billing.services import SubscriptionEnded
from kitehub.db.acting import REASON_LENGTH
from kitehub.enums import Tier
from kitehub.management.arguments import add_instance, instance_named
from kitehub.workflows import InstanceGone, change_tier

ACTOR = "manage.py change_tier"


class Command(BaseCommand):
    """Changes the tier on the platform, and leaves the school's database to a worker."""

    help = "Changes a school's tier and the price of its subscription; a worker does the rest."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose tier, which, and why."""
        add_instance(parser)
        parser.add_argument("tier", choices=Tier.values, type=str.upper)
        parser.add_argument("--reason", required=True, help="kept in the history")

    @no_translations  # commands speak English
    def handle(self, *args: Any, **options: Any) -> None:
        """Changes it, and says from what to what."""
        reason = options["reason"]
        if len(reason) > REASON_LENGTH or "\x00" in reason:
            raise CommandError(f"A reason has at most {REASON_LENGTH} characters.")
        found = instance_named(options["instance"])
        subdomain = found.subdomain
        try:
            now = change_tier(
                instance=found, tier=Tier(options["tier"]), actor=ACTOR, reason=reason
            )
        except InstanceGone as error:
            raise CommandError(f"There is no school {subdomain} any more.") from error
        except SubscriptionEnded as error:
            raise CommandError(f"The subscription of {subdomain} has ended; renew it.") from error
        self.stdout.write(f"{subdomain}: {found.tier} -> {now.tier}. A worker tells its database.")
