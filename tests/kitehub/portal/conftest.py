"""An owner of a school, and their browser."""

from typing import Any

import pytest
from django.test import Client

from kitehub.models import Instance, User
from tests.factories.kitehub import InstanceFactory, UserFactory

PASSWORD = "một mật khẩu dài"


@pytest.fixture
def owner(db: None) -> User:
    """Who can sign in."""
    return UserFactory(email="lan@example.vn", full_name="Trần Thị Lan", password=PASSWORD)


@pytest.fixture
def school(owner: User) -> Instance:
    """Their school."""
    return InstanceFactory(owner=owner, subdomain="sao-mai", organization_name="Trung tâm Sao Mai")


@pytest.fixture
def browser(client: Client, school: Instance) -> Client:
    """The owner's browser, signed in."""
    client.force_login(school.owner)
    return client


def texts(response: Any) -> str:
    """A page as text."""
    return str(response.content, "utf-8")
