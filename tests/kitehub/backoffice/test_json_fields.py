"""JSON fields take objects that mean something, and nothing that the database would refuse."""

import json
from typing import Any

import pytest
from django.test import Client
from unfold import fields

from kitehub.models import InstanceConfig
from tests.factories.branding import BrandingJobFactory
from tests.factories.kitehub import InstanceConfigFactory
from tests.kitehub.backoffice.pages import save


def errors_of(client: Client, **entered: str) -> dict[str, Any]:
    answer = save(client, InstanceConfigFactory(), **entered)
    assert answer.status_code == 200
    return dict(answer.context["adminform"].form.errors)


@pytest.mark.parametrize("text", ["null", "[]", "[1]", "7", '"x"', "true", '"{}"'])
@pytest.mark.parametrize("field", ["features", "limitations"])
def test_what_is_no_object_is_refused(back_office: Client, field: str, text: str) -> None:
    for language, said in [("vi", "Hãy nhập một đối tượng"), ("en", "Enter an object")]:
        back_office.cookies["django_language"] = language
        errors = errors_of(back_office, **{field: text})
        assert set(errors) == {field}
        assert said in errors[field][0]


@pytest.mark.parametrize("value", [None, 1, "true", [], {}])
def test_a_known_feature_is_on_or_off(back_office: Client, value: Any) -> None:
    errors = errors_of(back_office, features=json.dumps({"media": value, "other": 1}))
    assert "media" in errors["features"][0]


@pytest.mark.parametrize("name", ["maxCourses", "maxStudents", "maxStorageBytes"])
@pytest.mark.parametrize("value", [-1, 1.5, "50", True, [], {}, 2**63])
def test_a_known_limit_is_a_whole_number_or_none(
    back_office: Client, name: str, value: Any
) -> None:
    errors = errors_of(back_office, limitations=json.dumps({name: value}))
    assert name in errors["limitations"][0]


@pytest.mark.parametrize(
    "text",
    ['{"x": NaN}', '{"x": 1e999}', '{"x": "\\u0000"}',
     '{"\\ud800": 1}', '{"x": ' + "9" * 5000 + "}",
     "[" * 5000, "{", "\x00", '{"x": "\x00"}'],
)  # fmt: skip
def test_what_cannot_be_stored_is_an_error_of_its_field(back_office: Client, text: str) -> None:
    assert set(errors_of(back_office, features=text)) == {"features"}
    answer = save(back_office, BrandingJobFactory(), generated_assets=text)
    assert set(answer.context["adminform"].form.errors) == {"generated_assets"}


def test_unknown_keys_and_no_limit_are_kept(back_office: Client) -> None:
    features = {"media": True, "khác": {"x": [1, "\\u0000"]}}
    limitations = {"maxStudents": None, "maxCourses": 0, "other": "any"}
    answer = save(
        back_office,
        InstanceConfigFactory(),
        features=json.dumps(features),
        limitations=json.dumps(limitations),
    )
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    config = InstanceConfig.objects.get()
    assert (config.features, config.limitations) == (features, limitations)


def test_an_empty_field_is_an_empty_object(back_office: Client) -> None:
    answer = save(back_office, InstanceConfigFactory(), features="", limitations="")
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert InstanceConfig.objects.get().features == {}


def test_what_nobody_may_change_is_readable() -> None:
    shown = fields.prettify_json({"trường": "Sao Mai <b>", "a": [1]}, None)
    assert "trường" in shown
    assert "Sao Mai &lt;b&gt;" in shown
    assert "style=" not in shown
