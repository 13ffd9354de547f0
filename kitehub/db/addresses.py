"""Database addresses as people write them: `postgres://user:password@host:5432/name?option=value`."""

from typing import Any
from urllib.parse import unquote

import environ
from django.core.exceptions import ImproperlyConfigured
from psycopg import pq

EXAMPLE = "postgres://user:password@host:5432/kitehub"
ENGINE = "kitehub.db.backends.postgresql"

# Django's own options; all others go to libpq as they are.
_DJANGOS = {"assume_role", "isolation_level", "pool", "prepare_threshold", "server_side_binding"}
_NUMBERS = ("connect_timeout", "tcp_user_timeout", "prepare_threshold")


def configuration(url: str, *, named: str) -> dict[str, Any]:
    """An address as an entry of DATABASES; `named` is what errors call it.

    Raises ImproperlyConfigured, without any part of the password, where PostgreSQL or Django could
    make nothing of it.
    """
    if not url.startswith(("postgres://", "postgresql://", "pgsql://")):
        raise ImproperlyConfigured(f"{named} must start with postgres://, for example {EXAMPLE}.")
    try:
        config: dict[str, Any] = environ.Env.db_url_config(url, engine=ENGINE)
    except ValueError:
        # The parser's own words quote what it tripped over, which may be the password.
        raise ImproperlyConfigured(
            f"{named} cannot be read. Give the port as a number, and percent-encode / # ? @ : in "
            "the user and the password."
        ) from None
    if not config.get("NAME"):
        raise ImproperlyConfigured(
            f"{named} names no database; add one after the last slash, for example {EXAMPLE}."
        )
    _check_options(config, named)
    # A socket's folder is a percent-encoded host, as libpq has it; environ leaves that encoded.
    return {**config, "HOST": unquote(config["HOST"]), "CONN_HEALTH_CHECKS": True}


def _check_options(config: dict[str, Any], named: str) -> None:
    options = config.get("OPTIONS", {})
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()} | _DJANGOS
    if unknown := sorted(options.keys() - known):
        raise ImproperlyConfigured(
            f"{named} has an option that neither PostgreSQL nor Django knows: "
            f"{', '.join(unknown)}. See docs/settings.md."
        )
    numbers = {name: options[name] for name in _NUMBERS if name in options}
    for name, value in {**numbers, "conn_max_age": config.get("CONN_MAX_AGE", 0)}.items():
        if value is not None and not isinstance(value, int | float):
            raise ImproperlyConfigured(f"{named}: the option {name} must be a number.")
