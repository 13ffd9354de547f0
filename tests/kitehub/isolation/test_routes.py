"""No address gives a program, or the owner of an instance, anything of another's."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.test import Client
from django.urls import resolve, reverse

from billing.models import PaymentOrder
from billing.services.orders import open_enrollment
from kitehub import tenancy
from kitehub.enums import Tier
from kitehub.models import Instance, InstanceConfig
from tests.factories.billing import PaymentOrderFactory, SubscriptionFactory
from tests.factories.kitehub import ApiKeyFactory
from tests.kitehub.api.conftest import program
from tests.kitehub.isolation.conftest import FACTORIES, TENANTS, Pair
from tests.kitehub.isolation.routes import (
    API,
    OPEN,
    ORDERS,
    PROBES,
    SAME_REFERENCE,
    Route,
    codes_of,
    operations,
    routes,
)

# What their rows say and nobody else's.
TELLING = 424_242


@pytest.fixture(autouse=True)
def _any_host(settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]


def furnish(pair: Pair) -> None:
    """Gives both all that an answer could be made of, theirs recognizable."""
    for school, limit in ((pair.ours, 1), (pair.theirs, TELLING)):
        tier = Tier.STANDARD if school is pair.ours else Tier.PREMIUM
        SubscriptionFactory(instance=school, tier=tier)
        with tenancy.use(school):
            InstanceConfig.objects.create(tier=tier, limitations={"maxCourses": limit})
        for model in TENANTS:
            pair.row(model, school)
        account = {"bank_code": "970422", "account_number": f"{limit}000", "account_name": "A"}
        Instance.objects.filter(pk=school.pk).update(**account)
        open_enrollment(
            instance=Instance.objects.get(pk=school.pk),
            actor="t",
            amount=limit,
            course_id=school.subdomain,
            student_name="An",
            client_reference=SAME_REFERENCE,
        )


def marks(theirs: Instance) -> list[bytes]:
    """By what an answer would give away that it is about them."""
    texts = [
        str(theirs.pk),
        theirs.pk.hex,
        theirs.subdomain,
        theirs.organization_name,
        theirs.owner.email,
        str(TELLING),
        *codes_of(theirs),
    ]
    return [text.encode() for text in texts]


def stored(pair: Pair) -> list[Any]:
    orders = PaymentOrder.all_objects.filter(instance=pair.theirs).order_by("pk").values()
    return [*(pair.stored(pair.row(model, pair.theirs)) for model in TENANTS), *orders]


# --- All addresses are known --------------------------------------------------------------------


def test_every_address_is_an_operation_of_the_api_or_the_admin_or_a_schools_or_open() -> None:
    """A new one comes into PROBES, under OF_A_SCHOOL, or into OPEN with a reason."""
    # Where ninja writes {code}, Django has <code>.
    of_the_api = {path.replace("{", "<").replace("}", ">") for _, path in operations()}
    unknown = [
        route.pattern
        for route in routes()
        if not (route.in_the_admin or route.of_a_school)
        and route.pattern not in of_the_api | set(OPEN)
    ]
    assert unknown == []


def test_every_operation_of_the_api_has_a_probe() -> None:
    assert operations() == set(PROBES)


def test_control_an_operation_without_a_probe_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(PROBES, ("GET", f"{API}entitlements"))
    with pytest.raises(AssertionError):
        test_every_operation_of_the_api_has_a_probe()
    monkeypatch.delitem(OPEN, "healthz")
    with pytest.raises(AssertionError, match="healthz"):
        test_every_address_is_an_operation_of_the_api_or_the_admin_or_a_schools_or_open()


@pytest.mark.django_db
@pytest.mark.parametrize("path", sorted(OPEN))
def test_open_page_reaches_no_tenants_table(
    path: str, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reached(*args: Any) -> Any:
        raise AssertionError("an open page asked for a tenant's table")

    monkeypatch.setattr("kitehub.tenancy.base.scoped", reached)
    path = re.sub("<[^>]+>", "x", path)
    assert client.get(f"/{path}").status_code in {200, 302, 404, 405}


# --- Operations of the API ----------------------------------------------------------------------


def try_all(pair: Pair) -> None:
    furnish(pair)
    client, before = program(pair.ours), stored(pair)
    given_away = marks(pair.theirs)
    for (method, path), probe in PROBES.items():
        answers = list(probe(client, pair.theirs))
        assert answers, (method, path)
        for answer in answers:
            assert not [mark for mark in given_away if mark in answer.content], (method, path)
            assert answer.status_code < 500
            assert [value for _, value in answer.items() if str(TELLING) in value] == []
    assert stored(pair) == before


def test_in_the_pool_a_key_gets_nothing_of_another_instance(pool: Pair) -> None:
    try_all(pool)


def test_across_silos_a_key_gets_nothing_of_another_instance(silos: Pair) -> None:
    try_all(silos)


def test_control_their_own_key_gets_what_ours_may_not(pool: Pair) -> None:
    furnish(pool)
    answer = program(pool.theirs).get(f"/{API}entitlements")
    found = [mark for mark in marks(pool.theirs) if mark in answer.content]
    assert found == [str(pool.theirs.pk).encode(), str(TELLING).encode()]
    (code,) = codes_of(pool.theirs)
    for path in (ORDERS, f"{ORDERS}/{code}"):
        answer = program(pool.theirs).get(f"/{path}")
        found = [mark for mark in marks(pool.theirs) if mark in answer.content]
        assert found == [each.encode() for each in (pool.theirs.subdomain, str(TELLING), code)]
    for path in ("qr.svg", "qr.png"):
        assert program(pool.theirs).get(f"/{ORDERS}/{code}/{path}").status_code == 200
    assert program(pool.theirs).post(f"/{ORDERS}/{code}/cancel").json()["status"] == "CANCELLED"


def test_reference_of_another_instance_is_free(pool: Pair) -> None:
    furnish(pool)
    PaymentOrder.all_objects.filter(instance=pool.ours).hard_delete()
    order = {"amount": TELLING, "course_id": pool.theirs.subdomain, "student_name": "An"}
    answer = program(pool.ours).post(
        f"/{ORDERS}",
        {**order, "client_reference": SAME_REFERENCE},
        content_type="application/json",
    )
    assert answer.status_code == 201
    assert codes_of(pool.ours) == [answer.json()["code"]] != codes_of(pool.theirs)


def test_naming_another_instance_changes_no_byte_of_the_answer(pool: Pair) -> None:
    furnish(pool)
    client = program(pool.ours)
    plain = client.get(f"/{API}entitlements")
    for answer in PROBES["GET", f"{API}entitlements"](client, pool.theirs):
        assert (answer.content, answer["ETag"]) == (plain.content, plain["ETag"])
    etag = program(pool.theirs).get(f"/{API}entitlements")["ETag"]
    assert client.get(f"/{API}entitlements", headers={"if-none-match": etag}).status_code == 200


def test_without_a_key_no_operation_answers(client: Client, pool: Pair) -> None:
    for method, path in operations():
        assert client.generic(method, f"/{path}").status_code == 401


# --- The back office ----------------------------------------------------------------------------

# The way in, for whoever has a password: it shows a form.
WAY_IN = {"admin:login"}


def _owner(pair: Pair) -> Client:
    client = Client()
    client.force_login(pair.ours.owner)
    return client


def _program(pair: Pair) -> Client:
    return program(pair.ours)


@pytest.mark.parametrize("who", [_owner, _program])
def test_no_page_of_the_back_office_opens_for_an_owner_or_a_key(
    who: Callable[[Pair], Client], pool: Pair
) -> None:
    furnish(pool)
    PaymentOrderFactory(instance=pool.theirs)
    ApiKeyFactory(instance=pool.theirs)
    before, tried = stored(pool), 0
    client = who(pool)
    for route in routes():
        if not route.in_the_admin or route.name in WAY_IN:
            continue
        for url in addresses(route, pool):
            for method in ("get", "post"):
                answer = getattr(client, method)(url)
                assert answer.status_code in {302, 403, 404, 405}, (method, url)
                assert not [mark for mark in marks(pool.theirs)[2:] if mark in answer.content]
                if answer.status_code == 302:
                    # The page for signing in, or, where there is no other, of signing out.
                    assert "/admin/log" in answer["Location"] or url.endswith("logout/"), url
                tried += 1
                if route.name == "admin:logout":
                    client = who(pool)  # the session is over
    assert tried > 100
    assert stored(pool) == before


def addresses(route: Route, pair: Pair) -> list[str]:
    """The addresses of a route, with what is theirs for its parameters."""
    if route.name == "admin:":  # what is nowhere else
        return ["/admin/nothing/"]
    return [reverse(route.name, kwargs=_values(route, pair))]


def _values(route: Route, pair: Pair) -> dict[str, Any]:
    values: dict[str, Any] = {
        "app_label": "kitehub",
        "content_type_id": ContentType.objects.get_for_model(Instance).pk,
        "url": "nothing/",
    }
    return {name: values.get(name, _row_of(route, pair)) for name in route.parameters}


def _row_of(route: Route, pair: Pair) -> str:
    """The key of a row of theirs of the model that a route is about, or the school's own."""
    for model in [*TENANTS, *FACTORIES]:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_"
        if route.name.startswith(name):
            return str(_theirs(model, pair).pk)
    return str(pair.theirs.pk)


def _theirs(model: Any, pair: Pair) -> Model:
    if model in TENANTS:
        found: Model = pair.row(model, pair.theirs)
        return found
    fields = {field.name for field in model._meta.get_fields()}
    manager = model._default_manager
    if "instance" in fields:
        return manager.filter(instance=pair.theirs).first() or pair.theirs
    return pair.theirs.owner if isinstance(pair.theirs.owner, model) else pair.theirs


def test_control_the_same_addresses_open_for_staff(pool: Pair, back_office: Client) -> None:
    furnish(pool)
    for name in ("kitehub_instance_change", "kitehub_instanceconfig_change"):
        (route,) = [each for each in routes() if each.name == f"admin:{name}"]
        (url,) = addresses(route, pool)
        assert resolve(url)
        page = back_office.get(url)
        assert page.status_code == 200
        assert any(mark in page.content for mark in marks(pool.theirs))
