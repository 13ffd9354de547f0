"""Every address of the site, from the URL conf, and how a program tries each operation of the API.

A new operation fails test_routes.py until it has a probe here; a new page until it is in OPEN.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, get_resolver

from billing.models import PaymentOrder
from kitehub.api import api
from kitehub.models import Instance

API = "api/v1/"
# Pages for everybody, which know of no instance.
OPEN = {
    "": "whoever isn't signed in is asked to",
    "login/": "the owners' way in",
    "login/code/": "its second step, for who has turned codes on",
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


def some_names_of_them(theirs: Instance) -> Iterator[dict[str, Any]]:
    """None and some of the above: what reads them is before the operations, and one for all."""
    yield {}
    yield from islice(names_them(theirs), 0, None, 7)


def about_ourselves(method: str, path: str) -> Probe:
    """For an operation that takes no parameter: whoever is named, the answer is ours."""

    def probe(client: Client, theirs: Instance) -> Iterator[HttpResponse]:
        for how in names_them(theirs):
            yield client.generic(method, f"/{path}", **how)

    return probe


ORDERS = f"{API}orders"
# What both schools call an order of theirs.
SAME_REFERENCE = "GD-1"


def codes_of(theirs: Instance) -> list[str]:
    """Of their orders, which there must be some of."""
    codes = list(PaymentOrder.objects.filter(instance=theirs).values_list("order_id", flat=True))
    assert codes
    return codes


def their_order(method: str, path: str) -> Probe:
    """For an operation on one order: theirs is asked for, and they are named as well."""

    def probe(client: Client, theirs: Instance) -> Iterator[HttpResponse]:
        for code in codes_of(theirs):
            url = f"/{path.format(code=code)}"
            for how in some_names_of_them(theirs):
                answer = client.generic(method, url, **how)
                assert answer.status_code == 404, (method, url)
                yield answer

    return probe


def list_orders(method: str) -> Probe:
    """Their orders are asked for by all that the list is filtered by."""

    def probe(client: Client, theirs: Instance) -> Iterator[HttpResponse]:
        for how in some_names_of_them(theirs):
            yield client.generic(method, f"/{ORDERS}", **how)
        for code in codes_of(theirs):
            yield client.generic(method, f"/{ORDERS}", query_params={"cursor": code})
        for named in ({"client_reference": SAME_REFERENCE}, {"course_id": theirs.subdomain}):
            yield client.generic(method, f"/{ORDERS}", query_params=named)

    return probe


def open_order(client: Client, theirs: Instance) -> Iterator[HttpResponse]:
    """An order is opened under their reference, for their student, and for them."""
    order = {"amount": 5, "course_id": "A", "student_name": "An"}
    for how in some_names_of_them(theirs):
        yield client.post(f"/{ORDERS}", order, content_type="application/json", **how)
    for more in (
        {"client_reference": SAME_REFERENCE},
        {"instance_id": str(theirs.pk)},
        {"instance": theirs.subdomain},
        {"superseded_by": codes_of(theirs)[0]},
    ):
        yield client.post(f"/{ORDERS}", {**order, **more}, content_type="application/json")


PROBES: dict[tuple[str, str], Probe] = {
    **{
        (method, f"{API}entitlements"): about_ourselves(method, f"{API}entitlements")
        for method in ("GET", "HEAD")
    },
    ("POST", ORDERS): open_order,
    **{(method, ORDERS): list_orders(method) for method in ("GET", "HEAD")},
    **{
        (method, f"{ORDERS}/{path}"): their_order(method, f"{ORDERS}/{path}")
        for method, path in (
            ("GET", "{code}"),
            ("HEAD", "{code}"),
            ("GET", "{code}/qr.svg"),
            ("HEAD", "{code}/qr.svg"),
            ("GET", "{code}/qr.png"),
            ("HEAD", "{code}/qr.png"),
            ("POST", "{code}/cancel"),
        )
    },
}
