"""Where a school's tables can live, for forms."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext

# The names of KITEHUB_SILO_SERVERS come behind the prefix.
POOL, SILO, SERVER = "pool", "silo", "silo:"


def places_to_live() -> list[tuple[str, Any]]:
    """The pool, and a database of its own on the platform's server or on one of the settings'."""
    on = gettext("A database of its own on the server %(name)s")
    return [
        (POOL, gettext("In the pool")),
        (SILO, gettext("A database of its own on the platform's server")),
        *((SERVER + name, on % {"name": name}) for name in settings.KITEHUB_SILO_SERVERS),
    ]
