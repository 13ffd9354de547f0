"""Of every page of the back office: no inline code, nothing from another host, no English."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from kitehub.models import Instance, User
from tests.kitehub.backoffice.pages import list_url, page_url
from tests.kitehub.backoffice.test_lists import rows

__all__ = ["rows"]
REGISTERED = list(admin.site._registry)
INLINE = re.compile(
    # A script of data is none to a browser.
    r"<script(?![^>]*\b(?:src=|type=\"application/json\"))|<style|\sstyle=|\son[a-z]+="
)
ELSEWHERE = re.compile(r"""(?:src|href|action|srcset|poster)=["']?(?:https?:)?//[^"'\s>]*""")
# Where links may lead that people follow: the names that forms and pages show.
LINKS = re.compile(r"<a\s[^>]*>")


def complaints(markup: str) -> list[str]:
    """What browsers would refuse, with what stands after it."""
    code = re.sub(r"<!--.*?-->", "", markup, flags=re.DOTALL)
    loaded = LINKS.sub("", code)
    found = [code[it.start() : it.start() + 120] for it in INLINE.finditer(code)]
    return [*found, *(it[0] for it in ELSEWHERE.finditer(loaded))]


# Of what buttons, fields and messages say in English; no name of a bank has any of them.
ENGLISH = re.compile(
    r"\b(?:select|save|delete|add|view|change|search|filter|close|cancel|submit|show|choose|run|"
    r"clear|reset|results?|please|enter|required|loading|this|you|your|has|been|are)\b",
    re.IGNORECASE,
)
NO_TEXT = re.compile(
    r"<(script|style|textarea)[^>]*>.*?</\1>|<span[^>]*material-symbols[^>]*>[^<]*</span>|"
    r"x-[\w:.-]+=\"[^\"]*\"",
    re.DOTALL,
)


def english(markup: str) -> list[str]:
    """What the page says in English, seen or read out."""
    visible = NO_TEXT.sub("", markup)
    said = re.findall(r"\b(?:title|aria-label|placeholder|alt)=\"([^\"]*)\"", visible)
    said += re.split(r"<[^>]*>", visible)
    return [
        text.strip()
        for text in said
        # The tables of the queue are its own, and nobody is given powers over them.
        if text.isascii() and ENGLISH.search(text) and not text.startswith("Procrastinate | ")
    ]


def policy_of(answer: Any) -> dict[str, str]:
    """The directives that came with a page."""
    header = answer["Content-Security-Policy"]
    return dict(part.split(" ", 1) for part in header.split("; "))


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.model_name)
def test_pages_of_a_table_are_within_the_policy_and_in_vietnamese(
    model: type, back_office: Client, rows: None
) -> None:
    row = model._base_manager.first()
    pages = [list_url(model), list_url(model) + "add/"]
    pages += [page_url(row, name) for name in ("change", "delete", "history")] if row else []
    for path in pages:
        answer = back_office.get(path)
        assert complaints(answer.content.decode()) == [], path
        assert english(answer.content.decode()) == [], path
        assert policy_of(answer)["style-src"] == "'self'"


@pytest.mark.parametrize("name", ["login", "index", "password_change", "jsi18n", "app_list"])
def test_the_other_pages_are_within_it_too(name: str, back_office: Client) -> None:
    browser = Client() if name == "login" else back_office
    answer = browser.get(reverse(f"admin:{name}", args=["billing"] if name == "app_list" else []))
    assert complaints(answer.content.decode()) == []
    assert name == "jsi18n" or english(answer.content.decode()) == []
    assert answer.status_code == 200


def test_the_policy_lets_in_our_own_files_and_what_alpine_needs(back_office: Client) -> None:
    policy = policy_of(back_office.get("/admin/"))
    assert policy.pop("script-src") == "'self' 'unsafe-eval'"
    assert policy.pop("img-src") == "'self' data:"
    assert policy.pop("default-src") == policy.pop("base-uri") == "'none'"
    assert policy.pop("frame-ancestors") == "'none'"
    assert set(policy.values()) == {"'self'"}


def test_the_api_has_one_for_its_documentation_alone(client: Client) -> None:
    assert "Content-Security-Policy" not in client.get("/api/v1/openapi.json")
    answer = client.get("/api/v1/docs")
    policy = policy_of(answer)
    assert (policy["script-src"], policy["connect-src"]) == ("'self'", "'self'")
    assert (policy["default-src"], policy["frame-ancestors"]) == ("'none'", "'none'")
    # What is inline there is data for the script, which browsers don't run.
    inline = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", answer.content.decode())
    assert inline == ['<script type="application/json" id="swagger-settings">']


def test_what_browsers_would_refuse_is_found() -> None:
    bad = [
        "<script>alert(1)</script>", '<p style="x">', "<style>", '<b onclick="x()">',
        '<script src="https://cdn.example/x.js"></script>', "<img src=//elsewhere/x.png>",
    ]  # fmt: skip
    assert [markup for markup in bad if not complaints(markup)] == []
    good = '<script src="/x.js"></script><a href="https://truong.example">x</a>'
    assert complaints(good) == []


def test_english_is_found_and_vietnamese_is_not() -> None:
    assert english('<button title="Close">Lưu</button><p>Select all</p>') == ["Close", "Select all"]
    assert english('<p>Chọn tất cả</p><span class="material-symbols-outlined">close</span>') == []


def test_the_school_and_staff_of_the_pages_are_there(rows: None, staff: User) -> None:
    """Otherwise the tests above would have looked at empty lists."""
    assert Instance.objects.count() >= 3
    assert staff.is_superuser
