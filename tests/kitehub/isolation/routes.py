"""Every address of the site, from the URL conf, and how a program tries each operation of the API.

A new operation fails test_routes.py until it has a probe here; a new page until it is in OPEN.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, get_resolver

from kitehub.api import api
from kitehub.models import Instance

API = "api/v1/"
# Pages for everybody, which know of no instance.
OPEN = {
    "": "whoever isn't signed in is asked to",
    "login/": "the owners' way in",
    "logout/": "and out",
    "password/": "asks for a link to set a new password",
    "password/<str:uidb64>/<str:token>/": "sets it, for who has the link",
    "qr/<str:token>.svg": "an order's QR code, for whoever has its signed address",
    "qr/<str:token>.png": "the same",
    "i18n/setlang/": "sets the language of a browser",
    "healthz": "whether the process lives",
    "readyz": "whether the database answers",
    f"{API}openapi.json": "the API's own description",
    f"{API}docs": "the same for people",
    API: "nothing; 404",
    f"{API}webhooks/sepay": "takes what SePay sends and answers the same whatever it is",
    f"{API}webhooks/payos": "the same of payOS",
    f"{API}webhooks/casso": "the same of Casso",
}


# Pages of an owner about a school; test_portal.py tries to get at another's.
OF_A_SCHOOL = "schools/<slug:subdomain>/"


@dataclass(frozen=True)
class Route:
    """An address as the URL conf has it, by its names."""

    pattern: str
    name: str
    parameters: tuple[str, ...]

    @property
    def in_the_admin(self) -> bool:
        return self.name.startswith("admin:")

    @property
    def of_a_school(self) -> bool:
        return self.pattern.startswith(OF_A_SCHOOL)


def routes() -> list[Route]:
    """All of them, those of included URL confs as well."""
    return list(_walk(get_resolver(), "", ""))


def _walk(resolver: Any, prefix: str, namespace: str) -> Iterator[Route]:
    for each in resolver.url_patterns:
        path = prefix + str(each.pattern)
        if isinstance(each, URLPattern):
            parameters = tuple(each.pattern.regex.groupindex)
            yield Route(path, f"{namespace}{each.name or ''}", parameters)
        else:
            inner = f"{namespace}{each.namespace}:" if each.namespace else namespace
            yield from _walk(each, path, inner)


def operations() -> set[tuple[str, str]]:
    """Method and path of every operation of the API, as ninja serves them."""
    return {
        (method, f"{API}{bound.prefix}{path}".replace("//", "/"))
        for bound in api._get_bound_routers()
        for path, view in bound.path_operations.items()
        for operation in view.operations
        for method in operation.methods
    }


# --- Probes -------------------------------------------------------------------------------------

# What a program with our key does to get at their rows: the answers, beside a plain one of ours.
Probe = Callable[[Client, Instance], Iterator[HttpResponse]]


def names_them(theirs: Instance) -> Iterator[dict[str, Any]]:
    """Ways to name another instance in a request that have meant something somewhere."""
    for value in (str(theirs.pk), theirs.subdomain):
        for name in ("X-Instance", "X-Instance-Id", "X-Tenant", "X-Tenant-Id", "X-Subdomain"):
            yield {"headers": {name: value}}
        for name in ("instance", "instance_id", "instanceId", "tenant", "subdomain", "id", "key"):
            yield {"query_params": {name: value}}
        for name in ("instance", "instance_id", "tenant"):
            yield {"headers": {"Cookie": f"{name}={value}"}}
    for name in ("Host", "X-Forwarded-Host", "X-Original-Host"):
        yield {"headers": {name: f"{theirs.subdomain}.kitehub.test"}}
    yield {"headers": {"X-Original-URL": f"/{API}entitlements?instance={theirs.pk}"}}


def about_ourselves(method: str, path: str) -> Probe:
    """For an operation that takes no parameter: whoever is named, the answer is ours."""

    def probe(client: Client, theirs: Instance) -> Iterator[HttpResponse]:
        for how in names_them(theirs):
            yield client.generic(method, f"/{path}", **how)

    return probe


PROBES: dict[tuple[str, str], Probe] = {
    (method, f"{API}entitlements"): about_ourselves(method, f"{API}entitlements")
    for method in ("GET", "HEAD")
}
