"""`manage.py api_key`: issues, lists, rotates and revokes instances' API keys. See docs/api.md."""

import json
import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from kitehub.db.acting import REASON_LENGTH
from kitehub.enums import ApiScope
from kitehub.key_format import read_prefix
from kitehub.management.arguments import instance_named
from kitehub.models import ApiKey
from kitehub.services import api_keys
from kitehub.services.api_keys import IssuedKey, KeyRefused

ACTOR = "manage.py api_key"
_DURATION = re.compile(r"(\d{1,6})(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Command(BaseCommand):
    """Parses the subcommands and prints; a key's text goes to standard output, once."""

    help = "Issues, lists, rotates and revokes API keys. The text of a key is shown this once."
    stealth_options = ("action",)

    def add_arguments(self, parser: CommandParser) -> None:
        """One parser for each subcommand."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="subcommand")
        issue = _action(actions, "issue", "issue a key and show it")
        issue.add_argument("instance", help="subdomain or id")
        issue.add_argument("--name", required=True, help="who or what uses the key")
        issue.add_argument(
            "--scope",
            action="append",
            required=True,
            choices=ApiScope.values,
            help="what it may do; may be given again",
        )
        issue.add_argument("--expires", type=_moment, metavar="TIME", help="never, unless given")
        listed = _action(actions, "list", "list keys, the newest first")
        listed.add_argument("instance", nargs="?", help="subdomain or id; all, unless given")
        listed.add_argument("--live", action="store_true", help="only those that are live")
        rotate = _action(actions, "rotate", "issue a key in place of another and show it")
        rotate.add_argument("key", help="the key's prefix, with or without kh_live_, or its id")
        rotate.add_argument(
            "--overlap",
            type=_duration,
            default=api_keys.OVERLAP,
            metavar="TIME",
            help="for how long the old key goes on, such as 0s, 12h or 7d (1d)",
        )
        rotate.add_argument("--expires", type=_moment, metavar="TIME", help="the new key's end")
        revoke = _action(actions, "revoke", "end a key at once and for good")
        revoke.add_argument("key", help="the key's prefix, with or without kh_live_, or its id")
        revoke.add_argument("--reason", default="", help=f"up to {REASON_LENGTH} characters")

    @no_translations  # commands speak English
    def handle(self, *args: Any, **options: Any) -> None:
        """Runs the subcommand; what a service refuses is one line."""
        try:
            getattr(self, f"_{options['action']}")(options)
        except KeyRefused as error:
            raise CommandError(str(error.message)) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error

    def _issue(self, options: dict[str, Any]) -> None:
        issued = api_keys.issue(
            instance=instance_named(options["instance"]),
            name=options["name"],
            scopes=options["scope"],
            expires_at=options["expires"],
            actor=ACTOR,
        )
        self._show(issued, options)

    def _rotate(self, options: dict[str, Any]) -> None:
        old = _key(options["key"])
        issued = api_keys.rotate(
            key=old, actor=ACTOR, overlap=options["overlap"], expires_at=options["expires"]
        )
        if not options["json"]:
            self.stdout.write(f"{old.shown_prefix} is taken until {_text(old.expires_at)}.")
        self._show(issued, options)

    def _revoke(self, options: dict[str, Any]) -> None:
        key = _key(options["key"])
        done = api_keys.revoke(key=key, actor=ACTOR, reason=options["reason"])
        if options["json"]:
            self._say_json({**_as_json(key), "revoked_now": done})
        elif done:
            self.stdout.write(f"{key.shown_prefix} opens nothing any more.")
        else:
            when = _text(key.revoked_at)
            self.stdout.write(f"{key.shown_prefix} was revoked by {key.revoked_by} at {when}.")

    def _list(self, options: dict[str, Any]) -> None:
        keys = ApiKey.objects.select_related("instance").order_by("-created_at", "-id")
        if options["instance"]:
            keys = keys.of_instance(instance_named(options["instance"]).pk)
        if options["live"]:
            keys = keys.live(at=timezone.now())
        if options["json"]:
            self._say_json([_as_json(key) for key in keys])
            return
        for key in keys:
            state = key.state(at=timezone.now()).value.lower()
            self.stdout.write(
                f"{key.shown_prefix}  {state:<7}  {key.instance.subdomain}  {key.name}  "
                f"{','.join(key.scopes)}  last used {_text(key.last_used_at)}, "
                f"expires {_text(key.expires_at)}"
            )

    def _show(self, issued: IssuedKey, options: dict[str, Any]) -> None:
        if options["json"]:
            self._say_json({**_as_json(issued.key), "key": issued.secret_text})
            return
        self.stdout.write(f"Shown this once: {issued.secret_text}")

    def _say_json(self, data: Any) -> None:
        self.stdout.write(json.dumps(data, indent=2, ensure_ascii=False))


def _action(actions: Any, name: str, help_text: str) -> CommandParser:
    parser: CommandParser = actions.add_parser(name, help=help_text, description=help_text)
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _key(text: str) -> ApiKey:
    prefix, key_id = read_prefix(text), _uuid(text)
    keys = ApiKey.objects.select_related("instance")
    matches = Q(prefix=prefix) if prefix else Q(pk=key_id)
    key = keys.filter(matches).first() if prefix or key_id else None
    if key is None:
        # Not what was typed: it may be a whole key, with a typo.
        raise CommandError("There is no key of this prefix or id; manage.py api_key list.")
    return key


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _duration(text: str) -> timedelta:
    found = _DURATION.fullmatch(text.strip())
    if not found:
        raise ArgumentTypeError(f"{text!r} is no time such as 0s, 30m, 12h or 7d.")
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


def _moment(text: str) -> datetime:
    """A day's beginning, or a moment; without a zone, in Vietnam's."""
    try:
        day = parse_date(text)
        moment = datetime(day.year, day.month, day.day) if day else parse_datetime(text)  # noqa: DTZ001
        if moment is None:
            raise ValueError
        return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
    except (ValueError, OverflowError):
        raise ArgumentTypeError(f"{text!r} is no day or moment such as 2027-06-30.") from None


def _text(moment: datetime | None) -> str:
    return "never" if moment is None else timezone.localtime(moment).isoformat(" ", "minutes")


def _utc(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()


def _as_json(key: ApiKey) -> dict[str, Any]:
    moments = ("created_at", "last_used_at", "expires_at", "revoked_at")
    return {
        "id": str(key.pk),
        "prefix": key.shown_prefix,
        "name": key.name,
        "instance": key.instance.subdomain,
        "scopes": key.scopes,
        "state": key.state(at=timezone.now()).value,
        "replaces": str(key.replaces_id) if key.replaces_id else None,
        "created_by": key.created_by,
        "revoked_by": key.revoked_by,
        "revoked_reason": key.revoked_reason,
        **{name: _utc(getattr(key, name)) for name in moments},
    }
