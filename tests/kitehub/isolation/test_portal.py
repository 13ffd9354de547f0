"""No page of a school opens for anybody but its owner, nor gives or takes anything of another's."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.models import Receipt
from billing.services import receipts
from kitehub.models import Instance
from tests.factories.billing import PaymentOrderFactory
from tests.factories.kitehub import UserFactory
from tests.kitehub.isolation.conftest import Pair
from tests.kitehub.isolation.routes import Route, routes
from tests.kitehub.isolation.test_routes import furnish, marks, stored

# What the parameters of a route may be beside the subdomain, for a school that has such a row. A
# new one needs its line.
ROWS: dict[str, Callable[[Instance], Any]] = {
    "code": lambda school: _receipt(school).order.order_id,
    "year": lambda school: _receipt(school).year,
    "number": lambda school: _receipt(school).number,
}
# Those that are no rows, so that ours is ours whatever they are.
WORDS = {"tier": "BASIC"}


def _receipt(school: Instance) -> Receipt:
    """A receipt of theirs, with its order."""
    found = Receipt.objects.filter(instance=school).first()
    if found is not None:
        return found
    order = PaymentOrderFactory(instance=school, paid=True)
    return receipts.issue(order=order, at=timezone.now())


def pages() -> list[Route]:
    return [route for route in routes() if route.of_a_school]


def address(route: Route, school: Instance, rows_of: Instance) -> str:
    rows = {
        name: WORDS[name] if name in WORDS else ROWS[name](rows_of)
        for name in route.parameters
        if name != "subdomain"
    }
    return reverse(route.name, kwargs={"subdomain": school.subdomain, **rows})


def answers(client: Client, url: str) -> Iterator[tuple[str, Any]]:
    for method in ("get", "head", "post", "put", "delete"):
        yield method, getattr(client, method)(url)


def platform(school: Instance) -> Any:
    return Instance.objects.filter(pk=school.pk).values().get()


def try_all(pair: Pair) -> None:
    furnish(pair)
    _receipt(pair.theirs)
    before = stored(pair), platform(pair.theirs)
    other, staff = Client(), Client()
    other.force_login(pair.ours.owner)
    staff.force_login(UserFactory(superuser=True))
    for route in pages():
        # Their page, and our page with a row of theirs.
        urls = [address(route, pair.theirs, pair.theirs)]
        if set(route.parameters) & set(ROWS):
            urls.append(address(route, pair.ours, pair.theirs))
        for url in urls:
            for client in (other, staff):
                for method, answer in answers(client, url):
                    assert answer.status_code in {404, 405}, (method, url)
                    assert not [mark for mark in marks(pair.theirs)[2:] if mark in answer.content]
        for method, answer in answers(Client(), urls[0]):
            assert answer.status_code in {302, 405}, (method, url)
            assert answer.status_code == 405 or answer["Location"].startswith("/login/?next=")
    assert (stored(pair), platform(pair.theirs)) == before


def test_in_the_pool_an_owner_gets_nothing_of_another_school(pool: Pair) -> None:
    try_all(pool)


def test_across_silos_an_owner_gets_nothing_of_another_school(silos: Pair) -> None:
    try_all(silos)


def test_control_the_same_pages_open_for_their_owner(pool: Pair) -> None:
    furnish(pool)
    client = Client()
    client.force_login(pool.theirs.owner)
    assert pages()
    for route in pages():
        answer = client.get(address(route, pool.theirs, pool.theirs))
        assert answer.status_code in {200, 302, 405}, route.pattern


@pytest.mark.django_db
def test_the_list_of_schools_is_ones_own(pool: Pair) -> None:
    furnish(pool)
    client = Client()
    client.force_login(pool.ours.owner)
    page = client.get("/").content
    assert pool.ours.subdomain.encode() in page
    assert not [mark for mark in marks(pool.theirs) if mark in page]
