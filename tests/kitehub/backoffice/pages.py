"""Forms of the admin as a browser has them: filled in from the page, then sent."""

from collections.abc import Iterable
from html.parser import HTMLParser
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from kitehub.models import User


class _Form(HTMLParser):
    """Collects what a browser would send of the page's last form."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._select = self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form" and given.get("method") == "post":
            self.values = {}
        elif tag == "input" and name and given.get("type") not in {"submit", "checkbox", "radio"}:
            self.values[name] = given.get("value", "")
        elif tag == "input" and "checked" in given:
            self.values[name] = given.get("value", "on")
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in given:
            self.values[self._select] = given.get("value", "")
        elif tag == "textarea":
            self._textarea = name
            self.values[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._textarea = ""

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.values[self._textarea] += data


def form_of(page: HttpResponse) -> dict[str, str]:
    """What the page's form would send if nobody touched it."""
    assert page.status_code == 200
    form = _Form()
    form.feed(page.content.decode())
    # A browser drops the newline right after <textarea>.
    return {name: value.removeprefix("\n").strip("\r") for name, value in form.values.items()}


def page_url(row: Any, name: str = "change") -> str:
    """The address of one of a row's pages."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{name}", args=[row.pk])


def list_url(model: Any) -> str:
    """The address of a model's list."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def opened(client: Client, row: Any) -> dict[str, str]:
    """The form of a row's page, as somebody has it open."""
    return form_of(client.get(page_url(row)))


def save(client: Client, row: Any, form: dict[str, str] | None = None, **entered: str) -> Any:
    """Opens the row's page unless it is open already, enters values and saves; the answer."""
    form = opened(client, row) if form is None else form
    return client.post(page_url(row), {**form, **entered})


def act(client: Client, row: Any, name: str, **said: str) -> Any:
    """Sends an action's dialog, and once more where it first shows what will come of it."""
    sent = {"_form_submitted": "True", **said}
    answer = client.post(page_url(row, name), sent, follow=True)
    plan = form_of(answer).get("plan") if answer.status_code == 200 else None
    if not plan or answer.redirect_chain:
        return answer
    return client.post(page_url(row, name), {**sent, "plan": plan}, follow=True)


def act_on_all(client: Client, address: str, action: str, rows: Iterable[Any], **said: str) -> Any:
    """Sends a bulk action that asks first, and what it asks for; the page of the results.

    The page that asks where nothing can be done, or what is said won't do.
    """
    sent = {"action": action, ACTION_CHECKBOX_NAME: [str(row.pk) for row in rows]}
    page = client.post(address, sent)
    told = form_of(page)
    asked = {name: told[name] for name in ("run", "confirmed") if name in told}
    return client.post(address, {**sent, **asked, **said}, follow=True) if asked else page


def results_of(page: Any) -> dict[str, bool]:
    """Of each row of a bulk action's page, whether it is done or can be."""
    return {outcome.row: outcome.done for outcome in page.context["outcomes"]}


def messages_of(answer: Any) -> list[str]:
    """What the page says at its top."""
    return [str(message) for message in answer.context["messages"]]


def signed_in(login: str) -> Client:
    """Another superuser's browser."""
    client = Client()
    client.force_login(User.objects.create_superuser(login, "a long password"))
    return client
