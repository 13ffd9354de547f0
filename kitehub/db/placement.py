"""Where an instance's tables live: so far, all in the pool."""

from django.db import connections


def pool_url() -> str:
    """The address of the platform's own database, the pool, without user or password."""
    settings = connections["default"].settings_dict
    host, port = settings.get("HOST") or "", settings.get("PORT") or ""
    # The embedded server's host is a socket's folder of one machine, no address to keep.
    address = "" if host.startswith("/") else f"{host}:{port}" if port else host
    return f"postgres://{address}/{settings['NAME']}"
