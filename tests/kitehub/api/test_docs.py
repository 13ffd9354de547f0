"""The API describes itself, from this host alone; and the site says whether it is up."""

import re
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.db import OperationalError, connection
from django.test import Client

from kitehub.models import Instance
from tests.billing.api.conftest import URL as ORDERS
from tests.billing.api.conftest import ask
from tests.kitehub.api.conftest import URL, program

pytestmark = pytest.mark.django_db


def test_page_takes_nothing_from_another_host(client: Client) -> None:
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    found = re.findall(r"""(?:src|href)=["']([^"']+)""", page.content.decode())
    assert len(found) >= 4
    for address in found:
        assert address.startswith("/static/ninja/"), address
        assert finders.find(address.removeprefix("/static/")), address


def test_schema_says_every_operation_once_with_its_errors(client: Client) -> None:
    schema = client.get("/api/v1/openapi.json").json()
    operations = [operation for path in schema["paths"].values() for operation in path.values()]
    ids = [each["operationId"] for each in operations]
    assert len(ids) == len(set(ids)) > 0
    for each in operations:
        assert {"401", "403", "422", "500", "503"} <= set(each["responses"])
        assert each["security"] == [{"ApiKeyAuth": []}]
        refused = each["responses"]["401"]["content"]
        assert refused == {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        }
    assert schema["components"]["securitySchemes"]["ApiKeyAuth"] == {
        "type": "http",
        "scheme": "bearer",
    }


def test_answers_are_as_the_schema_says(client: Client, school: Instance) -> None:
    schema = client.get("/api/v1/openapi.json").json()
    named = schema["components"]["schemas"]

    def fits(value: Any, said: dict[str, Any]) -> None:
        """What of JSON Schema this API uses."""
        if "$ref" in said:
            return fits(value, named[said["$ref"].rpartition("/")[2]])
        if "anyOf" in said:
            wanted = [
                each for each in said["anyOf"] if (each.get("type") == "null") == (value is None)
            ]
            return fits(value, wanted[0])
        kinds = {
            "array": list,
            "object": dict,
            "string": str,
            "integer": int,
            "boolean": bool,
            "null": type(None),
        }
        assert isinstance(value, kinds[said["type"]]), (value, said)
        assert "enum" not in said or value in said["enum"]
        for name in said.get("required", ()):
            assert name in value
        for name, each in said.get("properties", {}).items():
            if isinstance(value, dict) and name in value:
                fits(value[name], each)
        for each in value if isinstance(value, list) else ():
            fits(each, said["items"])
        if "additionalProperties" in said and isinstance(said["additionalProperties"], dict):
            for each in value.values():
                fits(each, said["additionalProperties"])
        return None

    def answer_of(path: str, method: str = "get", status: str = "200") -> Any:
        said = schema["paths"][path][method]["responses"][status]["content"]
        return said["application/json"]["schema"]

    Instance.objects.update(bank_code="970422", account_number="0001234567")
    website = program(school)
    opened = ask(website).json()
    fits(opened, answer_of(ORDERS, "post", "201"))
    fits(website.get(f"{ORDERS}/{opened['code']}").json(), answer_of(f"{ORDERS}/{{code}}"))
    fits(website.get(ORDERS).json(), answer_of(ORDERS))
    responses = schema["paths"][URL]["get"]["responses"]
    good = program(school).get(URL)
    fits(good.json(), responses["200"]["content"]["application/json"]["schema"])
    refused = client.get(URL)
    fits(refused.json(), responses["401"]["content"]["application/problem+json"]["schema"])
    with pytest.raises(AssertionError):
        fits(refused.json(), responses["200"]["content"]["application/json"]["schema"])


class TestHealth:
    @pytest.mark.parametrize("path", ["/healthz", "/readyz"])
    def test_is_plain_and_kept_by_no_cache(self, path: str, client: Client, settings) -> None:
        settings.SECURE_SSL_REDIRECT = True
        answer = client.get(path)
        assert (answer.status_code, answer.content) == (200, b"ok\n")
        assert "no-store" in answer["Cache-Control"]
        assert client.head(path).status_code == 200
        assert client.post(path).status_code == 405

    def test_alive_asks_nobody_and_ready_asks_the_database(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def gone(*args: Any) -> Any:
            raise OperationalError("gone")

        monkeypatch.setattr(connection, "cursor", gone)
        assert client.get("/healthz").status_code == 200
        answer = client.get("/readyz")
        assert (answer.status_code, answer.content) == (503, b"no database\n")
