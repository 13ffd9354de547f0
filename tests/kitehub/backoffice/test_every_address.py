"""Every address of the back office, for each role and for those without one: see decisions.py."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import resolve, reverse
from django.utils import timezone

from billing.receipts.content import Party, ReceiptContent
from kitehub.models import SecondFactor, SecurityEvent, StaffRole, User
from kitehub.roles import Role, permissions_of
from tests.factories.billing import ReceiptFactory
from tests.factories.kitehub import SignedInSessionFactory, UserFactory
from tests.kitehub.backoffice.decisions import (
    ADDRESSES,
    BULK,
    ELSEWHERE,
    NOBODY,
    ONLY_READ,
    ONLY_READ_PAGES,
    ONLY_SENT,
    PAGES,
    STAFF,
    needed,
    needed_by_action,
)
from tests.kitehub.backoffice.test_lists import rows  # noqa: F401

PEOPLE = [*Role.values, "superuser", "no role"]
LOGIN = "/admin/login/?next="


class Address:
    """An address with a name, about a row or about none."""

    def __init__(self, name: str, keys: tuple[str, ...]) -> None:
        self.name = name
        self.keys = keys
        parts = name.split("_", 2)
        self.label = ".".join(parts[:2]) if ".".join(parts[:2]) in PAGES else ""
        if name == "auth_user_password_change":
            self.label = "kitehub.user"

    def url(self, row: Any) -> str:
        args = ["csv" if key == "kind" else row.pk for key in self.keys]
        return reverse(f"admin:{self.name}", args=args)


def walk(patterns: Any) -> Iterator[Address]:
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from walk(pattern.url_patterns)
        elif pattern.name is not None and pattern.name not in ELSEWHERE:
            yield Address(pattern.name, tuple(pattern.pattern.converters))


pytestmark = pytest.mark.usefixtures("undrawn")

EVERY = list(walk(admin.site.urls[0]))
MODELS = {model._meta.label_lower: model for model in admin.site._registry}


@pytest.fixture
def everything(rows: None) -> dict[str, Any]:  # noqa: F811
    """A row of every model in the admin."""
    someone = UserFactory(staff=True)
    SecurityEvent.objects.create(kind="SIGNED_IN", login="lan@example.vn")
    SignedInSessionFactory(user=someone)
    SecondFactor.objects.create(user=someone, secret="JBSWY3DPEHPK3PXP")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status, args)"
            " VALUES ('default', 'kitehub.tasks.send_email', 'todo', '{}')"
        )
    found = {label: model._base_manager.first() for label, model in MODELS.items()}
    assert [label for label, row in found.items() if row is None] == [], "the test needs a row"
    found["kitehub.user"] = UserFactory()
    shop = Party(name="KiteHub")
    said = ReceiptContent(
        number="2026/1",
        issued_at=timezone.now(),
        issuer=shop,
        payer=shop,
        order_code="KH7Q2M4X9A",
        amount=1,
    )
    found["billing.receipt"] = ReceiptFactory(content=said.to_json())
    return found


def person(who: str) -> User:
    if who == "superuser":
        return UserFactory(superuser=True)
    member = UserFactory(staff=True)
    if who in Role.values:
        member.groups.add(StaffRole.objects.get(pk=who).group)
    return member


def may(who: str, need: str) -> bool:
    if need == NOBODY:
        return False
    if need == STAFF or who == "superuser":
        return True
    return who in Role.values and set(need.split()) <= permissions_of(Role(who))


def answers(name: str) -> set[int]:
    """What a page answers to whom it is for; scripts ask the one that says nothing."""
    return {204} if name == "kitehub_user_signed_in" else {200, 302}


def is_only_read(name: str) -> bool:
    return name in ONLY_READ or name.endswith(ONLY_READ_PAGES)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def ask(client: Client, method: str, url: str) -> HttpResponse:
    """The answer, and nothing of what it may have written."""
    with transaction.atomic():
        answer = client.get(url) if method == "GET" else client.post(url, {})
        transaction.set_rollback(True)
    return answer


def test_somebody_has_decided_about_every_address() -> None:
    assert {label: "" for label in MODELS if label not in PAGES} == {}
    names = {address.name for address in EVERY}
    undecided = []
    for name in names:
        try:
            needed(name, "GET"), needed(name, "POST")
        except (KeyError, ValueError):
            undecided.append(name)
    assert undecided == [], "decide in decisions.py"
    assert set(ADDRESSES) - names == set(), "no such address any more"
    offered = {action for each in admin.site._registry.values() for action in each.actions}
    assert {action if isinstance(action, str) else action.__name__ for action in offered} == set(
        BULK
    )
    # Addresses without a name lead to a row's page, and are of the same model.
    assert len(EVERY) > 200


@pytest.mark.parametrize("who", PEOPLE)
def test_each_address_answers_whom_it_is_for(who: str, everything: dict[str, Any]) -> None:
    client = signed_in(person(who))
    wrong = []
    for address in EVERY:
        url = address.url(everything.get(address.label))
        for method in ("GET", "POST"):
            allowed = may(who, needed(address.name, method))
            if who == "superuser" and allowed and method == "GET":
                continue  # other tests open them all
            answer = ask(client, method, url)
            expected = answers(address.name) if allowed else {403}
            if is_only_read(address.name) if method == "POST" else address.name in ONLY_SENT:
                expected = {405}
            if answer.status_code not in expected:
                wrong.append((method, url, answer.status_code))
            for button in buttons(answer):
                if not may(who, needed(button, "GET")):
                    wrong.append((method, url, button))
    assert not wrong, "\n".join(map(str, wrong))


def buttons(answer: HttpResponse) -> Iterator[str]:
    """The names of the addresses that a page's buttons lead to."""
    context = getattr(answer, "context_data", None) or {}
    for kind in ("actions_list", "actions_detail"):
        for offered in context.get(kind) or ():
            for each in offered.get("items", [offered]):
                yield str(resolve(each["path"]).url_name)


@pytest.mark.parametrize("who", ["nobody", "a customer"])
def test_whoever_is_no_staff_is_asked_to_sign_in(who: str, everything: dict[str, Any]) -> None:
    client = Client() if who == "nobody" else signed_in(UserFactory())
    wrong = []
    for address in EVERY:
        url = address.url(everything.get(address.label))
        for method in ("GET", "POST"):
            answer = ask(client, method, url)
            if (answer.status_code, answer.get("Location", "")[: len(LOGIN)]) != (302, LOGIN):
                wrong.append((method, url, answer.status_code))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("who", PEOPLE)
def test_only_what_may_be_done_is_offered(who: str, everything: dict[str, Any]) -> None:
    request = RequestFactory().get("/")
    request.user = person(who)
    for model, page in admin.site._registry.items():
        label = model._meta.label_lower
        bulk = (
            {name: needed_by_action(label, name) for name in page._get_base_actions_names()}
            if (hasattr(page, "_get_base_actions_names"))
            else {name: needed_by_action(label, name) for _, name, _ in page._get_base_actions()}
        )
        # Restoring is offered where deleted rows are shown.
        assert {*page.get_actions(request), "restore_selected"} == {
            *(name for name, need in bulk.items() if may(who, need)),
            "restore_selected",
        }, label
        row = everything[label]
        for declared, offered in (
            (page._get_base_actions_detail(), page.get_actions_detail(request, row.pk)),
            (page._get_base_actions_row(), page.get_actions_row(request)),
            (page._get_base_actions_list(), page.get_actions_list(request)),
        ):
            names = {each.action_name for each in declared}
            assert {each.action_name for each in offered} == {
                name for name in names if may(who, needed(name, "GET"))
            }, label
        assert not page.actions_submit_line, "decide about buttons beside Save too"


@pytest.mark.parametrize("who", PEOPLE)
def test_rows_are_only_suggested_to_those_who_may_see_them(who: str, db: None) -> None:
    client = signed_in(person(who))
    asked = 0
    for model, page in admin.site._registry.items():
        for field in page.get_autocomplete_fields(None):
            target = model._meta.get_field(field).remote_field.model._meta
            sent = {
                "app_label": model._meta.app_label,
                "model_name": model._meta.model_name,
                "field_name": field,
            }
            status = client.get(reverse("admin:autocomplete"), sent).status_code
            need = f"{target.app_label}.view_{target.model_name}"
            assert status == (200 if may(who, need) else 403), (model, field)
            asked += 1
    assert asked >= 3


@pytest.mark.parametrize("who", PEOPLE)
def test_an_app_is_listed_for_those_who_see_something_of_it(who: str, db: None) -> None:
    client = signed_in(person(who))
    for app in {label.split(".")[0] for label in MODELS}:
        models = [label.split(".")[1] for label in MODELS if label.startswith(f"{app}.")]
        sees = any(may(who, f"{app}.view_{model}") for model in models)
        status = client.get(reverse("admin:app_list", args=[app])).status_code
        assert status == (200 if sees else 404), app


def test_a_bulk_action_sent_by_hand_does_nothing(everything: dict[str, Any]) -> None:
    instance = everything["kitehub.instance"]
    client = signed_in(person(Role.SUPPORT))
    url = reverse("admin:kitehub_instance_changelist")
    for action in ("delete_selected", "suspend_all"):
        sent = {"action": action, "_selected_action": str(instance.pk), "post": "yes"}
        client.post(url, {**sent, "reason": "x", "confirmed": "on"})
    before = (instance.status, instance.deleted, instance.version)
    instance.refresh_from_db()
    assert (instance.status, instance.deleted, instance.version) == before


def test_a_renamed_group_keeps_its_role_and_an_inactive_member_has_none(db: None) -> None:
    member = person(Role.FINANCE)
    Group.objects.filter(role__role=Role.FINANCE).update(name="Phòng kế toán")
    client = signed_in(member)
    url = reverse("admin:billing_paymentorder_changelist")
    assert client.get(url).status_code == 200
    User.objects.filter(pk=member.pk).update(is_active=False)
    assert client.get(url)["Location"].startswith(LOGIN)
