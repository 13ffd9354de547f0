"""Whatever goes wrong below /api/, the answer is a problem detail, and never a 500 for rubbish."""

from typing import Any

import pytest
from django.http import Http404
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as few
from hypothesis import strategies as st

from analytics.models import GuestEvent
from kitehub.api import entitlements
from kitehub.models import Instance
from tests.kitehub.api.conftest import URL, program

pytestmark = pytest.mark.django_db


def assert_problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Length"] == str(len(answer.content))
    assert answer["X-Content-Type-Options"] == "nosniff"
    body: dict[str, Any] = answer.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["title"]
    assert body["detail"]
    return body


@pytest.mark.parametrize(
    "path",
    ["/api/", "/api/v1/", "/api/v1/nothing", "/api/v2/entitlements", "/api/v1/%00", "/api/v1/é"],
)
@pytest.mark.parametrize("debug", [True, False])
def test_unknown_address_is_404(path: str, debug: bool, client: Client, settings) -> None:
    settings.DEBUG = debug
    assert_problem(client.get(path), 404, "not_found")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_wrong_method_is_405_and_says_which_there_are(method: str, school: Instance) -> None:
    answer = getattr(program(school), method)(URL)
    assert_problem(answer, 405, "method_not_allowed")
    assert {each.strip() for each in answer["Allow"].split(",")} == {"GET", "HEAD"}


def test_wrong_host_is_400(client: Client) -> None:
    assert_problem(client.get(URL, headers={"host": "x y"}), 400, "bad_request")


def test_words_are_vietnamese_and_english_for_whoever_chose_it(client: Client) -> None:
    assert client.get(URL).json()["detail"] == "Cần có khóa API: Authorization: Bearer …"
    client.cookies["django_language"] = "en"
    assert client.get(URL).json()["detail"] == "An API key is needed: Authorization: Bearer …"


class TestFault:
    @pytest.fixture
    def answer(self, monkeypatch: pytest.MonkeyPatch, school: Instance) -> Any:
        def ask(error: BaseException | Any) -> Any:
            def broken(*args: Any, **kwargs: Any) -> Any:
                if callable(error):
                    return error()
                raise error

            monkeypatch.setattr(entitlements, "entitlements_of", broken)
            client = program(school)
            client.raise_request_exception = False
            return client.get(URL)

        return ask

    @pytest.mark.parametrize("debug", [True, False])
    def test_of_ours_is_logged_and_told_without_its_insides(
        self, answer: Any, debug: bool, settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.DEBUG = debug
        got = answer(RuntimeError("s3cret"))
        assert_problem(got, 500, "internal_error")
        assert "s3cret" not in got.content.decode()
        assert "s3cret" in caplog.text

    def test_code_that_forgets_the_instance_fails_rather_than_shows_all(self, answer: Any) -> None:
        """The decorator names it; here that is undone, as code outside of it would find it."""
        from kitehub.tenancy import context

        def forgetful() -> Any:
            token = context._scope.set(None)
            try:
                return GuestEvent.objects.count()
            finally:
                context._scope.reset(token)

        assert_problem(answer(forgetful), 500, "internal_error")

    def test_what_is_not_there_is_404(self, answer: Any) -> None:
        assert_problem(answer(Http404("s3cret")), 404, "not_found")


# Header values as WSGI and ASGI servers let them through: no line breaks.
RUBBISH = st.text(
    st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=60
) | st.sampled_from(["Bearer " + "a" * 70_000, "kh_live_" + "0" * 10 + "_" + "0" * 49, "\x00"])


class TestRubbish:
    @few(
        max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(
        path=st.text(st.characters(codec="utf-8"), max_size=20),
        query=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
        headers=st.dictionaries(
            st.sampled_from(["if-none-match", "if-match", "accept", "x-instance", "cookie"])
            | st.sampled_from(["content-type", "if-modified-since", "range", "host"]),
            RUBBISH,
            max_size=3,
        ),
        method=st.sampled_from(["get", "head", "post", "put", "delete"]),
        body=st.binary(max_size=30),
        known=st.booleans(),
    )
    def test_is_answered_and_never_with_a_fault(
        self,
        path: str,
        query: Any,
        headers: Any,
        method: str,
        body: bytes,
        known: bool,
        asker: Client,
    ) -> None:
        answer = asker.generic(
            method.upper(),
            URL if known else f"/api/v1/{path}",
            body,
            content_type=headers.pop("content-type", "application/json") or "x",
            headers=headers,
            query_params=query,
        )
        assert answer.status_code < 500
        if answer.status_code >= 400:
            assert answer["Content-Type"] == "application/problem+json"

    @few(
        max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(said=RUBBISH | RUBBISH.map("Bearer {}".format))
    def test_is_no_key(self, said: str, client: Client) -> None:
        answer = client.get(URL, headers={"authorization": said})
        assert_problem(answer, 401, answer.json()["code"])

    @pytest.fixture
    def asker(self, school: Instance) -> Client:
        return program(school)
