"""What people see when something is wrong: in house style, in their language, with a way on."""

import re
from typing import Any

import pytest
from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError
from django.http import HttpResponse
from django.template import TemplateDoesNotExist
from django.test import Client, RequestFactory

from kitehub import error_pages
from kitehub.models import User
from tests.factories.kitehub import UserFactory

pytestmark = pytest.mark.django_db


def texts(answer: Any) -> str:
    """What a page says, without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.content.decode()))


@pytest.fixture
def browser() -> Client:
    """Gets the pages of errors, as people do."""
    return Client(raise_request_exception=False)


def test_a_wrong_address_of_the_back_office_keeps_the_menus(back_office: Client) -> None:
    answer = back_office.get("/admin/nothing/")
    assert answer.status_code == 404
    assert "Không có gì ở đây" in texts(answer)
    assert "Giao dịch chuyển khoản" in texts(answer), "the menus"
    assert "Hãy tìm từ trình đơn" in texts(answer)
    back_office.cookies["django_language"] = "en"
    assert "Look for it from the menu" in texts(back_office.get("/admin/nothing/"))


def test_what_a_role_lacks_is_said_and_what_to_do_about_it(client: Client) -> None:
    clerk = User.objects.create_user("clerk@kitehub.test", "a long password", is_staff=True)
    client.force_login(clerk)
    answer = client.get("/admin/billing/paymentorder/")
    assert answer.status_code == 403
    assert "Bạn không có quyền làm việc này" in texts(answer)
    assert "người phân quyền" in texts(answer)
    assert 'href="/admin/"' in answer.content.decode()


def test_errors_of_the_portal_are_in_its_dress(client: Client) -> None:
    client.force_login(UserFactory())
    answer = client.get("/nothing/")
    assert answer.status_code == 404
    assert "Trường của bạn" in texts(answer)
    assert "portal.css" in answer.content.decode()


@pytest.mark.parametrize("path", ["/admin/login/", "/login/"])
def test_a_form_from_elsewhere_is_refused_in_words(path: str) -> None:
    answer = Client(enforce_csrf_checks=True).post(path, {})
    assert answer.status_code == 403
    assert "Vui lòng thử lại" in texts(answer)
    assert "CSRF" not in texts(answer)
    assert "Content-Security-Policy" in answer


@pytest.mark.parametrize(("path", "home"), [("/admin/x/", 'href="/admin/"'), ("/x/", 'href="/"')])
@pytest.mark.parametrize(
    ("language", "said"), [("vi", "Lỗi ở phía chúng tôi"), ("en", "It is our fault")]
)
def test_an_error_of_ours_asks_nobody(
    path: str, home: str, language: str, said: str, django_assert_num_queries: Any
) -> None:
    request = RequestFactory().get(path)
    request.COOKIES["django_language"] = language
    with django_assert_num_queries(0):
        answer = error_pages.server_error(request)
    assert answer.status_code == 500
    assert said in texts(answer)
    assert f'<html lang="{language}">' in answer.content.decode()
    assert home in answer.content.decode()


def test_an_error_of_the_database_is_shown_with_when_it_was(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_database(*args: Any) -> Any:
        raise DatabaseError("gone")

    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", without_database)
    browser.cookies["sessionid"] = "x" * 32
    answer = browser.get("/admin/")
    assert answer.status_code == 500
    assert re.search(r"thời điểm này: \d\d/\d\d/\d{4} \d\d:\d\d:\d\d", texts(answer))
    assert "Content-Security-Policy" in answer


def test_what_cannot_be_read_is_said(browser: Client) -> None:
    answer = browser.get("/admin/", headers={"host": "elsewhere.example"})
    assert answer.status_code == 400
    assert "không đọc được" in texts(answer)
    request = RequestFactory().get("/")
    assert error_pages.bad_request(request, SuspiciousOperation("x")).status_code == 400


def test_a_page_that_cannot_be_drawn_still_says_what_happened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone(*args: Any) -> Any:
        raise TemplateDoesNotExist("bare.html")

    monkeypatch.setattr(error_pages, "render_to_string", gone)
    answer = error_pages.server_error(RequestFactory().get("/"))
    assert "Có lỗi xảy ra" in texts(answer)
    assert "Vui lòng thử lại sau ít phút." in texts(answer)


def test_the_api_answers_with_problems(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    answer: HttpResponse = browser.get("/api/v1/nothing")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
