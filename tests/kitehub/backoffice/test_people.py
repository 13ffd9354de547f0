"""People are found by the words of their name and address, with accents or without."""

import unicodedata
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory
from django.urls import reverse

from kitehub.models import User
from tests.explain import filled, indexes_used, tables_scanned
from tests.factories.kitehub import UserFactory
from tests.kitehub.backoffice.pages import list_url


def chosen(client: Client, term: str) -> list[str]:
    """What the owner's chooser offers."""
    asked = {"app_label": "kitehub", "model_name": "instance", "field_name": "owner", "term": term}
    answer = client.get(reverse("admin:autocomplete"), asked)
    assert answer.status_code == 200
    return [row["text"] for row in answer.json()["results"]]


@pytest.fixture
def people(db: None) -> None:
    UserFactory(full_name="Nguyễn Thị Ánh Đào", email="chi.dao@sao-mai.edu.vn")
    UserFactory(full_name="Trần Quốc Đạt", email="dat@example.vn")
    UserFactory(full_name=unicodedata.normalize("NFD", "Lê Thúy Hằng"), email="hang@example.vn")
    UserFactory(full_name="VŨ ĐỨC MẠNH", email="vdm_1@example.vn")


@pytest.mark.parametrize(
    ("term", "name"),
    [
        ("Ánh Đào", "Nguyễn Thị Ánh Đào"),
        ("anh dao", "Nguyễn Thị Ánh Đào"),
        ("  NGUYEN  th ", "Nguyễn Thị Ánh Đào"),
        ("đào nguyễn", "Nguyễn Thị Ánh Đào"),
        ("chi.dao@sao", "Nguyễn Thị Ánh Đào"),
        ("chi.dao@sao-mai.edu.vn", "Nguyễn Thị Ánh Đào"),
        ("sao-mai.edu", "Nguyễn Thị Ánh Đào"),
        ("quốc đạt", "Trần Quốc Đạt"),
        ("thuy", "Lê Thúy Hằng"),
        ("thúy hằng", "Lê Thúy Hằng"),
        (unicodedata.normalize("NFD", "Thúy"), "Lê Thúy Hằng"),
        ("vũ đức", "VŨ ĐỨC MẠNH"),
        ("vdm_1", "VŨ ĐỨC MẠNH"),
    ],
)
def test_a_person_is_found_by_beginnings_of_words(
    back_office: Client, people: None, term: str, name: str
) -> None:
    assert [unicodedata.normalize("NFC", found) for found in chosen(back_office, term)] == [name]
    page = back_office.get(list_url(User), {"q": term})
    assert page.context["cl"].result_count == 1


@pytest.mark.parametrize(
    "term",
    ["guyễn", "Đào Trần", "'", "':*", "a" * 3000, "!", "|", "&", "\\", "\x00", "thuy:hang!x"],
)
def test_other_terms_find_nobody_and_break_nothing(
    back_office: Client, people: None, term: str
) -> None:
    assert chosen(back_office, term) == []


@pytest.mark.parametrize(
    ("term", "found"),
    [("truong 7", {"7"}), ("07", set()), ("truong 70", {"70"}), ("7000", {"7000", "70001"})],
)
def test_a_short_number_is_a_whole_word(
    back_office: Client, people: None, term: str, found: set[str]
) -> None:
    for number in ("7", "70", "7000", "70001"):
        UserFactory(full_name=number, email=f"truong-{number}@example.vn")
    assert {*chosen(back_office, term)} == found


def test_the_chooser_offers_a_page_at_a_time(back_office: Client) -> None:
    UserFactory.create_batch(25, full_name="Nguyễn Văn An")
    assert len(chosen(back_office, "văn an")) == 20


@pytest.fixture(scope="class")
def many(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    columns = {
        "id": "lpad(to_hex(n), 32, '0')::uuid",
        "email": "'nguoi-dung-' || n || '@example.vn'",
        "full_name": "'Nguyễn Văn ' || chr(65 + n % 26) || n",
        "password": "''",
        "is_superuser": "false",
        "is_staff": "false",
        "is_active": "true",
    }
    with django_db_blocker.unblock(), filled("kitehub_users", columns, rows=50_000):
        yield


@pytest.mark.usefixtures("many")
class TestAmongFiftyThousandPeople:
    @pytest.mark.parametrize(
        "term", ["b2601", "nguyen B2601", "nguoi-dung-2601@ex", str(uuid.UUID(int=2601))]
    )
    def test_a_person_comes_from_the_index(self, db: None, term: str) -> None:
        search = admin.site._registry[User].get_search_results
        found, _ = search(RequestFactory().get("/"), User.objects.all(), term)
        assert 2601 in {person.pk.int for person in found}
        assert len(found) <= 11  # 2601, and 26010 to 26019, whose addresses begin so too
        assert tables_scanned(found) == set()
        assert indexes_used(found) & {"idx_kitehub_users_words", "kitehub_users_pkey"}
