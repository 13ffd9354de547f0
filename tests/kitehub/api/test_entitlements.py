"""GET /api/v1/entitlements tells a program what its instance may do, and when nothing changed."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from billing.models import Subscription
from kitehub.entitlements import entitlements_of
from kitehub.enums import ApiScope, InstanceStatus, Tier
from kitehub.models import ApiKey, Instance, InstanceConfig
from tests.factories.billing import SubscriptionFactory
from tests.kitehub.api.conftest import URL, key_of, program
from tests.storage.ledger import upload

pytestmark = pytest.mark.django_db


def test_answer_is_what_python_says(school: Instance) -> None:
    upload(school.id, 5)
    answer = program(school).get(URL)
    said, rights = answer.json(), entitlements_of(school)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("application/json")
    assert {name: said[name] for name in ("instance_id", "tier", "status", "version")} == {
        "instance_id": str(school.id),
        "tier": "STANDARD",
        "status": "ACTIVE",
        "version": rights.version,
    }
    assert said["valid_until"][:19] == rights.valid_until.isoformat()[:19]
    assert set(said["features"]) == set(rights.features)
    assert said["features"]["maxStorageBytes"] == {
        "access": True,
        "limit": 5368709120,
        "used": 5,
        "reason": "TIER",
        "source": "tier",
    }
    assert said["features"]["premium"] == {
        "access": False,
        "limit": 0,
        "used": None,
        "reason": "TIER",
        "source": "tier",
    }


def test_etag_is_strong_and_answers_304_until_something_changes(school: Instance) -> None:
    client = program(school)
    first = client.get(URL)
    etag = first["ETag"]
    assert etag == f'"{first.json()["version"]}"'
    for said in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = client.get(URL, headers={"if-none-match": said})
        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", etag)
        assert answer["Cache-Control"] == "private, max-age=60"
        assert "Authorization" in answer["Vary"]
    InstanceConfig.objects.update(features={"media": False})
    answer = client.get(URL, headers={"if-none-match": etag})
    assert answer.status_code == 200
    assert answer["ETag"] != etag
    assert answer.json()["features"]["media"]["reason"] == "OVERRIDE"


@pytest.mark.parametrize("said", ["", '"', "W/", "x" * 5000, "\x00", '"é", ,', "**", '"a" "b"'])
def test_if_none_match_that_is_rubbish_is_passed_over(said: str, school: Instance) -> None:
    assert program(school).get(URL, headers={"if-none-match": said}).status_code == 200


def test_caches_keep_it_a_minute_and_no_longer_than_it_is_true(school: Instance) -> None:
    answer = program(school).get(URL)
    assert answer["Cache-Control"] == "private, max-age=60"
    assert "Authorization" in answer["Vary"]
    Subscription.objects.update(current_period_end=timezone.now() + timedelta(seconds=20))
    assert program(school).get(URL)["Cache-Control"] in {
        "private, max-age=19",
        "private, max-age=18",
    }


def test_head_is_get_without_its_body(school: Instance) -> None:
    client = program(school)
    got, head = client.get(URL), client.head(URL)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("ETag", "Cache-Control", "Content-Length", "Vary"):
        assert head[name] == got[name]
    assert client.head(URL, headers={"if-none-match": got["ETag"]}).status_code == 304


def test_suspended_instance_is_told_why_rather_than_refused(school: Instance) -> None:
    client = program(school)
    Instance.objects.update(status=InstanceStatus.SUSPENDED)
    answer = client.get(URL)
    assert (answer.status_code, answer.json()["status"]) == (200, "SUSPENDED")
    assert {each["reason"] for each in answer.json()["features"].values()} == {"SUSPENDED"}
    assert not any(each["access"] for each in answer.json()["features"].values())


def test_silo_is_asked_for_its_own_rows(silo: Instance) -> None:
    from kitehub import tenancy

    SubscriptionFactory(instance=silo, tier=Tier.PREMIUM)
    with tenancy.use(silo):
        InstanceConfig.objects.create(tier=Tier.PREMIUM, limitations={"maxCourses": 3})
    said = program(silo).get(URL).json()
    assert said["tier"] == "PREMIUM"
    assert said["features"]["maxCourses"]["limit"] == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("url", ["postgres:///kitehub_nowhere", "mysql://h/x"])
def test_silo_that_cannot_be_reached_is_503_and_says_when_to_try_again(
    url: str, school: Instance
) -> None:
    Instance.objects.update(database_url=url, database_username="")
    answer = program(school).get(URL)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer["Retry-After"] == "5"
    assert "nowhere" not in answer.content.decode()
    assert "mysql" not in answer.content.decode()


class TestKeys:
    def refused(self, **headers: str) -> tuple[int, str, str]:
        answer = Client().get(URL, headers=headers)
        assert answer["Content-Type"] == "application/problem+json"
        return answer.status_code, answer.json()["code"], answer.get("WWW-Authenticate", "")

    def test_no_key_or_none_that_is_one_is_401(self, school: Instance) -> None:
        assert self.refused() == (401, "key_missing", 'Bearer realm="kitehub"')
        invalid = 'Bearer realm="kitehub", error="invalid_token"'
        for said in ("Bearer", "Bearer x", "Basic eDp5", "Bearer \x00", f"Bearer {'k' * 100_000}"):
            assert self.refused(authorization=said) == (401, "key_malformed", invalid)
        text = key_of(school)
        ApiKey.objects.all().delete()
        assert self.refused(authorization=f"Bearer {text}") == (401, "key_unknown", invalid)

    def test_scheme_is_taken_in_any_case(self, school: Instance) -> None:
        text = key_of(school)
        for said in (f"bearer {text}", f"BEARER  {text} "):
            assert Client().get(URL, headers={"authorization": said}).status_code == 200

    def test_key_for_other_things_is_403(self, school: Instance) -> None:
        text = key_of(school, scopes=[ApiScope.ORDERS_READ])
        status, code, asks = self.refused(authorization=f"Bearer {text}")
        assert (status, code) == (403, "scope_missing")
        assert asks.endswith('error="insufficient_scope", scope="entitlements:read"')

    def test_key_of_a_closed_instance_is_403(self, school: Instance) -> None:
        text = key_of(school)
        Instance.objects.update(status=InstanceStatus.CLOSED)
        assert self.refused(authorization=f"Bearer {text}")[:2] == (403, "instance_deleted")

    def test_session_of_staff_is_no_key(self, back_office: Client) -> None:
        assert back_office.get(URL).json()["code"] == "key_missing"


def test_request_takes_a_query_for_the_key_and_three_for_the_answer(
    school: Instance, django_assert_num_queries: Any
) -> None:
    client = program(school)
    client.get(URL)  # notes the use, which is done once a minute
    with django_assert_num_queries(4):
        client.get(URL)
